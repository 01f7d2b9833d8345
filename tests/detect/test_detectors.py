"""Each detector fires where it says and is quiet where it says."""

from __future__ import annotations

import pytest
from fleets import Fleet, approval, call

from baseline.history import History
from detect.run import Detected, all_detectors
from ingest.database import ask, open_published

KEY = '{"AccessKeyId": "AKIAQ7EXAMPLE00NEWK"}'
NEW_DAY = 7


def fired(detected: Detected) -> list[str]:
    assert not detected.failed
    return sorted({f.detector.name for f in detected.found})


def look(**fields: object) -> dict[str, object]:
    return call("search_logs", target="siem-1", **fields)


# contract: for every detector, without its author writing one


@pytest.mark.parametrize("detector", all_detectors(), ids=lambda d: d.name)
def test_a_detector_says_what_it_asks_when_it_is_quiet_and_what_it_misses(detector) -> None:
    text = detector.judge.__doc__ or ""
    assert detector.summary.endswith(".")
    assert "Quiet" in text
    assert "Misses" in text
    assert "Method" in text
    assert detector.techniques
    assert not any(t.startswith("T1562") for t in detector.techniques), "revoked in ATT&CK v19"


def test_an_empty_store_gives_nothing(fleet: Fleet) -> None:
    detected = fleet.judge()
    assert (detected.cases, detected.found, detected.failed) == ([], [], {})


def test_every_finding_names_steps_that_are_in_the_store(fleet: Fleet) -> None:
    switch_then_reach(fleet)
    fleet.judge()
    connection = open_published(fleet.data)
    missing = "select * from (select unnest(event_ids) as e from findings) where e not in (select event_id from events)"
    assert ask(connection, "from findings").height
    assert ask(connection, missing).is_empty()


def test_judging_twice_gives_the_same(fleet: Fleet) -> None:
    from baseline.capability import Capabilities
    from detect.run import detect_in

    switch_then_reach(fleet)
    fleet.judge()
    first = (
        ask(open_published(fleet.data), "from findings").to_dicts(),
        ask(open_published(fleet.data), "from cases").to_dicts(),
    )
    detect_in(fleet.data, Capabilities.load())
    assert first == (
        ask(open_published(fleet.data), "from findings").to_dicts(),
        ask(open_published(fleet.data), "from cases").to_dicts(),
    )


# first_privileged_use


def test_the_first_use_of_a_privileged_tool_is_found(fleet: Fleet) -> None:
    fleet.habit("triage", look(), look())
    fleet.session("triage", NEW_DAY, look(), call("delete_bucket", target="b1"))
    detected = fleet.judge()
    assert fired(detected) == ["first_privileged_use"]
    (found,) = detected.found
    assert "0 of 40 sessions" in found.finding.expected
    assert [case.severity for case in detected.cases] == ["medium"], "one property alone is never more"


@pytest.mark.parametrize(
    ("tool", "fields"),
    [("get_ticket", {}), ("update_ticket", {})],
)
def test_the_first_use_of_an_ordinary_tool_is_not(fleet: Fleet, tool: str, fields: dict) -> None:
    fleet.habit("triage", look())
    fleet.session("triage", NEW_DAY, call(tool, **fields))
    assert fired(fleet.judge()) == []


def test_a_first_use_that_a_person_approved_is_quiet(fleet: Fleet) -> None:
    fleet.habit("triage", look())
    fleet.session("triage", NEW_DAY, approval(target="b1"), call("delete_bucket", target="b1"))
    assert fired(fleet.judge()) == []


def test_too_little_history_is_not_judged_and_that_is_said(fleet: Fleet) -> None:
    fleet.habit("triage", look(), days=2, a_day=3)
    fleet.session("triage", NEW_DAY, call("delete_bucket", target="b1"))
    assert fired(fleet.judge()) == []
    told = ask(open_published(fleet.data), "from could_fire where detector = 'first_privileged_use'").to_dicts()
    assert [(row["steps"], row["could_judge"], row["missing"]) for row in told] == [(1, 0, "enough history (1)")]


