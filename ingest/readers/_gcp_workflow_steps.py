"""Cloud Workflows from the inside: calls from the call log (`engine_call`), step entries of the executions API.

A call's begin and end are records of their own that share the execution, the step and the start time.
Sources: google.cloud.workflows.type.EngineCallLog, workflowexecutions v1 StepEntry.
"""

from __future__ import annotations

import re
from typing import Final

from ingest.arguments import named_in
from ingest.event import Observation, Status, identify
from ingest.payloads import as_text, text, value_of
from ingest.readers._chat_values import Members
from ingest.readers._gcp_audit_facts import inside
from ingest.records import Record
from ingest.times import moment

STEP_ENTRY: Final = re.compile(r"(?:.*/)?workflows/([^/]+)/executions/([^/]+)/stepEntries/(\d+)")
_STATES: Final[dict[str, Status]] = {
    "BEGUN": "pending", "SUCCEEDED": "ok", "EXCEPTION_RAISED": "error", "EXCEPTION_HANDLED": "error",
    "STATE_IN_PROGRESS": "pending", "STATE_SUCCEEDED": "ok", "STATE_FAILED": "error", "STATE_CANCELLED": "error",
}  # fmt: skip
_CALLS: Final = ("STEP_CALL", "STEP_STD_LIB_CALL", "STEP_CONNECTOR_CALL")


def execution_trace(workflow: str | None, execution: str | None, otherwise: str) -> str:
    """The trace of one execution, whichever log tells of it."""
    return identify("gcp_audit", "execution", workflow, execution or otherwise)


def engine_call(record: Record, members: Members, said: Members) -> Observation:
    """What one record of the call log says of a call: its arguments, or its outcome."""
    workflow = text(inside(inside(members, "resource"), "labels").get("workflow_id"))
    execution = text(said.get("executionId")) or text(
        inside(members, "labels").get("workflows.googleapis.com/execution_id")
    )
    trace = execution_trace(workflow, execution, record.sha256)
    state = text(said.get("state")) or ""
    ended = next((inside(said, key) for key in ("succeeded", "exceptionRaised", "exceptionHandled") if key in said), {})
    at = moment(said.get("activityTime")) or moment(members.get("timestamp"))
    started_at = moment(ended.get("callStartTime")) if ended else at
    step, callee = text(said.get("step")), text(said.get("callee"))
    call = _step(record, trace, workflow, execution, identify(trace, "call", step, callee, started_at))
    call.kind, call.operation, call.tool = "tool_call", state or "engine_call", callee or step
    call.started_at, call.ended_at = started_at, at if ended else None
    call.status = _STATES.get(state, "unknown")
    call.approval = "cannot_record"
    begun = inside(said, "begun")
    given = begun.get("namedArgs") or [
        part.get("argument") for part in _objects(begun.get("args")) if part.get("argument") is not None
    ]
    call.arguments = as_text(given) if given else None
    named = named_in(call.arguments)
    call.target, call.credential_id, call.principal = named.target, named.credential_id, named.principal
    call.result, call.error = _payload(ended.get("response")), text(ended.get("exception"))
    return call


def step_entry(record: Record, members: Members, found: re.Match[str]) -> Observation:
    """A step entry: which step ran, when, with what outcome; neither callee nor arguments are in it."""
    workflow, execution, number = found.groups()
    trace = execution_trace(workflow, execution, record.sha256)
    step = _step(record, trace, workflow, execution, identify(trace, "step", number))
    step.operation = text(members.get("stepType")) or "step"
    step.sequence = int(number) if len(number) < 18 else None
    step.started_at = moment(members.get("createTime"))
    step.status = _STATES.get(text(members.get("state")) or "", "unknown")
    step.ended_at = moment(members.get("updateTime")) if step.status != "pending" else None
    step.error = text(inside(members, "exception").get("payload"))
    variables = inside(members, "variableData").get("variables")
    name = ".".join(filter(None, (text(members.get("routine")), text(members.get("step")))))
    step.arguments = as_text({"step": name, **({"variables": variables} if variables else {})})
    if step.operation in _CALLS:
        step.kind, step.tool, step.approval = "tool_call", text(members.get("step")) or name, "cannot_record"
        step.gap = "what was called, and with what, is in the call log alone"
    return step


def _step(record: Record, trace: str, workflow: str | None, execution: str | None, event_id: str) -> Observation:
    return Observation(
        event_id=event_id,
        trace_id=trace,
        kind="lifecycle",
        operation="step",
        session_id=execution or trace,
        agent_id=workflow,
        service="workflows.googleapis.com",
        source=record.source,
        source_sha256=record.sha256,
        witness="log",
    )


def _objects(value: object) -> list[Members]:
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def _payload(value: object) -> str | None:
    if value is None or value == "":
        return None
    return value if isinstance(value, str) and value_of(value) is not None else as_text(value)
