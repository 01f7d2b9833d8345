"""An agent with too little history is judged by its peers, and the finding says so."""

from __future__ import annotations

from fleets import Fleet, call

from ingest.database import ask, open_published

LOOK = (call("search_logs", target="siem-1"), call("isolate_host", target="h1"))


def group(fleet: Fleet, *names: str) -> None:
    for name in names:
        fleet.habit(name, *LOOK)


def test_a_new_agent_is_judged_by_its_peers(fleet: Fleet) -> None:
    group(fleet, "triage-1", "triage-2", "triage-3")
    for day in range(3):
        fleet.session("triage-4", day, *LOOK)
    fleet.session("triage-4", 6, *LOOK, call("delete_bucket", target="h1"), name="new")
    detected = fleet.judge()
    (found,) = (f for f in detected.found if f.detector.name == "first_privileged_use")
    assert found.step.session_id == "new"
    assert "0 of 3 sessions of this agent" in found.finding.expected
    assert "judged by 3 peers (120 sessions): it has 3 of 20 sessions of its own" in found.finding.expected


def test_what_its_peers_do_every_day_is_nothing_new_of_a_new_agent(fleet: Fleet) -> None:
    group(fleet, "triage-1", "triage-2")
    fleet.session("triage-3", 2, LOOK[0])
    fleet.session("triage-3", 6, *LOOK)
    assert not fleet.judge().found


def test_where_every_agent_has_tools_of_its_own_one_more_says_nothing(fleet: Fleet) -> None:
    for tool in ("delete_database", "isolate_host", "stop_logging", "run_remote_command", "assume_role", "rotate_key"):
        fleet.habit(f"keeper of {tool}", call(f"before_{tool}"), call(tool))
    fleet.session("g", 6, call("delete_bucket"))
    detected = fleet.judge()
    assert not detected.found
    assert ("first_privileged_use", "g", "") in detected.judged


def test_without_peers_and_fleet_it_is_not_enough_history(fleet: Fleet) -> None:
    group(fleet, "triage-1")
    fleet.session("other", 6, call("delete_bucket", target="b1"))
    fleet.judge()
    rows = ask(open_published(fleet.data), "from could_fire where agent_id = 'other'").to_dicts()
    assert any("enough history" in row["missing"] for row in rows)
