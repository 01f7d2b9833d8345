"""One Langfuse observation or trace -> one observation of ours. Every name comes in two spellings."""

from __future__ import annotations

from typing import Final

import msgspec

from ingest.arguments import named_in
from ingest.event import Kind, Observation, identify
from ingest.readers._export_fields import Fields
from ingest.records import Record
from ingest.times import nanoseconds

TYPES: Final = (
    "SPAN", "GENERATION", "EVENT", "AGENT", "TOOL", "CHAIN", "RETRIEVER", "EVALUATOR", "EMBEDDING", "GUARDRAIL",
)  # fmt: skip
_KINDS: Final[dict[str, Kind]] = {
    "GENERATION": "model_call",
    "EMBEDDING": "model_call",
    "TOOL": "tool_call",
    "RETRIEVER": "tool_call",
}
_PAUSES: Final = ("GraphInterrupt(", "NodeInterrupt(", "GraphInterrupt:")


class Above(msgspec.Struct, frozen=True):
    """What the trace around an observation says."""

    trace_id: str | None = None
    session_id: str | None = None
    on_behalf_of: str | None = None


def trace(record: Record, fields: Fields) -> Observation:
    """A trace's own record."""
    trace_id = fields.text("id") or record.sha256
    return Observation(
        event_id=identify("langfuse", trace_id),
        trace_id=trace_id,
        session_id=fields.text("sessionId", "session_id") or trace_id,
        kind="lifecycle",
        operation="trace",
        service=fields.text("name"),
        agent_version=fields.text("release", "version"),
        started_at=nanoseconds(fields.text("timestamp")),
        arguments=fields.payload("input"),
        result=fields.payload("output"),
        on_behalf_of=fields.text("userId", "user_id"),
        status="ok",
        source=record.source,
        source_sha256=record.sha256,
    )


def observation(record: Record, fields: Fields, above: Above) -> Observation:
    """An observation."""
    trace_id = fields.text("traceId", "trace_id") or above.trace_id or record.sha256
    parent = fields.text("parentObservationId", "parent_observation_id")
    kind = (fields.text("type") or "SPAN").upper()
    name = fields.text("name")
    session = fields.text("sessionId", "session_id") or above.session_id
    said = Observation(
        event_id=identify("langfuse", trace_id, fields.text("id") or record.sha256),
        trace_id=trace_id,
        # The only place for it where an export has no traces is the topmost observation.
        session_id=session,
        kind=_KINDS.get(kind, "lifecycle"),
        operation=kind,
        agent_version=fields.text("version", "release"),
        service=fields.text("traceName", "trace_name"),
        parent_event_id=identify("langfuse", trace_id, parent) if parent else identify("langfuse", trace_id),
        started_at=nanoseconds(fields.text("startTime", "start_time")),
        ended_at=nanoseconds(fields.text("endTime", "end_time")),
        arguments=fields.payload("input"),
        result=fields.payload("output"),
        on_behalf_of=fields.text("userId", "user_id") or above.on_behalf_of,
        source=record.source,
        source_sha256=record.sha256,
    )
    _outcome(said, fields, kind)
    attributes = fields.inside("metadata").inside("attributes")
    traced_tool = attributes.text("gen_ai.tool.name", "tool.name")
    if kind == "AGENT":
        # Settling makes a hand-over of an agent that runs below another agent.
        said.operation, said.agent_id = "invoke_agent", name
    elif said.kind == "model_call":
        _model(said, fields)
    elif said.kind == "tool_call" or (traced_tool and attributes.text("gen_ai.operation.name") == "execute_tool"):
        said.kind, said.tool = "tool_call", traced_tool or name
        said.approval = "cannot_record"
        named = named_in(said.arguments)
        said.target, said.credential_id, said.principal = named.target, named.credential_id, named.principal
        said.on_behalf_of = named.on_behalf_of or said.on_behalf_of
    else:
        said.agent_id = attributes.text("gen_ai.agent.name")
    if said.kind != "lifecycle" and "input" not in fields and "output" not in fields:
        said.gap = "input and output not exported"
    return said


def _model(said: Observation, fields: Fields) -> None:
    said.model = fields.text("model", "providedModelName", "provided_model_name")
    for name in ("usageDetails", "usage_details", "usage"):
        usage = fields.inside(name)
        if usage.raw:
            said.input_tokens = usage.count("input", "promptTokens", "prompt_tokens", "input_tokens")
            said.output_tokens = usage.count("output", "completionTokens", "completion_tokens", "output_tokens")
            return
    said.input_tokens = fields.count("promptTokens", "prompt_tokens", "inputUsage")
    said.output_tokens = fields.count("completionTokens", "completion_tokens", "outputUsage")


def _outcome(said: Observation, fields: Fields, kind: str) -> None:
    message = fields.text("statusMessage", "status_message")
    if message is not None and message.startswith(_PAUSES):
        said.status = "pending"
    elif fields.text("level") == "ERROR":
        said.status, said.error = "error", message
    elif said.ended_at is None and kind != "EVENT":
        said.status = "pending"
    else:
        said.status = "ok"
