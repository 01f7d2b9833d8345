"""What is done a step a day is still one thing: paths stay open, keys live on, and who hardly stirs is still waking."""

from __future__ import annotations

import json

import pytest
from fleets import Fleet, call

from detect.run import Detected

DAY = 6
LOOK = call("search_logs", target="siem-1")
OPEN = call("modify_firewall_rule", target="db-9", arguments=json.dumps({"host": "db-9", "port": 22}))
CLOSE = call("remove_firewall_rule", target="db-9", arguments=json.dumps({"host": "db-9", "port": 22}))
CROSS = call("run_remote_command", target="db-9")


def fired(detected: Detected) -> set[str]:
    return {f.detector.name for f in detected.found}


def two_agents(fleet: Fleet) -> None:
    fleet.habit("fw", LOOK, call("modify_firewall_rule", target="web-1"), days=DAY)
    fleet.habit("triage", LOOK, call("run_remote_command", target="web-1"), days=DAY)


def test_a_path_is_followed_for_days(fleet: Fleet) -> None:
    two_agents(fleet)
    fleet.session("fw", DAY, OPEN)
    fleet.session("triage", DAY + 4, CROSS)
    assert "network_path_opened_then_crossed" in fired(fleet.judge())


def test_a_path_that_was_closed_again_is_none(fleet: Fleet) -> None:
    two_agents(fleet)
    fleet.session("fw", DAY, OPEN, CLOSE)
    fleet.session("triage", DAY + 4, CROSS)
    assert "network_path_opened_then_crossed" not in fired(fleet.judge())


def test_a_dormant_agent_that_does_a_step_a_day_is_still_waking(fleet: Fleet) -> None:
    fleet.habit("old", LOOK)
    for day in (30, 32, 34):
        fleet.session("old", day, LOOK)
    fleet.session("old", 36, call("delete_bucket", target="b1"))
    fleet.session("old", 37, call("rotate_credentials", target="svc-1"))
    cases = [c for c in fleet.judge().cases if "dormant_agent_wakes" in {f.detector.name for f in c.found}]
    assert [[s.tool for s in case.path] for case in cases] == [["delete_bucket", "rotate_credentials"]], (
        "it is one case"
    )


def test_a_dormant_agent_that_is_at_work_again_is_awake(fleet: Fleet) -> None:
    fleet.habit("old", LOOK)
    for number in range(8):
        fleet.session("old", 30, LOOK, minute=number * 30)
    fleet.session("old", 32, call("delete_bucket", target="b1"))
    assert "dormant_agent_wakes" not in fired(fleet.judge())


@pytest.mark.parametrize("said", ["Mar 14, 2026, 9:00:00 AM", "2026-03-14T09:00:00Z"])
def test_a_session_that_says_when_it_ends_is_followed_until_then(fleet: Fleet, said: str) -> None:
    """CloudTrail writes the expiration of a session in words."""
    key, role = "ASIA0123456789ABCDEF", "arn:aws:iam::123456789012:role/Admin"
    taken = json.dumps({"credentials": {"accessKeyId": key, "expiration": said}})
    fleet.habit("ops", LOOK)
    fleet.session("ops", DAY, call("sts:AssumeRole", target=role, result=taken))
    fleet.session("role/Admin", DAY + 4, call("delete_bucket", target="b1", credential_id=key))
    found = [f for f in fleet.judge().found if f.detector.name == "credential_switch_then_new_reach"]
    assert [[s.agent_id for s in f.finding.path] for f in found] == [["ops", "role/Admin"]]