def test_a_new_version_may_bring_a_new_tool_for_a_day(fleet: Fleet) -> None:
    fleet.habit("triage", look())
    fleet.session("triage", NEW_DAY, call("delete_bucket", target="b1"), agent_version="2")
    detected = fleet.judge()
    (found,) = detected.found
    assert not detected.cases and found.finding.title == "first use of a privileged tool, after an update"
    assert "version 2 is new since 2026-03-09: what is only new counts 30%" in found.finding.expected


def test_a_new_version_is_no_reason_to_act_as_somebody_else(fleet: Fleet) -> None:
    fleet.habit("triage", look(credential_id="AKIAQ7EXAMPLE000OWN"))
    switch = call("create_access_key", target="svc", result=KEY)
    use = call("delete_bucket", target="b1", credential_id="AKIAQ7EXAMPLE00NEWK")
    for day, version, tools in ((NEW_DAY, "2", 0.3), (NEW_DAY + 40, "1", 1.0)):
        fleet.session("triage", day, look(), switch, use, name=f"as {version}", agent_version=version)
        found = {f.detector.name: f for f in fleet.judge().found if f.step.session_id == f"as {version}"}
        assert found["credential_switch_then_new_reach"].finding.share_after_update == 1
        assert found["first_privileged_use"].finding.share_after_update == tools


def test_what_a_new_version_does_only_later_is_found(fleet: Fleet) -> None:
    fleet.habit("triage", look())
    for day in (NEW_DAY, NEW_DAY + 1, NEW_DAY + 2):
        fleet.session("triage", day, look(), agent_version="2")
    fleet.session("triage", NEW_DAY + 3, call("delete_bucket", target="b1"), agent_version="2")
    assert fired(fleet.judge()) == ["first_privileged_use"]


def test_what_the_peers_do_every_day_is_quiet(fleet: Fleet) -> None:
    fleet.habit("triage", look())
    fleet.habit("janitor", call("delete_bucket", target="b1"))
    fleet.session("triage", NEW_DAY, call("delete_bucket", target="b1"))
    assert fired(fleet.judge()) == []


# unlikely_transition_into_privileged_call


def test_a_privileged_call_from_an_unusual_step_is_found_and_raises_no_case(fleet: Fleet) -> None:
    fleet.habit("fw", look(), call("check_exposure", target="h1"), call("modify_firewall_rule", target="h1"), days=14)
    fleet.session("fw", 15, look(), call("modify_firewall_rule", target="h1"))
    detected = fleet.judge()
    assert fired(detected) == ["unlikely_transition_into_privileged_call"]
    assert detected.cases == []


def test_the_usual_order_is_quiet(fleet: Fleet) -> None:
    fleet.habit("fw", look(), call("check_exposure", target="h1"), call("modify_firewall_rule", target="h1"), days=14)
    fleet.session("fw", 15, look(), call("check_exposure", target="h2"), call("modify_firewall_rule", target="h2"))
    assert fired(fleet.judge()) == []


# credential_switch_then_new_reach


def switch_then_reach(fleet: Fleet, *, given_approved: bool = False, target: str = "vault-9", key: str = KEY) -> None:
    fleet.habit(
        "rotator",
        approval(target="svc-1"),
        call("create_access_key", target="svc-1", result='{"AccessKeyId": "AKIAQ7EXAMPLE00USUAL"}'),
    )
    fleet.habit(
        "triage",
        look(credential_id="AKIATRIAGE00EXAMPLE0"),
        call("run_remote_command", target="host-1", credential_id="AKIATRIAGE00EXAMPLE0"),
    )
    yes = [approval(target="svc-2")] if given_approved else []
    fleet.session("rotator", NEW_DAY, *yes, call("create_access_key", target="svc-2", result=key))
    fleet.session(
        "triage",
        NEW_DAY,
        look(),
        call("run_remote_command", target=target, credential_id="AKIAQ7EXAMPLE00NEWK"),
        minute=40,
    )


