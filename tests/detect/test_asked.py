"""People who are asked by a tool, and what speaks for a step: a change that is for it, a person who asked for it."""

from __future__ import annotations

import json

import pytest
from fleets import Fleet, approval, call

from detect.asked import as_decision
from detect.cases import Found
from detect.changes import change_of
from detect.run import Detected
from detect.step import Step

DAY = 7
HABIT = (call("describe_rules", target="fw-edge-1"),)


def step_of(**fields: object) -> Step:
    said = dict.fromkeys(Step.__struct_fields__) | {
        "kind": "tool_call",
        "gives": False,
        "is_sure": True,
        "status": "ok",
    }
    return Step(**(said | fields))  # type: ignore[arg-type]


def asks(tool: str, result: object, **details: object) -> dict[str, object]:
    said = json.dumps({"action": "modify_firewall_rule", "details": details})
    return call(tool, target=None, approval="cannot_record", arguments=said,
                result=result if isinstance(result, str) else json.dumps(result))  # fmt: skip


def worst(detected: Detected) -> Found:
    assert not detected.failed
    return max((f for f in detected.found if f.step.session_id == "s"), key=lambda f: f.evidence)


# as_decision


@pytest.mark.parametrize(
    ("tool", "result", "decided"),
    [
        ("request_approval", {"decision": "approved", "by": "ana@shop.example"}, ("approved", "ana@shop.example")),
        ("ask_human", {"approved": False, "approver": "ben"}, ("denied", "ben")),
        ("HumanInTheLoop", "Yes, go ahead", ("approved", None)),
        ("slack__approval", {"status": "pending"}, None),
        ("request_approval", {"id": "req-7"}, None),
        ("request_permission", {"status": "approved"}, None),
        ("ask_permission", {"status": "approved", "by": "ana"}, ("approved", "ana")),
        ("list_users", {"status": "approved", "by": "ana"}, None),
        ("approve_change", {"status": "approved", "by": "ana"}, None),
        ("create_approval_policy", {"status": "approved"}, None),
        ("desk.officer.ask", {"answer": "approved", "answered_by": "ana"}, ("approved", "ana")),
        ("knock", {"answer": "yes", "answered_by": "ana"}, ("approved", "ana")),
        ("knock", {"answer": "yes"}, None),
        ("task_owner", {"status": "approved"}, None),
        ("call_tool", {"status": "accepted", "approved_by": "ana"}, None),
        ("grant_access", {"granted": True, "granted_by": "ana"}, None),
        ("delete_task_operator", {"status": "ok"}, None),
    ],
)
def test_what_a_person_who_was_asked_said(tool: str, result: object, decided: tuple[str, str | None] | None) -> None:
    told = result if isinstance(result, str) else json.dumps(result)
    arguments = '{"action": "restart", "details": {"host": "web-1"}}'
    step = as_decision(step_of(tool=tool, arguments=arguments, result=told))
    if decided is None:
        assert step.kind == "tool_call"
        assert (step.capability == "read") is (tool in ("slack__approval", "request_approval", "request_permission"))
    else:
        assert (step.kind, step.tool, step.target) == ("approval", "restart", "web-1")
        assert (step.approval, step.approver) == decided


@pytest.mark.parametrize(
    ("answer", "covered", "state"),
    [({"decision": "approved", "by": "ana"}, True, None),
     ({"decision": "denied", "by": "ana"}, False, "although it was denied"),
     ({"decision": "approved", "by": "changer"}, False, "approved by the agent itself")],
)  # fmt: skip
def test_a_yes_that_a_tool_brought_covers_the_step(
    fleet: Fleet, answer: object, covered: bool, state: str | None
) -> None:
    fleet.habit("changer", *HABIT, approval="cannot_record")
    does = call("modify_firewall_rule", target="fw-edge-9", approval="cannot_record")
    fleet.session("changer", DAY, asks("request_approval", answer, target="fw-edge-9"), does, name="s")
    found = [f for f in fleet.judge().found if f.step.session_id == "s" and f.step.kind == "tool_call"]
    assert (not [f for f in found if f.detector.shows == "movement"]) is covered
    assert state is None or any(state in f.finding.observed for f in found)


