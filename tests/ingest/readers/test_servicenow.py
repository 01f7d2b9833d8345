"""ServiceNow: rows of plans, tasks, tools and messages; what the user answered to a supervised step."""

from __future__ import annotations

from typing import Any

from mutated import claimed_by, only, read_lines, told, withstands

from ingest.readers.servicenow import servicenow


def ref(value: str, name: str | None = None) -> dict[str, str]:
    return {"value": value, "display_value": name or value}


def row(table: str, sys_id: str, **more: object) -> dict[str, Any]:
    return {"sys_class_name": ref(table), "sys_id": ref(sys_id), "sys_created_on": ref("2026-02-01 10:00:00"), **more}


PLAN = row(
    "sn_aia_execution_plan",
    "p1",
    objective=ref("Reset the account"),
    agent=ref("a1", "Reset agent"),
    state=ref("completed", "Completed"),
)
IN_PLAN = {"execution_plan": ref("p1"), "agent": ref("a1", "Reset agent")}
TOOL = row("sn_aia_tools_execution", "x1", tool=ref("t1", "Reset password"), inputs=ref('{"username":"sam"}'),
           outputs=ref("done"), state=ref("completed"), execution_mode=ref("supervised"), approval_status=ref("approved"),
           approved_by=ref("u1", "Kim"), **IN_PLAN)  # fmt: skip
ANSWER = {"result": [PLAN, TOOL, row("sn_aia_message", "m1", role=ref("user"), message=ref("please"), **IN_PLAN)]}
EVALUATION = {"output": {"payload": {
    "executionInputs": {"objective": "Reset"}, "executionOutputs": {"answer": "done"},
    "executionPlanDetails": {"sysId": "p2", "agentName": "Reset agent", "steps": [{"toolName": "Reset", "toolInputs": {"username": "sam"}}]},
    "executionMessages": [{"role": "user", "content": "please"}, {"role": "assistant", "content": "done"}],
}}}  # fmt: skip


def units(lines: list[Any]) -> int:
    """Rows of an answer, messages of an evaluation and its run; otherwise the line itself."""
    total = 0
    for line in lines:
        if isinstance(line, dict) and (payload := evaluation_of(line)) is not None:
            held = payload.get("executionMessages")
            total += 1 + (len(held) if isinstance(held, list) else 0)
            continue
        rows = (
            next((line[key] for key in ("result", "records") if key in line), line) if isinstance(line, dict) else line
        )
        total += max(1, len(rows)) if isinstance(rows, list) else 1
    return total


def evaluation_of(line: dict[str, Any]) -> dict[str, Any] | None:
    output = line.get("output")
    found = [output.get("payload") if isinstance(output, dict) else None, line.get("payload"), line]
    keys = {"executionPlanDetails", "executionMessages", "executionInputs", "executionOutputs"}
    return next((p for p in found if isinstance(p, dict) and len(keys & p.keys()) > 1), None)


def test_rows_of_one_plan_are_one_trace() -> None:
    assert servicenow.claims(ANSWER)
    assert claimed_by(servicenow) == set()
    outcome = read_lines(servicenow, ANSWER)
    assert told(outcome) == 3
    assert {o.trace_id for o in outcome[0]} == {"p1"}
    call = only(outcome, kind="tool_call")
    assert (call.tool, call.agent_id, call.target, call.status) == ("Reset password", "Reset agent", "sam", "ok")
    assert call.parent_event_id == only(outcome, operation="execution_plan").event_id


def test_a_supervised_step_has_its_users_answer() -> None:
    decision = only(read_lines(servicenow, ANSWER), kind="approval")
    assert (decision.approval, decision.approver, decision.tool) == ("approved", "Kim", "Reset password")


def test_an_autonomous_step_is_automatic_and_a_silent_one_not_recorded() -> None:
    for mode, approval in (("autonomous", "automatic"), ("supervised", "not_recorded")):
        silent = {**TOOL, "execution_mode": mode, "approval_status": ""}
        assert only(read_lines(servicenow, {"result": [silent]}), kind="tool_call").approval == approval


def test_an_evaluation_document_is_one_run_in_its_lists_order() -> None:
    assert servicenow.claims(EVALUATION)
    outcome = read_lines(servicenow, EVALUATION)
    assert told(outcome) == units([EVALUATION]) == 3
    assert only(outcome, kind="tool_call").target == "sam"
    assert only(outcome, kind="message").trace_id == "p2"


def test_rows_a_line_are_read_too() -> None:
    assert servicenow.claims(TOOL)
    assert told(read_lines(servicenow, PLAN, TOOL)) == 2


def test_mutated_rows_never_raise_and_stay_accounted_for() -> None:
    withstands(servicenow, [[ANSWER], [EVALUATION], [PLAN, TOOL]], units)
