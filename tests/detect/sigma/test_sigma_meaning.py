"""What a Sigma rule means over an agent's steps: the specification's fine print, where others are known to be wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fleets import Fleet, call

from baseline.capability import Capabilities
from detect.sigma.matches import days_of, matches, prepare
from detect.sigma.rules import load_rules
from ingest.database import open_published
from ingest.errors import Trouble

RULE = """
title: t
logsource: {{product: ai_agent}}
detection:
  s: {detection}
  condition: {condition}
"""
ONE = "title: {0}\nname: {0}\nlogsource: {{product: ai_agent}}\ndetection: {{s: {{tool: {0}}}, condition: s}}\n"


def found(fleet: Fleet, text: str) -> list[str]:
    """The tools of the steps at which the one rule of the text speaks."""
    fleet.store()
    return asked(fleet, text)


def asked(fleet: Fleet, text: str) -> list[str]:
    file = fleet.data.parent / "rule.yml"
    file.write_text(text)
    connection = open_published(fleet.data)
    prepare(connection, Capabilities.load())
    (rule,) = load_rules([file])
    return matches(connection, rule).get_column("tool").to_list()


def rule(detection: object, condition: str = "s") -> str:
    return RULE.format(detection=json.dumps(detection), condition=condition)


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return Fleet(tmp_path / "data")


@pytest.mark.parametrize(
    ("detection", "condition", "expected"),
    [
        ({"tool": "LOOK_UP"}, "s", ["look_up"]),  # case does not matter
        ({"tool|cased": "LOOK_UP"}, "s", []),
        ({"tool": "look?up"}, "s", ["look_up", "lookXup"]),
        ({"tool": "look_up"}, "s", ["look_up"]),  # _ is a plain character
        ({"tool|endswith": "%"}, "s", ["50%"]),  # and so is %
        ({"tool|contains": "it's"}, "s", ["it's"]),  # quotes do not leave the literal
        ({"tool|re": "^it's$"}, "s", ["it's"]),
        ({"tool|re|i": "^LOOK.UP$"}, "s", ["look_up", "lookXup"]),
        ({"approver": "ana"}, "not s", ["look_up", "lookXup", "50%", "it's", "b!x"]),  # missing: false, so not is true
        ({"approver": None}, "s", ["look_up", "lookXup", "50%", "it's", "b!x"]),
        ({"approver|exists": True}, "s", ["ask"]),
        ({"tool|contains": "!"}, "s", ["b!x"]),
        ({"arguments.host": "db-1"}, "s", ["look_up"]),
        ({"arguments.port|gte": 443}, "s", ["lookXup"]),
        ({"arguments.ranges[*].cidr": "0.0.0.0/0"}, "s", ["50%"]),
        ({"arguments.ranges[*].cidr": "0.0.0.0/0"}, "not s", ["look_up", "lookXup", "it's", "b!x", "ask"]),
        ({'arguments."a.b".c': "deep"}, "s", ["it's"]),
        ({"arguments.ip|cidr": "10.0.0.0/9"}, "s", ["b!x"]),
        ({"arguments.ip|cidr": "10.128.0.0/9"}, "s", []),
        ({"arguments.six|cidr": "fd00::/16"}, "s", ["b!x"]),
        ({"approver|fieldref": "agent_id"}, "s", []),
        (["db-1", "nothing like it"], "s", ["look_up"]),  # keywords
        ({"tool": ["ask", "it's"]}, "s", ["it's", "ask"]),
        ({"gen_ai.tool.name": "ask"}, "s", ["ask"]),
    ],
)
def test_what_a_detection_holds_for(fleet: Fleet, detection: object, condition: str, expected: list[str]) -> None:
    fleet.session(
        "a",
        0,
        call("look_up", arguments='{"host":"db-1"}'),
        call("lookXup", arguments='{"port":"8443"}'),
        call("50%", arguments='{"ranges":[{"cidr":"10.0.0.0/8"},{"cidr":"0.0.0.0/0"}]}'),
        call("it's", arguments='{"a.b":{"c":"deep"}}'),
        call("b!x", arguments='{"ip":"10.1.2.3","six":"fd00:1::2"}'),
        call("ask", arguments='["no object"]', approver="Ana"),
    )
    assert found(fleet, rule(detection, condition)) == expected


def correlation(kind: str, rules: str, by: str, span: str, condition: str = "") -> str:
    return (
        f"title: c\ncorrelation:\n  type: {kind}\n  rules: [{rules}]\n  group-by: [{by}]\n  timespan: {span}\n"
        + (f"  condition: {condition}\n" if condition else "")
        + "".join("---\n" + ONE.format(name) for name in rules.split(", "))
    )


def test_an_ordered_correlation_wants_the_order(fleet: Fleet) -> None:
    fleet.session("right", 0, call("first"), call("noise"), call("second"))
    fleet.session("wrong", 0, call("second"), call("first"))
    fleet.session("parted", 0, call("first"))
    fleet.session("parted", 2, call("second"))
    fleet.store()
    text = correlation("temporal_ordered", "first, second", "agent_id", "1h")
    assert asked(fleet, text) == ["second"]
    assert asked(fleet, text.replace("temporal_ordered", "temporal")) == ["first", "second"]
    assert asked(fleet, text.replace("1h", "3d")) == ["second", "second"]


def test_three_in_order_take_the_latest_chain_that_fits(fleet: Fleet) -> None:
    fleet.session("a", 0, call("one"))
    fleet.session("a", 1, call("one"), call("two"), call("three"))
    fleet.session("b", 1, call("one"), call("three"), call("two"))
    assert found(fleet, correlation("temporal_ordered", "one, two, three", "agent_id", "1m")) == ["three"]


def test_one_step_is_not_two_of_a_chain(fleet: Fleet) -> None:
    fleet.session("a", 0, call("look"))
    text = correlation("temporal_ordered", "look, look", "agent_id", "1h").replace(
        "rules: [look, look]", "rules: [x, y]"
    )
    text = text.split("---")[0] + "".join(
        "---\n" + ONE.format("look").replace("name: look", f"name: {n}") for n in "xy"
    )
    assert found(fleet, text) == []


def test_counts_keep_to_their_time_span(fleet: Fleet) -> None:
    fleet.session("slow", 0, call("look"))
    fleet.session("slow", 2, call("look"))
    fleet.session("quick", 0, call("look"), call("look"))
    fleet.store()
    assert asked(fleet, correlation("event_count", "look", "agent_id", "1h", "{gte: 2}")) == ["look"]
    assert asked(fleet, correlation("event_count", "look", "agent_id", "3d", "{gte: 2}")) == ["look", "look"]
    assert asked(fleet, correlation("event_count", "look", "agent_id", "3d", "{gt: 2}")) == []


def test_values_are_counted_once_each(fleet: Fleet) -> None:
    fleet.session("same", 0, *[call("look", target="h1")] * 3)
    fleet.session("other", 0, *[call("look", target=f"h{n}") for n in range(3)])
    fleet.store()
    text = correlation("value_count", "look", "agent_id", "1h", "{gte: 3, field: target}")
    assert asked(fleet, text) == ["look"]


def test_a_group_by_may_bear_another_name_in_each_rule(fleet: Fleet) -> None:
    fleet.session("a", 0, call("make", target="k1"), call("use", credential_id="k1"), call("use", credential_id="k2"))
    text = correlation("temporal_ordered", "make, use", "key", "1h").replace(
        "  timespan", "  aliases:\n    key: {make: target, use: credential_id}\n  timespan"
    )
    assert found(fleet, text) == ["use"]


def test_a_correlation_that_stays_true_is_told_once(fleet: Fleet) -> None:
    fleet.session("a", 0, *[call("look")] * 10)
    assert found(fleet, correlation("event_count", "look", "agent_id", "1h", "{gte: 3}")) == ["look"]


def test_evidence_is_in_order_and_days_without_a_match_are_told(fleet: Fleet) -> None:
    fleet.session("a", 0, call("one"), call("two"))
    fleet.session("a", 3, call("one"))
    fleet.store()
    file = fleet.data.parent / "rule.yml"
    file.write_text(correlation("temporal", "two, one", "agent_id", "1h"))
    connection = open_published(fleet.data)
    prepare(connection, Capabilities.load())
    rules = load_rules([file])
    (row,) = matches(connection, rules[0]).to_dicts()
    assert row["evidence"] == [step.event_id for step in fleet.steps[:2]]
    days = days_of(connection, rules)
    assert days.get_column("matches").to_list() == [1, 0, 0, 0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (rule({"toool": "x"}), "did you mean tool?"),
        (rule({"tool|re": "(?<!x)y"}), "invalid"),
        (rule({"tool": "x"}).replace("ai_agent", "windows"), "product: ai_agent"),
        (
            rule({"tool": "x"}).replace("product: ai_agent", "product: ai_agent, category: process"),
            "category 'process'",
        ),
        (rule({"tool": "x"}, "nothing"), "nothing"),
        (rule({"tool": "x"}, "off"), "quote it"),
        ("title: [", "no Sigma rule that can be read"),
        (correlation("value_sum", "look", "agent_id", "1h", "{gte: 3, field: target}"), "value_sum is not supported"),
        (correlation("temporal", "look, see", "agent_id", "1h").replace("name: see", "name: saw"), "refers to see"),
    ],
)
def test_a_rule_that_cannot_be_run_is_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "rule.yml"
    file.write_text(text)
    with pytest.raises(Trouble, match=r"rule\.yml") as refused:
        load_rules([file])
    assert said in str(refused.value)


def test_what_a_rule_says_cannot_leave_its_literal(fleet: Fleet) -> None:
    fleet.session("a", 0, call("look"))
    fleet.store()
    for hostile in ("'; drop view steps; --", "x' or '1'='1", "\\' or 1=1 --", "!' or 1=1 --"):
        assert asked(fleet, rule({"tool": hostile})) == []
        assert asked(fleet, rule({f"arguments.{hostile.replace('.', '')}": "x"})) == []
        assert asked(fleet, rule({"tool|re": f"^{hostile.replace(chr(92), '')}$"})) == []