def test_an_agent_that_asks_by_a_tool_can_be_seen_not_to_ask(fleet: Fleet) -> None:
    yes = {"decision": "approved", "by": "ana"}
    does = call("modify_firewall_rule", target="fw-edge-1", approval="cannot_record")
    fleet.habit("changer", asks("request_approval", yes, target="fw-edge-1"), does)
    fleet.session("changer", DAY, does, name="s")
    assert "usual_approval_missing" in {f.detector.name for f in fleet.judge().found}


# changes


RECORD = {
    "number": "CHG7001", "state": "approved", "implementers": ["changer", "second"],
    "configuration_items": ["fw-edge-9"], "window": ["2026-03-09T06:00:00Z", "2026-03-09T18:00:00Z"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "is_for"),
    [
        ({}, True),
        ({"configuration_items": ["fw-edge-2"]}, False),
        ({"configuration_items": []}, True),
        ({"implementers": ["second"]}, False),
        ({"implementers": ["a person of no log"]}, True),
        ({"window": ["2026-03-01T06:00:00Z", "2026-03-02T18:00:00Z"]}, False),
        ({"window": "06:00-18:00"}, True),
        ({"window": "2026-03-09T06:00:00Z/2026-03-09T18:00:00Z"}, True),
        ({"window": "2026-03-01T06:00:00Z/2026-03-02T18:00:00Z"}, False),
    ],
)
def test_a_change_is_for_whom_what_and_when_it_says(changed: dict[str, object], is_for: bool) -> None:
    change = change_of("CHG7001", "approved", json.dumps(RECORD | changed))
    step = step_of(agent_id="changer", target="fw-edge-9", at_ns=1773043200 * 1_000_000_000, arguments=None)
    assert change.is_for(step, {"changer", "second"}) is is_for


def excused(fleet: Fleet, record: dict[str, object] | None, request: str = "look at the rules") -> float:
    """How much is left of the evidence of a rule that the agent never changed."""
    fleet.habit("changer", *HABIT)
    fleet.habit("second", *HABIT)
    asked = {"kind": "lifecycle", "tool": None, "operation": "invoke_agent", "arguments": json.dumps([{"role": "user", "content": request}])}  # fmt: skip
    looked = call("get_change", target=None, arguments='{"number": "CHG7001"}', result=json.dumps(record or {}))
    does = call("modify_firewall_rule", target="fw-edge-9")
    fleet.session("changer", DAY, asked, *([looked] if record else []), does, name="s")
    return worst(fleet.judge()).finding.share_after_excuse


def test_a_change_that_names_the_thing_excuses_and_one_for_another_does_not(fleet: Fleet, tmp_path) -> None:
    assert excused(fleet, RECORD) < 1
    assert excused(Fleet(tmp_path / "none"), None) == 1
    assert excused(Fleet(tmp_path / "other"), RECORD | {"configuration_items": ["fw-edge-2"]}) == 1
    assert excused(Fleet(tmp_path / "whose"), RECORD | {"implementers": ["second"]}) == 1


@pytest.mark.parametrize(
    ("changed", "is_excused"),
    [({}, True), ({"affected": ["fw-edge-2"]}, False), ({"commander": None}, False), ({"state": "resolved"}, False)],
    ids=["names it", "names another", "nobody leads it", "is over"],
)
def test_an_incident_with_a_lead_speaks_for_work_on_what_it_names(
    fleet: Fleet, changed: dict[str, object], is_excused: bool
) -> None:
    record = {"id": "CHG7001", "state": "open", "commander": "ana@shop.example", "affected": ["fw-edge-9"]} | changed
    assert (excused(fleet, {k: v for k, v in record.items() if v is not None}) < 1) is is_excused


def test_what_the_person_asked_for_by_name_is_excused(fleet: Fleet, tmp_path) -> None:
    assert excused(fleet, None, "please open 443 on fw-edge-9") < 1
    assert excused(Fleet(tmp_path / "other"), None, "please look at fw-edge-2") == 1


