"""Microsoft Sentinel ASIM Agent Event rows (ASimAgentEventLogs), one a line or as a query's answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from ingest.event import Kind, Observation, Rejected, Status, identify
from ingest.payloads import as_text, count, payload, text
from ingest.readers import reader
from ingest.readers._members import Members, elements_of, fingerprint, members_of, objects, plain_name
from ingest.records import Record
from ingest.times import moment

_OWN: Final = {
    "SrcAgentId", "SrcAgentName", "TargetAgentId", "TargetAgentName", "PlatformTargetAgentId",
    "PlatformTargetAgentName",
}  # fmt: skip
_STATUSES: Final[dict[object, Status]] = {
    "Success": "ok", "Partial": "ok", "Failure": "error", "Denied": "denied", "Blocked": "denied",
}  # fmt: skip
_ASKED: Final = ("EventOriginalRequestDetails", "EventRequestMessages", "EventInputMessages", "ToolArguments")
_ANSWERED: Final = ("EventOriginalResultDetails", "EventResponseMessages", "EventOutputMessages", "ToolResult")


def _claims(first: object) -> bool:
    if isinstance(first, list):
        return bool(first) and _claims(first[0])
    if not isinstance(first, dict):
        return False
    if first.get("Type") == "ASimAgentEventLogs" or first.get("EventSchema") == "AgentEvent" or _OWN & first.keys():
        return True
    table = next(iter(objects(first.get("tables"))), {})
    return bool(_OWN & {text(column.get("name")) for column in objects(table.get("columns"))})


@reader(claims=_claims, by_line=True)
def asim(records: Iterable[Record]) -> Iterator[Observation | Rejected]:
    """Microsoft Sentinel ASIM Agent Event rows.

    A row with a tool is a tool call, one with a model a model call, one from agent to agent a hand-over. The
    schema has no place for approvals.
    """
    for record in records:
        for element in elements_of(record):
            members = members_of(element)
            if isinstance(members, Rejected):
                yield members
            elif isinstance(members.get("tables"), list):
                yield from _tables(element, members)
            else:
                yield _observe(element, members)


def _tables(record: Record, answer: Members) -> Iterator[Observation | Rejected]:
    """A Log Analytics answer: columns beside rows of values."""
    found = False
    for table in objects(answer.get("tables")):
        names = [str(column.get("name")) for column in objects(table.get("columns"))]
        rows = table.get("rows")
        for row in rows if isinstance(rows, list) else []:
            found = True
            if isinstance(row, list):
                yield _observe(record, dict(zip(names, row, strict=False)))
            else:
                yield Rejected(record.line, "a row that is no list of values; export the query again")
    if not found:
        yield Rejected(record.line, "a query's answer without rows; widen the query and export it again")


def _agent(row: Members, side: str) -> str | None:
    """The name of the agent; an instance's id changes from run to run."""
    return text(row.get(f"{side}AgentName")) or plain_name(row.get(f"{side}AgentId"))


def _observe(record: Record, row: Members) -> Observation:
    source, target = _agent(row, "Src"), _agent(row, "Target") or _agent(row, "PlatformTarget")
    tool = text(row.get("ToolName")) or plain_name(row.get("ToolId"))
    model = text(row.get("ModelName")) or text(row.get("EventResponseModelName")) or text(row.get("ModelId"))
    kind: Kind = "lifecycle"
    if tool is not None:
        kind = "tool_call"
    elif source is not None and target is not None and source != target:
        kind = "handoff"
    elif model is not None or count(row.get("InputTokensUsed")) is not None:
        kind = "model_call"
    session = plain_name(row.get("EventSessionId"))
    uid = plain_name(row.get("EventOriginalUid")) or plain_name(row.get("EventUid"))
    own = identify("asim", session, uid, text(row.get("EventType"))) if uid else None
    own = own or identify("asim", fingerprint({k: v for k, v in row.items() if not k.startswith(("_", "Ingestion"))}))
    asked = next((row[key] for key in _ASKED if row.get(key)), None)
    answered = next((row[key] for key in _ANSWERED if row.get(key)), None)
    thought = text(row.get("EventThoughtProcess")) or text(row.get("EventThoughtProcessDetails"))
    step = Observation(
        event_id=own,
        trace_id=session or own,
        session_id=session,
        kind=kind,
        operation=text(row.get("EventType")) or text(row.get("EventOriginalType")) or "AgentEvent",
        agent_id=source or target,
        agent_version=plain_name(row.get("SrcAgentVersion" if source else "TargetAgentVersion")),
        service=text(row.get("EventProduct")),
        started_at=moment(row.get("EventStartTime")) or moment(row.get("TimeGenerated")),
        ended_at=moment(row.get("EventEndTime")),
        tool=tool,
        arguments=payload(asked),
        result=payload(answered) or (as_text({"thought": thought}) if thought else None),
        status=_STATUSES.get(text(row.get("EventResult")), "unknown"),
        error=text(row.get("EventErrorDetails")) or text(row.get("EventOriginalErrorType")),
        model=model,
        principal=text(row.get("ActorUsername")) or plain_name(row.get("ActorUserId")),
        on_behalf_of=text(row.get("ActorUsername")) or plain_name(row.get("ActorUserId")),
        source_host=text(row.get("SrcHostname")) or text(row.get("SrcIpAddr")),
        target=target if kind == "handoff" else text(row.get("DstHostname")) or text(row.get("DstIpAddr")),
        approval="cannot_record" if kind == "tool_call" else None,
        source=record.source,
        source_sha256=record.sha256,
        witness="log",
    )
    if step.error and step.status == "unknown":
        step.status = "error"
    if kind == "model_call":
        step.input_tokens, step.output_tokens = count(row.get("InputTokensUsed")), count(row.get("OutputTokensUsed"))
    return step