def test_a_minted_key_used_by_another_agent_on_a_new_target_is_one_clear_case(fleet: Fleet) -> None:
    switch_then_reach(fleet)
    detected = fleet.judge()
    (case,) = detected.cases
    assert [step.tool for step in case.path] == ["create_access_key", "run_remote_command"]
    assert [step.agent_id for step in case.path] == ["rotator", "triage"]
    assert case.worst.detector.name == "credential_switch_then_new_reach"
    assert "given by create_access_key of rotator" in case.worst.finding.observed


def test_a_switch_without_new_reach_is_quiet(fleet: Fleet) -> None:
    switch_then_reach(fleet, target="host-1")
    assert "credential_switch_then_new_reach" not in fired(fleet.judge())


def test_new_reach_without_a_switch_is_quiet(fleet: Fleet) -> None:
    fleet.habit("triage", call("run_remote_command", target="host-1", credential_id="AKIATRIAGE00EXAMPLE0"))
    fleet.session("triage", NEW_DAY, call("run_remote_command", target="vault-9", credential_id="AKIATRIAGE00EXAMPLE0"))
    assert fleet.judge().cases == []


def test_another_agent_may_not_use_even_an_approved_key(fleet: Fleet) -> None:
    switch_then_reach(fleet, given_approved=True)
    assert "credential_switch_then_new_reach" in fired(fleet.judge())


def test_a_key_that_a_tool_manages_is_not_one_that_it_acts_with(fleet: Fleet) -> None:
    switch_then_reach(fleet)
    fleet.steps = fleet.steps[:-2]
    disable = call("disable_access_key", arguments='{"target": "svc-77", "access_key_id": "AKIAQ7EXAMPLE00NEWK"}')
    fleet.session("triage", NEW_DAY, look(), disable, minute=40)
    assert "credential_switch_then_new_reach" not in fired(fleet.judge())


def test_a_key_that_no_log_explains_is_an_unclear_switch(fleet: Fleet) -> None:
    switch_then_reach(fleet, key="{}")
    found = [f for f in fleet.judge().found if f.detector.name == "credential_switch_then_new_reach"]
    assert ["its origin is in no log" in f.finding.observed for f in found] == [True]
    assert found[0].finding.anomaly < 0.9


def test_the_role_that_it_always_assumes_is_quiet_on_a_new_target(fleet: Fleet) -> None:
    for day in range(6):
        for number in range(6):
            key = f"ASIAUSUAL{day}{number}EXAMPLE00"
            fleet.session(
                "cloud", day,
                call("assume_role", target="role/usual", result=f'{{"Credentials": {{"AccessKeyId": "{key}"}}}}'),
                call("put_bucket_policy", target="bucket-1" if day < 5 else f"bucket-new-{number}", credential_id=key),
                minute=number * 30,
            )  # fmt: skip
    assert fleet.judge().cases == []


def test_a_role_chain_into_another_account_is_followed_to_its_start(fleet: Fleet) -> None:
    def assume(role: str, key: str, using: str | None = None) -> dict[str, object]:
        return call("assume_role", target=role, credential_id=using, result=f'{{"AccessKeyId": "{key}"}}')

    for day in range(6):
        for number in range(6):
            key = f"ASIAUSUAL{day}{number}EXAMPLE00"
            fleet.session(
                "cloud",
                day,
                assume("role/usual", key),
                call("put_bucket_policy", target="bucket-1", credential_id=key),
                minute=number * 30,
            )
    fleet.session(
        "cloud", NEW_DAY,
        assume("role/usual", "ASIAFIRSTKEYEXAMPLE0"),
        assume("role/second", "ASIASECONDKEYEXAMPLE", using="ASIAFIRSTKEYEXAMPLE0"),
        assume("role/other-account", "ASIATHIRDKEYEXAMPLE0", using="ASIASECONDKEYEXAMPLE"),
        call("attach_role_policy", target="role/admin", credential_id="ASIATHIRDKEYEXAMPLE0"),
    )  # fmt: skip
    (case,) = fleet.judge().cases
    assert [step.target for step in case.path] == ["role/second", "role/other-account", "role/admin"]


