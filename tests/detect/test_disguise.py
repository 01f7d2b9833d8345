"""Tools whose names say nothing, known by what goes in, what comes out and what other logs show."""

from __future__ import annotations

import json

import pytest
from fleets import Fleet, call

from detect.behaviour import behaviour
from detect.disguise import Shapes
from detect.step import Step
from ingest.arguments import scalars_in
from ingest.database import ask, open_published

NS = 1_000_000_000


def step(tool: str = "zorb", at_s: int = 0, **said: object) -> Step:
    arguments = said.pop("arguments", None)
    result = said.pop("result", None)
    fields: dict[str, object] = {
        "event_id": f"e{at_s}", "session_id": "s", "trace_id": "s", "parent_event_id": None, "kind": "tool_call",
        "operation": "tool", "tool": tool, "capability": None, "is_sure": False, "agent_id": "ops", "agent_version": "",
        "at_ns": at_s * NS, "day": None, "principal": None, "credential_id": None, "on_behalf_of": None,
        "source_host": None, "target": None, "status": "ok", "approval": None, "approver": None, "source": "f:1",
        "arguments": json.dumps(arguments) if arguments is not None else None,
        "result": json.dumps(result) if result is not None else None, "gives": result is not None,
    }  # fmt: skip
    return Step(**(fields | said))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "result", "expected"),
    [
        ({"hostname": "web-1", "command": "id"}, None, "remote_execution"),
        ({"host": "web-1", "login": "ops", "credential": "c-1"}, None, "remote_execution"),
        ({"secret_id": "prod/db"}, None, "credential"),
        ({"thing": "prod/db"}, {"access_key_id": "AKIAIOSFODNN7EXAMPLE"}, "credential"),
        ({"member": "bob", "role": "owner"}, None, "permission"),
        ({"body": {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}}, None, "permission"),
        ({"from": "0.0.0.0/0", "to": 22}, None, "network_path"),
        ({"sensor": "s-9", "note": "x"}, None, "defence_impairment"),
        ({"rule": "r-9", "enabled": False}, None, "defence_impairment"),
        ({"rule": "r-9", "enabled": True}, None, None),
        ({"operation": "stop_logging"}, None, "defence_impairment"),
        ({"colour": "red", "size": 4}, {"token_count": 14}, None),
        ({"host": "web-1", "limit": 5}, {"rows": []}, None),
    ],
)
def test_an_unknown_call_shows_what_it_does(arguments: dict, result: dict | None, expected: str | None) -> None:
    one = step(arguments=arguments, result=result)
    shown = behaviour(one, scalars_in(one.arguments))
    assert (shown.capability if shown else None) == expected


def test_a_look_up_by_role_or_rule_is_still_a_look_up() -> None:
    for arguments in ({"role": "owner", "member": "bob"}, {"secret_id": "prod/db"}, {"host": "web-1", "command": "id"}):
        one = step("get_zorb", capability="read", arguments=arguments)
        assert behaviour(one, scalars_in(one.arguments)) is None
    handing = step("get_zorb", capability="read", arguments={"id": 7}, result={"client_secret": "s3cr3t-0123456789ab"})
    shown = behaviour(handing, scalars_in(handing.arguments))
    assert shown is not None and shown.capability == "credential"


def test_a_sure_name_is_believed() -> None:
    said = {"capability": "write", "is_sure": True, "arguments": {"host": "web-1", "command": "id"}}
    assert Shapes().unmask(step("create_ticket", **said)) is None


def test_another_log_that_twice_shows_the_same_class_gives_a_name_its_class() -> None:
    shapes = Shapes()
    for at_s in (0, 100):
        nameless = step(at_s=at_s, target=f"prod/db-{at_s}")
        assert shapes.unmask(nameless) is None, "once may be chance"
        named = {"agent_id": "role/ops", "target": f"prod/db-{at_s}", "capability": "credential", "is_sure": True}
        shapes.unmask(step("secretsmanager:GetSecretValue", at_s + 1, **named))
    shown = shapes.unmask(step(at_s=200, target="prod/db-9"))
    assert shown is not None and shown.capability == "credential"
    assert shapes.told["zorb"] == {"credential: another log's step on its target in the same moment": 1}


def test_steps_of_one_log_or_of_another_moment_are_no_witnesses() -> None:
    shapes = Shapes()
    for at_s, agent, later_s in ((0, "ops", 1), (100, "role/ops", 60), (200, "ops", 1), (300, "role/ops", 60)):
        shapes.unmask(step(at_s=at_s, target=f"t-{at_s}"))
        shapes.unmask(step("assume_role", at_s + later_s, agent_id=agent, target=f"t-{at_s}", capability="credential",
                           is_sure=True))  # fmt: skip
    assert shapes.witnessed == {}


def test_a_credential_that_somebody_was_given_shows_what_it_is_carried_for(fleet: Fleet) -> None:
    key = "tok-5f3a9c1be7d24680"
    fleet.habit("ops", call("get_alert", target="a-1"))
    fleet.session("ops", 6, call("read_secret", target="prod/db", result=json.dumps({"token": key})))
    fleet.session("ops", 6, call("zorb", target="pay-7", arguments=json.dumps({"at": "pay-7", "with": key})), minute=9)
    found = {f.detector.name for f in fleet.judge().found if f.step.tool == "zorb"}
    assert "unknown_name_does_privileged_work" in found


def test_unknown_names_are_listed_with_what_showed_their_class(fleet: Fleet) -> None:
    told = json.dumps({"host": "web-1", "command": "id"})
    fleet.session("ops", 0, call("zorb", arguments=told), call("zorb", arguments=told), call("frob"))
    fleet.judge()
    rows = ask(
        open_published(fleet.data), "select tool, steps, classed_as, shown_by from unmatched order by tool"
    ).rows()
    assert rows == [
        ("frob", 1, None, None),
        ("zorb", 2, "remote_execution", "arguments command and host (2)"),
    ]
