"""A profile that a person can argue with: what it rests on, what it borrows, what is not enough, what is frozen."""

from __future__ import annotations

import json

import pytest
from fleets import Fleet, approval, call
from typer.testing import CliRunner

from baseline.capability import Capabilities
from baseline.compare import compare
from baseline.pins import pin, pins, unpin
from baseline.profile import profile
from baseline.profiles import profiles
from custodiet import app
from ingest.database import open_published
from ingest.errors import Trouble

LOOK = (call("search_logs", target="siem-1"), call("get_host", target="h1"))


def of(fleet: Fleet, agent: str, **chosen: str):
    found = profile(open_published(fleet.data), agent, **chosen)
    assert found is not None
    return found


def run(fleet: Fleet, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, [*words, "--data", str(fleet.data)])
    return done.exit_code, done.stdout


def test_what_it_rests_on_and_what_is_not_enough(fleet: Fleet) -> None:
    fleet.habit("triage", *LOOK, days=3, a_day=8)
    fleet.habit("newcomer", *LOOK, days=1, a_day=3)
    fleet.judge()
    old, new = of(fleet, "triage"), of(fleet, "newcomer")
    assert (old.rests_on.sessions, old.rests_on.calls, old.rests_on.days, old.rests_on.is_enough) == (24, 48, 3, True)
    assert new.peers.agents == ("triage",)
    assert new.peers.said == "judged by 1 peer (24 sessions): it has 3 of 20 sessions of its own"
    assert "any judgement by its own history: 3 of 20 sessions" in new.not_enough
    assert "any judgement" not in " ".join(old.not_enough)
    assert profile(open_published(fleet.data), "nobody") is None


def test_a_new_agent_borrows_from_its_peers_and_says_so(fleet: Fleet) -> None:
    for peer in ("p1", "p2", "p3"):
        fleet.habit(peer, *LOOK, call("create_ticket"), days=2, a_day=20)
    for number in range(2):
        fleet.session("new", 1, *LOOK, minute=number)
    fleet.session("new", 1, *LOOK, call("create_ticket"), minute=9)
    fleet.judge()
    uses = {use.tool: use for use in of(fleet, "new").tools}
    assert uses["create_ticket"].share == pytest.approx(1 / 3)
    assert uses["create_ticket"].peers_share == 1.0
    assert uses["create_ticket"].expected > 0.8, "three sessions count little beside what all its peers do"


def test_tools_transitions_links_and_approvals_are_told(fleet: Fleet) -> None:
    for day in range(3):
        for minute in range(8):
            yes = (approval("ana", target="fw-1"),) if minute else ()
            fleet.session(
                "triage",
                day,
                *LOOK,
                *yes,
                call("modify_firewall_rule", target="fw-1", principal="role-a"),
                minute=minute,
            )
    fleet.judge()
    found = of(fleet, "triage")
    approvals = found.approvals
    kinds = {linked.kind: linked for linked in found.links}
    assert ("search_logs", "get_host", 24) in [(t.before, t.tool, t.steps) for t in found.transitions]
    assert kinds["target"].distinct == 3 and kinds["target"].p_new < 0.1
    assert kinds["principal"].usual == (("role-a", 24),)
    assert (approvals.privileged_calls, approvals.by_state) == (24, {"approved": 21, "not_recorded": 3})
    assert approvals.low < 21 / 24 < approvals.high
    assert approvals.by_whom == {"ana": 21}
    assert [(hour.weekday, hour.hour) for hour in found.hours] == [("Mon", 9), ("Tue", 9), ("Wed", 9)]


def test_sessions_of_a_case_are_no_part_of_what_is_normal(fleet: Fleet) -> None:
    fleet.habit("triage", *LOOK)
    fleet.session("triage", 7, *LOOK, call("delete_bucket", target="b1"))
    assert fleet.judge().cases
    found = of(fleet, "triage")
    assert found.rests_on.sessions == 40
    assert "delete_bucket" not in [use.tool for use in found.tools]


def test_an_update_opens_a_change_window_and_inherits_with_a_discount(fleet: Fleet) -> None:
    fleet.habit("triage", *LOOK, days=5, a_day=8)
    fleet.session("triage", 6, *LOOK, agent_version="2")
    fleet.judge()
    found = of(fleet, "triage")
    assert found.change_window is not None
    assert (found.change_window.version, str(found.change_window.until)) == ("2", "2026-03-09")
    assert [version.version for version in found.versions] == ["1", "2"]
    assert found.rests_on.worth == pytest.approx(1 + 0.3 * 40)
    assert of(fleet, "triage", version="1").change_window is None


