"""Google Cloud audit logs: what an identity did in the cloud, and Cloud Workflows executions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

import msgspec

from ingest.decisions import decision
from ingest.event import Observation, Rejected, Status, identify
from ingest.payloads import as_text, text, value_of
from ingest.readers import reader
from ingest.readers._gcp_audit_facts import (
    answered,
    asked,
    host_of,
    human_behind,
    inside,
    is_human,
    is_model_call,
    key_of,
    outcome,
    plain,
    principal_of,
    target_of,
    tool_of,
)
from ingest.readers._gcp_audit_shape import Entry, claims, entries
from ingest.readers._gcp_workflow_steps import engine_call, execution_trace, step_entry
from ingest.records import Record
from ingest.times import moment

_EXECUTION: Final = re.compile(r".*/workflows/([^/]+)/executions/([^/]+)(?:/.*)?")
_CALLBACK: Final = re.compile(r".*SendHttpCallback$")
_STATES: Final[dict[str, Status]] = {"ACTIVE": "pending", "QUEUED": "pending", "SUCCEEDED": "ok"}
_canonical: Final = msgspec.json.Encoder(order="deterministic").encode


@reader(claims=claims)
def gcp_audit(records: Iterable[Record]) -> Iterator[Observation | Rejected]:
    """Google Cloud audit logs (activity, data access, system event, policy denied) and Workflows executions.

    Of Workflows: executions, the call log, the step entries of the executions API, and callbacks as approvals.
    One call is one step; the entries of a long-running operation, first and last, are one. The agent is the
    principal. A session is one principal's day: the log knows of no run, and whatever is narrower (a caller's
    address, a command) breaks up what one agent did towards one goal.
    """
    running: dict[str, Observation] = {}
    for entry in entries(records):
        if isinstance(entry, Rejected):
            yield entry
            continue
        step = _inside_workflow(entry) or (_execution(entry) if entry.is_execution else _call(entry))
        if entry.is_engine_call or _is_one_of_several(entry):
            _join(running, step)
        else:
            yield step
    yield from running.values()


def _inside_workflow(entry: Entry) -> Observation | None:
    """A call or a step inside of a workflow's execution."""
    if entry.is_engine_call:
        return engine_call(entry.record, entry.members, inside(entry.members, "jsonPayload"))
    found = entry.step_entry
    return step_entry(entry.record, entry.members, found) if found is not None else None


def _call(entry: Entry) -> Observation:
    payload, log = entry.payload, entry.log
    principal, human = principal_of(payload), human_behind(payload)
    host, gap = host_of(payload)
    at = moment(entry.get("timestamp"))
    received = moment(entry.get("receiveTimestamp"))
    operation, started = inside(entry.members, "operation"), at if at is not None else received
    if _is_one_of_several(entry):
        event_id = identify("gcp_audit", "operation", text(operation.get("producer")), text(operation.get("id")))
    else:
        event_id = _identity(entry, log, at)
    day = f"{datetime.fromtimestamp(started / 1e9, UTC):%Y-%m-%d}" if started is not None else None
    who = principal or plain(human)
    step = Observation(
        event_id=event_id,
        trace_id=event_id,
        kind="model_call" if is_model_call(payload) else "tool_call",
        operation=text(payload.get("methodName")) or "audit",
        session_id=f"{who} {day}" if who and day else None,
        agent_id=principal,
        service=text(payload.get("serviceName")),
        started_at=started,
        tool=tool_of(payload),
        arguments=asked(payload),
        result=answered(payload),
        principal=principal,
        credential_id=key_of(payload),
        on_behalf_of=human,
        source_host=host,
        target=target_of(payload),
        gap=gap,
        source=entry.record.source,
        source_sha256=entry.record.sha256,
        witness="log",
    )
    step.status, step.error = outcome(payload, log)
    if step.kind == "model_call":
        step.model, step.tool = text(inside(payload, "response").get("modelVersion")) or _last(step.target), None
        usage = inside(inside(payload, "response"), "usageMetadata")
        step.input_tokens, step.output_tokens = (
            _count(usage.get("promptTokenCount")),
            _count(usage.get("candidatesTokenCount")),
        )
    elif step.tool is None:
        step.kind, step.gap = "lifecycle", "the entry names no method"
    elif log.endswith("cloudaudit.googleapis.com/system_event"):
        # Google's own doing, such as moving a machine: no identity of the customer called it.
        step.kind = "lifecycle"
    else:
        step.approval = "cannot_record"
    if step.kind == "tool_call" and (found := _EXECUTION.fullmatch(step.target or "")):
        _in_workflow(step, found, principal)
    if _is_one_of_several(entry):
        _place(step, entry, at)
    return step