@pytest.mark.parametrize(
    ("yes", "is_quiet"),
    [
        (approval(target="role/new"), True),
        (approval(target="role/elsewhere"), False),
        (approval(target="role/new", approval="denied"), False),
        (approval(target="role/new", approval="automatic", by=None), False),
        (approval(by="cloud", target="role/new"), False),
        (None, False),
    ],
    ids=["approved", "for another target", "denied", "by a policy", "by the agent itself", "none"],
)
def test_only_a_persons_yes_to_just_this_covers_a_new_role(fleet: Fleet, yes, is_quiet: bool) -> None:
    fleet.habit(
        "cloud",
        call("assume_role", target="role/usual", result='{"AccessKeyId": "ASIAUSUALEXAMPLE0000"}'),
        call("put_bucket_policy", target="bucket-1", credential_id="ASIAUSUALEXAMPLE0000"),
    )
    fleet.session(
        "cloud", NEW_DAY, *([yes] if yes else []),
        call("assume_role", target="role/new", result='{"AccessKeyId": "ASIANEWKEYEXAMPLE000"}'),
        call("put_bucket_policy", target="bucket-2", credential_id="ASIANEWKEYEXAMPLE000"),
    )  # fmt: skip
    assert ("credential_switch_then_new_reach" not in fired(fleet.judge())) is is_quiet


# network_path_opened_then_crossed


def crossing(fleet: Fleet, *, approved: bool, target: str = "db-9") -> None:
    fleet.habit("fw", approval(target="db-1"), call("modify_firewall_rule", target="db-1"))
    fleet.habit("triage", look(), call("run_remote_command", target="host-1"), approval="cannot_record")
    yes = [approval(target="db-9")] if approved else []
    fleet.session("fw", NEW_DAY, *yes, call("modify_firewall_rule", arguments='{"firewall": "fw-1", "host": "db-9"}'))
    fleet.session(
        "triage",
        NEW_DAY,
        look(),
        call("run_remote_command", target=target),
        minute=10,
        approval="cannot_record",
    )


def test_a_path_that_one_agent_opens_and_another_crosses_is_one_case(fleet: Fleet) -> None:
    crossing(fleet, approved=False)
    (case,) = fleet.judge().cases
    assert [(s.agent_id, s.tool) for s in case.path] == [
        ("fw", "modify_firewall_rule"),
        ("triage", "run_remote_command"),
    ]


def test_an_approved_opening_is_quiet(fleet: Fleet) -> None:
    crossing(fleet, approved=True)
    assert fleet.judge().cases == []


def test_a_crossing_to_where_the_agent_always_goes_is_quiet(fleet: Fleet) -> None:
    crossing(fleet, approved=False, target="host-1")
    assert "network_path_opened_then_crossed" not in fired(fleet.judge())


@pytest.mark.parametrize(("host", "is_found"), [("runner-7.corp", True), ("runner-8.corp", False)])
def test_whatever_comes_from_the_place_that_a_path_was_opened_for_crosses_it(
    fleet: Fleet, host: str, is_found: bool
) -> None:
    fleet.habit("fw", call("modify_firewall_rule", target="db-1"))
    fleet.habit("loader", look(), source_host=host)
    rule = '{"host": "db-9", "source": "runner-7.corp"}'
    fleet.session("fw", NEW_DAY, call("modify_firewall_rule", arguments=rule))
    fleet.session("loader", NEW_DAY, call("get_rows", target="db-9"), minute=10, source_host=host)
    assert ("network_path_opened_then_crossed" in fired(fleet.judge())) is is_found


# delegation_widens_authority


def delegated(fleet: Fleet, *calls: dict[str, object], scope: str | None) -> None:
    fleet.habit("triage", look())
    handoff = {"kind": "handoff", "tool": None, "target": "triage", "arguments": scope, "agent_id": "boss"}
    fleet.session("triage", NEW_DAY, handoff, *calls)