@pytest.mark.parametrize(
    ("record", "cites", "is_found"),
    [
        (RECORD, True, False),
        (RECORD | {"configuration_items": ["fw-edge-2"]}, True, True),
        (RECORD | {"configuration_items": ["fw-edge-2"]}, False, True),
        (RECORD | {"configuration_items": ["vault-2"]}, False, False),
        (RECORD | {"implementers": ["second"]}, True, True),
        (RECORD | {"state": "draft"}, False, True),
        (RECORD | {"configuration_items": []}, True, False),
    ],
    ids=[
        "for this",
        "for another",
        "only looked up",
        "for another kind",
        "for another agent",
        "a draft",
        "says little",
    ],
)
def test_a_step_that_rests_on_a_change_for_something_else(
    fleet: Fleet, record: dict[str, object], cites: bool, is_found: bool
) -> None:
    """For five days each change was for just what was done."""
    looked = call("get_change", target=None, arguments='{"number": "CHG7001"}')
    cited = json.dumps({"ticket": "CHG7001"})
    fleet.habit("second", *HABIT)
    usual = RECORD | {"configuration_items": ["fw-edge-1"], "window": None}
    rule = call("modify_firewall_rule", arguments=cited)
    fleet.habit("changer", looked | {"result": json.dumps(usual)}, rule | {"target": "fw-edge-1"})
    last = rule if cites else rule | {"arguments": None}
    fleet.session("changer", DAY, looked | {"result": json.dumps(record)}, last | {"target": "fw-edge-9"}, name="s")
    found = [f.step.session_id for f in fleet.judge().found if f.detector.name == "change_is_for_something_else"]
    assert found == (["s"] if is_found else [])


def told(agent: str, text: str) -> dict[str, object]:
    said = json.dumps([{"role": "user", "content": text}])
    return {"kind": "lifecycle", "tool": None, "operation": "invoke_agent", "agent_id": agent, "arguments": said}


def rule(target: str) -> dict[str, object]:
    return call("modify_firewall_rule", target=target, agent_id="changer")


def test_what_a_parent_tells_its_child_is_no_request_of_a_person(fleet: Fleet) -> None:
    fleet.habit("changer", *HABIT)
    fleet.habit("parent", *HABIT)
    fleet.session("parent", DAY, told("parent", "look around"), told("changer", "open fw-edge-9"), rule("fw-edge-9"), name="s")  # fmt: skip
    assert worst(fleet.judge()).finding.share_after_excuse == 1


def test_to_ask_for_something_is_not_to_do_it(fleet: Fleet) -> None:
    fleet.habit("changer", *HABIT)
    fleet.session("changer", DAY, *HABIT, asks("request_approval", {"requested": True}, host="db-9", rule="r-1"))
    assert not fleet.judge().found


def test_what_its_name_says_that_it_does_is_no_asking() -> None:
    step = as_decision(step_of(tool="update_request_permissions", capability="permission", arguments="{}"))
    assert step.capability == "permission"


# order_that_nobody_had_given


@pytest.mark.parametrize(
    ("asked", "ordered_before", "is_found"),
    [
        ("look around", "open fw-edge-1, as the plan says", True),
        ("please open fw-edge-9", "open fw-edge-1, as the plan says", False),
        ("look around", None, False),
    ],
)
def test_an_order_for_what_the_person_did_not_name(
    fleet: Fleet, asked: str, ordered_before: str | None, is_found: bool
) -> None:
    """Before that day the person named each target, or (None) the parent always decided on it."""
    for day in range(5):
        for minute in range(8):
            order = ordered_before or "open fw-edge-1"
            first = told("parent", "open fw-edge-1" if ordered_before else "look around")
            fleet.session("parent", day, first, told("changer", order), rule("fw-edge-1"), minute=minute * 30)
    fleet.session("parent", DAY, told("parent", asked), told("changer", "open fw-edge-9"), rule("fw-edge-9"), name="s")
    found = [f for f in fleet.judge().found if f.detector.name == "order_that_nobody_had_given"]
    assert (["s"] if is_found else []) == [f.step.session_id for f in found]


@pytest.mark.parametrize(("tool", "is_found"), [("disable_sensor", True), ("run_remote_command", False)])
def test_an_order_that_impairs_a_defence_where_the_agent_always_works(fleet: Fleet, tool: str, is_found: bool) -> None:
    for day in range(5):
        for minute in range(8):
            asked = (told("parent", "do it on host-1"), told("changer", "do it on host-1"))
            fleet.session(
                "parent",
                day,
                *asked,
                approval(target="host-1", agent_id="changer"),
                call(tool, target="host-1", agent_id="changer"),
                minute=minute * 30,
            )
    order = told("changer", "do it on host-1")
    fleet.session(
        "parent", DAY, told("parent", "look around"), order, call(tool, target="host-1", agent_id="changer"), name="s"
    )
    found = [f for f in fleet.judge().found if f.detector.name == "order_that_nobody_had_given"]
    assert (["s"] if is_found else []) == [f.step.session_id for f in found]
