"""One span of the OpenAI Agents SDK -> one observation."""

from __future__ import annotations

from typing import Final

from ingest.arguments import named_in
from ingest.event import Kind, Observation, identify
from ingest.readers._export_fields import Fields
from ingest.records import Record
from ingest.times import nanoseconds

FORMAT: Final = "openai_agents"
_KINDS: Final[dict[str, Kind]] = {
    "generation": "model_call",
    "response": "model_call",
    "transcription": "model_call",
    "speech": "model_call",
    "function": "tool_call",
    "handoff": "handoff",
}
_CUT: Final = ('[truncated]"', '"truncated":true')
"""How the SDK's exporter marks a field of more than 100 kB: a text's end, or an object in its place."""


def span_event(trace_id: str, span_id: str) -> str:
    """The event id of a span that nothing but the trace knows."""
    return identify(FORMAT, trace_id, "span", span_id)


def call_event(trace_id: str, call_id: str) -> str:
    """The event id of a call whose id the model gave; the run's state tells of the same call."""
    return identify(FORMAT, trace_id, "call", call_id)


def model_event(trace_id: str, response_id: str) -> str:
    """The event id of a model call by its response's id, or by the first call that it made."""
    return identify(FORMAT, trace_id, "model", response_id)


def trace_event(trace_id: str) -> str:
    """The event id of a trace's own record."""
    return identify(FORMAT, trace_id)


def trace(record: Record, fields: Fields, trace_id: str) -> Observation:
    """The trace's own record, which has no time."""
    about = fields.payload("metadata")
    return Observation(
        event_id=trace_event(trace_id),
        trace_id=trace_id,
        session_id=fields.text("group_id") or trace_id,
        kind="lifecycle",
        operation="trace",
        service=fields.text("workflow_name"),
        arguments=about,
        on_behalf_of=fields.inside("metadata").text("user_id", "user", "user_email") or named_in(about).on_behalf_of,
        source=record.source,
        source_sha256=record.sha256,
    )


def span(record: Record, fields: Fields, trace_id: str, span_id: str) -> Observation:
    """A span, joined with nothing yet."""
    data = fields.inside("span_data")
    kind = data.text("type") or "span"
    parent = fields.text("parent_id")
    said = Observation(
        event_id=span_event(trace_id, span_id),
        trace_id=trace_id,
        kind=_KINDS.get(kind, "lifecycle"),
        operation=kind,
        parent_event_id=span_event(trace_id, parent) if parent else trace_event(trace_id),
        started_at=nanoseconds(fields.text("started_at")),
        ended_at=nanoseconds(fields.text("ended_at")),
        status="ok" if fields.text("ended_at") else "pending",
        source=record.source,
        source_sha256=record.sha256,
    )
    said.error, redacted = _error(fields)
    if said.error:
        said.status = "error"
    gaps = ["error details redacted"] if redacted else []
    match kind:
        case "agent":
            # Settling makes a hand-over of an agent that runs below another agent's tool.
            said.operation = "invoke_agent"
            said.agent_id = data.text("name")
        case "generation" | "response" | "transcription" | "speech":
            _model_call(said, data, kind, gaps)
        case "function":
            _function(said, data, gaps)
        case "handoff":
            said.agent_id, said.target = data.text("from_agent"), data.text("to_agent")
        case "guardrail":
            said.tool = data.text("name")
            if data.value("triggered") is True:
                said.status = "denied"
        case "mcp_tools":
            said.target, said.result = data.text("server"), data.payload("result")
        case "custom":
            _custom(said, data)
    said.gap = "; ".join(gaps) or None
    return said


def _model_call(said: Observation, data: Fields, kind: str, gaps: list[str]) -> None:
    said.model = data.text("model")
    usage = data.inside("usage")
    said.input_tokens = usage.count("input_tokens", "prompt_tokens")
    said.output_tokens = usage.count("output_tokens", "completion_tokens")
    if kind == "response":
        answered = data.text("response_id")
        if answered:
            said.event_id = model_event(said.trace_id, answered)
        if "input" not in data and "output" not in data:
            gaps.append("input and output not exported, only the response's id")
    elif data.first("input", "output") is None:
        gaps.append("input and output not recorded")
    _payloads(said, data, gaps)


def _function(said: Observation, data: Fields, gaps: list[str]) -> None:
    said.tool = data.text("name")
    _payloads(said, data, gaps)
    named = named_in(said.arguments)
    said.target = named.target or data.inside("mcp_data").text("server")
    said.credential_id, said.principal, said.on_behalf_of = named.credential_id, named.principal, named.on_behalf_of
    said.approval = "cannot_record"
    if said.error is None and said.result is None:
        if said.arguments is None:
            said.status = "unknown"
            gaps.append("arguments and result not recorded")
        else:
            said.status = "pending"
            gaps.append("no output: the call waits for an approval, or its tool returned nothing")


def _custom(said: Observation, data: Fields) -> None:
    inside = data.inside("data")
    said.operation = inside.text("sdk_span_type") or data.text("name") or "custom"
    if said.operation == "turn":
        said.agent_id = inside.text("agent_name")
    elif said.operation != "task":
        said.arguments = data.payload("data")


def _payloads(said: Observation, data: Fields, gaps: list[str]) -> None:
    said.arguments, said.result = data.payload("input"), data.payload("output")
    for name, text in (("arguments", said.arguments), ("result", said.result)):
        if text is not None and (text.endswith(_CUT[0]) or _CUT[1] in text[:200]):
            gaps.append(f"{name} truncated by the exporter")


def _error(fields: Fields) -> tuple[str | None, bool]:
    """What went wrong, and whether the SDK kept the details back."""
    error = fields.inside("error")
    message = error.text("message") or fields.text("error")
    detail = error.inside("data").text("error", "details", "message")
    if message is None and fields.first("error") is not None:
        message = fields.payload("error")
    told = ": ".join(part for part in (message, detail) if part)
    return told or None, "redacted" in told.lower()