def test_two_agents_side_by_side_differ_where_they_do(fleet: Fleet) -> None:
    fleet.habit("a", *LOOK)
    fleet.habit("b", *LOOK, call("delete_bucket", target="b1"))
    fleet.judge()
    differences = compare(of(fleet, "b"), of(fleet, "a"))
    certain = [d.what for d in differences if d.is_certain]
    assert certain[0] == "tool delete_bucket" and "tool search_logs" not in certain
    assert not any(d.is_certain for d in compare(of(fleet, "a"), of(fleet, "a")))


def test_a_pin_is_not_changed_by_later_days_and_can_be_removed(fleet: Fleet) -> None:
    fleet.habit("triage", *LOOK)
    fleet.judge()
    pin(fleet.data, "gold", Capabilities.load())
    before = of(fleet, "triage", pin="gold")
    fleet.habit("triage", *LOOK, call("create_ticket"), days=9)
    fleet.judge()
    assert of(fleet, "triage", pin="gold") == before != of(fleet, "triage")
    listed = pins(open_published(fleet.data)).to_dicts()
    assert [(p["pin"], str(p["first_day"]), str(p["last_day"]), p["sessions"]) for p in listed] == [
        ("gold", "2026-03-02", "2026-03-06", 40)
    ]
    with pytest.raises(Trouble, match="exists"):
        pin(fleet.data, "gold", Capabilities.load())
    with pytest.raises(Trouble, match="cannot name a pin"):
        pin(fleet.data, "../x", Capabilities.load())
    unpin(fleet.data, "gold")
    assert pins(open_published(fleet.data)).is_empty()
    with pytest.raises(Trouble, match="no pin"):
        unpin(fleet.data, "gold")


def test_drift_is_told_beside_the_agent_and_is_no_case(fleet: Fleet) -> None:
    for day in range(24):
        for minute in range(20):
            more = minute < 4 + max(0, day - 10)
            fleet.session("triage", day, *LOOK, *([call("get_user")] if more else []), minute=minute)
    detected = fleet.judge()
    (row,) = profiles(open_published(fleet.data)).to_dicts()
    assert not detected.cases
    assert any("share of get_user" in text for text in row["drift"])
    assert "2026-03-1" in row["drift"][0]


def test_the_command_prints_a_story_and_json(fleet: Fleet) -> None:
    fleet.habit("triage", *LOOK)
    fleet.habit("other", *LOOK, call("create_ticket"))
    fleet.judge()
    code, text = run(fleet, "profile", "triage", "--compare", "other")
    assert code == 0
    assert "triage: 40 sessions, 80 calls, 5 days" in text
    assert "beside other (40 sessions)" in text and "tool create_ticket" in text
    code, text = run(fleet, "profile", "triage", "--json")
    assert code == 0 and json.loads(text)["rests_on"]["sessions"] == 40
    assert run(fleet, "profile", "nobody")[0] == 1
    assert run(fleet, "profile", "triage", "--compare", "nobody")[0] == 1
    assert run(fleet, "profile", "triage", "--against", "nothing")[0] == 1
    assert run(fleet, "baseline", "--pin", "gold")[0] == 0
    assert "gold" in run(fleet, "baseline", "--pins")[1]
    assert run(fleet, "profile", "triage", "--against", "gold")[0] == 0


def test_a_source_without_a_place_for_approvals_has_no_share_of_them(fleet: Fleet) -> None:
    fleet.habit("triage", call("stop_logging", target="h1", approval="cannot_record"))
    fleet.judge()
    approvals = of(fleet, "triage").approvals
    assert (approvals.privileged_calls, approvals.recordable, approvals.low, approvals.high) == (40, 0, 0.0, 1.0)
    told = CliRunner().invoke(app, ["profile", "triage", "--data", str(fleet.data)]).stdout
    assert "approvals of 40 privileged calls: not known, as the log has no place for them: 40 cannot record" in told
    assert "the start → stop_logging (40 of 40)" in told


def test_a_thin_agent_without_peers_or_fleet_is_judged_by_nobody_and_that_is_said(fleet: Fleet) -> None:
    fleet.habit("triage", *LOOK, days=1, a_day=3)
    fleet.judge()
    assert of(fleet, "triage").peers.said == "not enough history: 3 of 20 sessions of its own"