def test_a_step_outside_the_scope_of_the_hand_off_is_found(fleet: Fleet) -> None:
    delegated(fleet, look(), call("rotate_credentials", target="svc-1"), scope='{"scope": ["read"]}')
    assert "delegation_widens_authority" in fired(fleet.judge())


@pytest.mark.parametrize(
    "scope", ['{"scope": ["read", "credential"]}', '{"allowed_tools": ["rotate_credentials"]}', None]
)
def test_a_step_inside_the_scope_or_without_a_stated_one_is_quiet(fleet: Fleet, scope) -> None:
    delegated(fleet, call("rotate_credentials", target="svc-1"), scope=scope)
    assert "delegation_widens_authority" not in fired(fleet.judge())


def test_a_child_workflow_in_a_session_of_its_own_works_under_its_parents_hand_off(fleet: Fleet) -> None:
    fleet.habit("triage", look())
    handoff = {
        "kind": "handoff",
        "tool": None,
        "target": "triage",
        "arguments": '{"scope": ["read"]}',
        "agent_id": "boss",
    }
    fleet.session("boss", NEW_DAY, handoff, name="parent-1")
    start = {
        "kind": "lifecycle",
        "tool": None,
        "operation": "WorkflowExecutionStarted",
        "arguments": '{"parent_workflow_id": "parent-1"}',
    }
    fleet.session("triage", NEW_DAY, start, call("rotate_credentials", target="svc-1"), minute=1)
    assert "delegation_widens_authority" in fired(fleet.judge())


def test_what_an_agent_never_did_for_this_delegator_is_found_without_a_stated_scope(fleet: Fleet) -> None:
    handoff = {"kind": "handoff", "tool": None, "target": "triage", "agent_id": "boss"}
    fleet.habit("triage", handoff, look(), look())
    fleet.session("triage", NEW_DAY, handoff, look(), call("rotate_credentials", target="svc-1"))
    assert "delegation_widens_authority" in fired(fleet.judge())


# time and learning


def test_a_session_without_a_time_is_judged_by_all_the_others(fleet: Fleet) -> None:
    fleet.habit("triage", look(), look())
    odd = fleet.session("triage", NEW_DAY, look(), call("delete_bucket", target="b1"))
    for step in fleet.steps:
        step.started_at = None
    detected = fleet.judge()
    assert fired(detected) == ["first_privileged_use"]
    assert [f.step.session_id for f in detected.found] == [odd]
    assert "0 of 40 sessions" in detected.found[0].finding.expected


def test_nothing_is_learnt_from_the_sessions_of_a_case(fleet: Fleet) -> None:
    fleet.habit("triage", look())
    for day in range(NEW_DAY, NEW_DAY + 5):
        fleet.session("triage", day, look(), call("delete_bucket", target="b1"))
    detected = fleet.judge()
    assert len(detected.cases) == 5, "a second offence is as new as the first"


def test_a_broken_detector_is_reported_and_the_rest_still_run(fleet: Fleet, monkeypatch) -> None:
    from detect import run
    from detect.detectors import Detector

    def broken(step, facts, history: History):
        raise KeyError("a fault in the detector")

    broken_one = Detector("broken_one", "", broken, (), (), "movement")
    monkeypatch.setattr(run, "all_detectors", lambda: (broken_one, *all_detectors()))
    fleet.habit("triage", look())
    fleet.session("triage", NEW_DAY, call("delete_bucket", target="b1"))
    detected = fleet.judge()
    assert list(detected.failed) == ["broken_one"]
    assert "KeyError" in detected.failed["broken_one"]
    assert len(detected.cases) == 1
    assert ask(open_published(fleet.data), "from failed").height == 1


def test_a_tool_that_no_rule_knows_is_listed(fleet: Fleet) -> None:
    fleet.session("triage", 0, call("frobnicate"), call("frobnicate"))
    fleet.judge()
    assert ask(open_published(fleet.data), "from unmatched").to_dicts() == [
        {"tool": "frobnicate", "agent_id": "triage", "steps": 2, "classed_as": None, "shown_by": None}
    ]
