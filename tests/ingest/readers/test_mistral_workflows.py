"""Mistral Workflows: a task's events are one step, a child workflow a handoff, a sealed payload stays sealed."""

from __future__ import annotations

from typing import Any

from export_checks import accounted, line_each, never_raises, read

from ingest.event import Observation
from ingest.load import choose_reader
from ingest.readers.mistral_workflows import mistral_workflows


def event(number: int, kind: str, run: str = "w1", above: str | None = None, **attributes: Any) -> dict[str, Any]:
    return {
        "event_id": f"e{number}", "event_timestamp": 1_800_000_000_000_000_000 + number, "event_type": kind,
        "root_workflow_exec_id": "w1", "parent_workflow_exec_id": above, "workflow_exec_id": run,
        "workflow_run_id": f"{run}-run", "workflow_name": f"flow-{run}", "attributes": attributes,
    }  # fmt: skip


def payload(value: Any, *options: str) -> dict[str, Any]:
    return {"type": "json", "value": value, "encoding_options": list(options)}


OWN = [
    event(1, "WORKFLOW_EXECUTION_STARTED", task_id="x", workflow_name="flow-w1", input=payload({"q": 1})),
    event(2, "ACTIVITY_TASK_STARTED", task_id="a1", activity_name="wipe", input=payload({"host": "h1"})),
    event(3, "ACTIVITY_TASK_RETRYING", task_id="a1", activity_name="wipe", attempt=1, failure={"message": "busy"}),
    event(4, "ACTIVITY_TASK_COMPLETED", task_id="a1", activity_name="wipe", result=payload({"ok": True})),
    event(5, "CUSTOM_TASK_STARTED", custom_task_id="c1", custom_task_type="llm_call", payload=payload({"p": 1})),
    event(6, "CUSTOM_TASK_IN_PROGRESS", custom_task_id="c1", custom_task_type="llm_call", payload=payload("..")),
    event(7, "CUSTOM_TASK_COMPLETED", custom_task_id="c1", custom_task_type="llm_call", payload=payload({"a": 1})),
    event(8, "WORKFLOW_EXECUTION_STARTED", "w2", "w1", input=payload("c2VhbGVk", "encrypted")),
    event(9, "ACTIVITY_TASK_STARTED", "w2", "w1", task_id="a1", activity_name="read", input=payload("c2E=", "encrypted")),
    event(10, "ACTIVITY_TASK_FAILED", "w2", "w1", task_id="a1", activity_name="read", attempt=3, failure={"message": "no"}),
    event(11, "WORKFLOW_EXECUTION_FAILED", "w2", "w1", failure={"message": "child failed"}),
    event(12, "WORKFLOW_EXECUTION_COMPLETED", result=payload("fine")),
]  # fmt: skip


def steps(*events: Any) -> list[Observation]:
    observations, rejected = read(mistral_workflows, *events)
    assert not rejected
    return observations


def test_a_tasks_events_are_one_step() -> None:
    run, wipe, model, *_ = steps(*OWN)
    assert (run.kind, run.status, run.records, run.result) == ("lifecycle", "ok", 2, '"fine"')
    assert (wipe.kind, wipe.tool, wipe.target, wipe.records) == ("tool_call", "wipe", "h1", 3)
    assert (wipe.status, wipe.result, wipe.error) == ("ok", '{"ok":true}', None)
    assert (wipe.approval, wipe.parent_event_id) == ("cannot_record", run.event_id)
    assert wipe.started_at == 1_800_000_000_000_000_002
    assert (model.kind, model.records, model.result) == ("model_call", 3, '{"a":1}')


def test_a_child_workflow_is_a_handoff_of_its_parent() -> None:
    run, *_, child, read_step = steps(*OWN)
    assert (child.kind, child.agent_id, child.target) == ("handoff", "flow-w1", "flow-w2")
    assert child.parent_event_id == run.event_id and child.trace_id == run.trace_id == "w1"
    assert (child.status, child.error) == ("error", "child failed")
    assert (read_step.agent_id, read_step.error) == ("flow-w2", "attempt 3: no")


def test_a_sealed_payload_is_a_gap_with_its_size() -> None:
    *_, read_step = steps(*OWN)
    assert read_step.arguments == '"[encrypted: 4 characters]"' and read_step.gap == "arguments encrypted"


def test_pages_and_streamed_lines_read_the_same_in_any_order() -> None:
    lines = {o.event_id: o for o in steps(*OWN)}
    page = {o.event_id: o for o in steps({"events": list(reversed(OWN)), "next_cursor": None})}
    stream = {o.event_id: o for o in steps(*({"stream": "x", "broker_sequence": 1, "data": e} for e in OWN))}
    shown = ("tool", "status", "started_at", "ended_at", "result", "records", "parent_event_id", "target")
    for other in (page, stream):
        assert {k: [getattr(o, n) for n in shown] for k, o in lines.items()} == {
            k: [getattr(o, n) for n in shown] for k, o in other.items()
        }


def test_a_task_without_an_end_is_pending_and_one_without_a_start_says_so() -> None:
    (open_one,) = steps(OWN[1])
    assert open_one.status == "pending"
    (late,) = steps(OWN[3])
    assert late.gap == "the task's start is not in this export" and late.status == "ok"


def test_only_mistral_workflows_claims_them() -> None:
    for first in (OWN[0], OWN, {"events": OWN}, {"stream": "x", "data": OWN[1]}):
        assert choose_reader(first).name == "mistral_workflows"


def test_what_is_no_event_is_rejected() -> None:
    _, rejected = read(mistral_workflows, {"event_type": "OTHER", "workflow_exec_id": "w"}, {"events": []})
    assert [r.line for r in rejected] == [1, 2]


def test_mutated_events_never_raise() -> None:
    never_raises(mistral_workflows, OWN, line_each)
    observations, rejected = read(mistral_workflows, *OWN, *OWN)
    assert accounted(observations, rejected) == 24