def _in_workflow(step: Observation, found: re.Match[str], principal: str | None) -> None:
    """A call on a workflow's execution belongs to it; a callback sent to it is somebody's decision."""
    if not _CALLBACK.fullmatch(step.operation):
        return
    step.kind, step.agent_id, step.session_id = "approval", found[1], found[2]
    step.trace_id = execution_trace(found[1], found[2], "")
    step.tool, step.approver = None, principal
    decided = decision("", [text_ for text_ in (step.arguments,) if text_], None)
    step.approval = decided.approval
    if step.status == "denied":
        # The one who called was turned away: nothing was decided.
        step.approval = "not_recorded"
    elif step.approval == "not_recorded":
        step.gap = "the callback's content is not in the audit log"
    elif step.approval == "approved" and not is_human(principal):
        step.approval = "automatic"
    elif step.approval == "denied":
        step.status = "denied"


def _execution(entry: Entry) -> Observation:
    """A Workflows execution: its start and its end are one step."""
    said, labels = inside(entry.members, "jsonPayload"), inside(entry.members, "labels")
    workflow = text(inside(inside(entry.members, "resource"), "labels").get("workflow_id"))
    execution = text(labels.get("workflows.googleapis.com/execution_id"))
    trace = execution_trace(workflow, execution, entry.record.sha256)
    state = text(said.get("state")) or "unknown"
    at = moment(said.get("activityTime"))
    at = at if at is not None else moment(entry.get("timestamp"))
    step = Observation(
        event_id=identify(trace, "run"),
        trace_id=trace,
        kind="lifecycle",
        operation="execution",
        session_id=execution or trace,
        agent_id=workflow,
        agent_version=text(labels.get("workflows.googleapis.com/revision_id")),
        service="workflows.googleapis.com",
        status=_STATES.get(state, "unknown" if state == "unknown" else "error"),
        source=entry.record.source,
        source_sha256=entry.record.sha256,
        witness="log",
    )
    failure = inside(said, "failure")
    if step.status == "pending":
        step.started_at = at
        argument = inside(said, "start").get("argument")
        step.arguments = _payload(argument)
    else:
        step.ended_at = at
        step.result = _payload(inside(said, "success").get("result"))
        step.error = (text(failure.get("exception")) or state.lower()) if step.status == "error" else None
    return step


def _payload(value: object) -> str | None:
    if value is None or value == "":
        return None
    return value if isinstance(value, str) and value_of(value) is not None else as_text(value)


def _is_one_of_several(entry: Entry) -> bool:
    """An entry of a long-running operation, which has one at its start and one at its end."""
    if entry.is_execution:
        return True
    operation = inside(entry.members, "operation")
    if text(operation.get("id")) is None:
        return False
    return (operation.get("first") is True) != (operation.get("last") is True)


def _place(step: Observation, entry: Entry, at: int | None) -> None:
    """What the entry at an operation's start or end says of its time and outcome."""
    operation = inside(entry.members, "operation")
    if operation.get("last") is True:
        step.ended_at = at
        response = inside(entry.payload, "response")
        stats = inside(inside(inside(inside(entry.payload, "metadata"), "jobChange"), "job"), "jobStats")
        stated = (
            response.get("insertTime"),
            response.get("startTime"),
            stats.get("createTime"),
            stats.get("startTime"),
        )
        step.started_at = next((t for s in stated if (t := moment(s)) is not None), step.started_at)
    elif step.status == "ok":
        step.status = "pending"


def _join(running: dict[str, Observation], step: Observation) -> None:
    """Put an operation's entries together; the end knows the outcome, the start knows the request and the time."""
    known = running.setdefault(step.event_id, step)
    if known is step:
        return
    told = known.records + step.records
    first, last = (known, step) if known.ended_at is None else (step, known)
    for name in Observation.__struct_fields__:
        if getattr(first, name) is None or (name == "result" and last.result is not None):
            setattr(first, name, getattr(last, name))
    if last.ended_at is not None:
        first.status, first.error = last.status, last.error
    first.records = told
    running[step.event_id] = first


def _identity(entry: Entry, log: str, at: int | None) -> str:
    """insertId is one of its kind among the entries of one log and one time."""
    insert = text(entry.get("insertId"))
    if insert is None:
        return identify("gcp_audit", log, at, _canonical(entry.members).decode())
    return identify("gcp_audit", log, at, insert)


def _last(name: str | None) -> str | None:
    return name.rpartition("/")[2] or None if name else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 62 else None
