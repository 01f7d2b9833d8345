"""OpenTelemetry spans and log records, in every JSON dialect that agents' exports come in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from ingest.event import Observation, Rejected
from ingest.readers import reader
from ingest.readers._otlp_logs import Logs
from ingest.readers._otlp_meaning import observe
from ingest.readers._otlp_shape import Resource, loose_log, loose_span, resource_of, scope_of, spec_span
from ingest.readers._otlp_stores import is_stored_trace, loosened
from ingest.readers._otlp_values import decode, text_of
from ingest.records import Record

_ENVELOPES: Final = ("resourceSpans", "resourceLogs", "resourceMetrics", "resource_spans", "resource_logs")
_TEMPO: Final = "batches"
"""What Tempo calls the `resourceSpans` of a trace."""
_TRACES: Final = ("trace", "traces")
"""Keys under which a trace store's answer holds a trace, or several."""
_LISTS: Final = ("spans", "data")
"""Keys under which a wrapper holds flat spans: dumps of evaluation tools, Phoenix's REST answer."""
_WRAPPED: Final = ("raw_otel_json", "@message", "message")
"""Keys under which CloudWatch and its exports hold the record that was written."""
_LOG_SIGNS: Final = (
    "timeUnixNano", "observedTimeUnixNano", "severityNumber", "severityText", "severity_text", "body",
)  # fmt: skip
_DEEPEST: Final = 4

_object: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_list: Final = msgspec.json.Decoder(list[msgspec.Raw])
_Lines = Iterator[Observation | Rejected]


def _claims(first: object) -> bool:
    return _is_ours(first, 0)


def _is_ours(first: object, depth: int) -> bool:
    if isinstance(first, str):
        return depth > 0 and first[:1] == "{" and _is_ours(decode(first), depth + 1)
    if isinstance(first, list):
        return depth < _DEEPEST and any(_is_ours(item, depth + 1) for item in first[:8])
    if not isinstance(first, dict) or depth > _DEEPEST:
        return False
    if any(isinstance(first.get(key), list) for key in _ENVELOPES) or is_stored_trace(first):
        return True
    if any(_is_batch(batch) for batch in _list_in(first, _TEMPO)):
        return True
    if any(isinstance(first.get(key), dict | list) and _is_ours(first[key], depth + 1) for key in _TRACES):
        return True
    if "raw_otel_json" in first or text_of(first.get("logger")) == "bedrock_agentcore.app":
        return True
    if "@message" in first and first["@message"] == "":
        return "@timestamp" in first  # too long to have been looked into
    if any(_is_ours(first[key], depth + 1) for key in _WRAPPED if isinstance(first.get(key), str | dict)):
        return True
    if any(_is_ours(first[key], depth + 1) for key in _LISTS if isinstance(first.get(key), list)):
        return True
    return _is_span(first) or _is_log(first)


def _list_in(said: dict[str, object], key: str) -> list[object]:
    found = said.get(key)
    return found if isinstance(found, list) else []


def _is_batch(said: object) -> bool:
    return isinstance(said, dict) and any(key in said for key in ("scopeSpans", "instrumentationLibrarySpans"))


def _is_span(said: dict[str, object]) -> bool:
    """Ids, and something that only a span has: other exports have a `trace_id` too."""
    context = said.get("context")
    ids: dict[str, object] = context if isinstance(context, dict) else said
    has_ids = ("traceId" in ids and "spanId" in ids) or ("trace_id" in ids and "span_id" in ids)
    return has_ids and any(key in said for key in _SPAN_SIGNS) and not _is_log(said)


_SPAN_SIGNS: Final = ("startTimeUnixNano", "start_time_unix_nano", "start_time", "startTime")


def _is_log(said: dict[str, object]) -> bool:
    signs = sum(key in said for key in _LOG_SIGNS)
    return signs >= 2 and ("resource" in said or "scope" in said or "traceId" in said or "trace_id" in said)


@reader(claims=_claims, by_line=True)
def otlp(records: Iterable[Record]) -> Iterator[Observation | Rejected]:
    """OpenTelemetry spans and logs: OTLP/JSON, CloudWatch, AgentCore, OpenInference, SDK and console dumps.

    Whole traces of trace stores too: Tempo, Jaeger, Cloud Trace.
    The GenAI and MCP conventions of all three generations. A span is one step; log records that tell of a
    span get its id. Missing: protobuf files, spans nested in `child_spans`, and approvals outside of Agent
    Framework, Strands' interrupts, Claude Code and Codex, which no convention describes.
    Sources: OTLP 1.x file format, semantic-conventions-genai v0.1.0, OpenInference 0.1.42.
    """
    logs = Logs()
    for record in records:
        yield from _read(record, logs, 0)
    yield from logs.rest()


def _read(record: Record, logs: Logs, depth: int) -> _Lines:
    """A line, a document, or an element of one."""
    raw = record.raw
    if raw[:1] == b"[" and depth < _DEEPEST:
        elements = record.decode(_list)
        if isinstance(elements, Rejected):
            yield elements
            return
        for element in record.elements(elements):
            yield from _read(element, logs, depth + 1)
        return
    members = record.decode(_object)
    if isinstance(members, Rejected):
        yield members
        return
    for key in _TRACES:
        if key in members and bytes(members[key])[:1] in (b"{", b"[") and depth < _DEEPEST:
            for part in record.elements([members[key]]):
                yield from _read(part, logs, depth + 1)
            return
    if "spans" in members and is_stored_trace(trace := decode(record.raw)) and isinstance(trace, dict):
        yield from _stored(record, trace, members["spans"])
        return
    enveloped = False
    for key in (*_ENVELOPES, _TEMPO):
        if key in members:
            enveloped = True
            yield from _enveloped(record, key, members[key], logs)
    if enveloped:
        return
    for key in _LISTS:
        if key in members and bytes(members[key])[:1] == b"[" and depth < _DEEPEST:
            for part in record.elements([members[key]]):
                yield from _read(part, logs, depth + 1)
            return
    yield from _flat(record, decode(record.raw), logs, 0)


def _stored(record: Record, trace: dict[str, object], spans: msgspec.Raw) -> _Lines:
    """One trace as a trace store gives it back."""
    elements = Record(record.path, record.line, bytes(spans)).decode(_list)
    if isinstance(elements, Rejected):
        yield elements
        return
    for element in record.elements(elements):
        said = decode(element.raw)
        span = loose_span(loosened(said, trace)) if isinstance(said, dict) else "a span must be an object"
        if isinstance(span, str):
            yield Rejected(element.line, span)
        else:
            yield from observe(span, element.source, element.sha256)


def _flat(record: Record, said: object, logs: Logs, depth: int) -> _Lines:
    """One span or log record that stands alone, perhaps inside what a log service put around it."""
    if isinstance(said, str):
        said = decode(said)
    if not isinstance(said, dict):
        yield Rejected(record.line, "what is wrapped here is no JSON object; export the records untruncated")
        return
    if _is_log(said):
        yield from logs.observe(loose_log(said), record.source, record.sha256)
        return
    if "traceId" in said or "trace_id" in said or "context" in said:
        span = loose_span(said)
        if isinstance(span, str):
            yield Rejected(record.line, span)
        else:
            yield from observe(span, record.source, record.sha256)
        return
    for key in _WRAPPED:
        inner = said.get(key)
        if depth < _DEEPEST and (isinstance(inner, dict) or (isinstance(inner, str) and inner[:1] == "{")):
            yield from _flat(record, inner, logs, depth + 1)
            return
    if (message := text_of(said.get("message"))) is not None:
        # What a runtime prints beside its telemetry; it has a session but no trace.
        about: dict[str, object] = {
            "timestamp": said.get("timestamp"),
            "body": message,
            "attributes": {"session.id": said.get("sessionId"), "request.id": said.get("requestId")},
            "scope": said.get("logger"),
        }
        yield from logs.observe(loose_log(about), record.source, record.sha256)
        return
    yield Rejected(record.line, "neither a span nor a log record: it has no trace id; export whole records")


_NULL: Final = msgspec.Raw(b"null")


class _Scoped(msgspec.Struct, gc=False):
    scope: msgspec.Raw = _NULL
    spans: list[msgspec.Raw] | None = None
    records: list[msgspec.Raw] | None = msgspec.field(name="logRecords", default=None)
    records_snake: list[msgspec.Raw] | None = msgspec.field(name="log_records", default=None)
    library: msgspec.Raw = msgspec.field(name="instrumentationLibrary", default=_NULL)


class _Batch(msgspec.Struct, gc=False):
    resource: msgspec.Raw = _NULL
    spans: list[_Scoped] | None = msgspec.field(name="scopeSpans", default=None)
    spans_old: list[_Scoped] | None = msgspec.field(name="instrumentationLibrarySpans", default=None)
    spans_snake: list[_Scoped] | None = msgspec.field(name="scope_spans", default=None)
    logs: list[_Scoped] | None = msgspec.field(name="scopeLogs", default=None)
    logs_old: list[_Scoped] | None = msgspec.field(name="instrumentationLibraryLogs", default=None)
    logs_snake: list[_Scoped] | None = msgspec.field(name="scope_logs", default=None)


_batch: Final = msgspec.json.Decoder(_Batch)


def _enveloped(record: Record, key: str, member: msgspec.Raw, logs: Logs) -> _Lines:
    """The batches of an OTLP export: in a line, all have the line's place; in a document each has its own."""
    if key == "resourceMetrics":
        yield Rejected(record.line, "metrics hold no steps; export the traces (and logs) instead")
        return
    batches = Record(record.path, record.line, bytes(member)).decode(_list)
    if isinstance(batches, Rejected):
        yield batches
        return
    is_document = b"\n" in record.raw
    for whole in record.elements(batches) if is_document else ():
        yield from _batch_of(whole, whole.raw, logs, is_document)
    for raw in () if is_document else batches:
        yield from _batch_of(record, raw, logs, is_document)


def _batch_of(record: Record, raw: bytes | msgspec.Raw, logs: Logs, is_document: bool) -> _Lines:
    try:
        batch = _batch.decode(raw)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        yield Rejected(record.line, f"a batch that is not as OTLP/JSON has it ({error}); export it again")
        return
    resource = resource_of(decode(bytes(batch.resource)))
    groups = [*(batch.spans or ()), *(batch.spans_old or ()), *(batch.spans_snake or ())]
    groups += [*(batch.logs or ()), *(batch.logs_old or ()), *(batch.logs_snake or ())]
    for group in groups:
        scope = scope_of(decode(bytes(group.scope)) or decode(bytes(group.library)))
        for raws, is_log in ((group.spans, False), (group.records, True), (group.records_snake, True)):
            if not raws:
                continue
            if is_document:
                for element in record.elements(raws):
                    yield from _element(element, element.raw, resource, scope, logs, is_log)
            else:
                for part in raws:
                    yield from _element(record, part, resource, scope, logs, is_log)


def _element(
    record: Record, raw: bytes | msgspec.Raw, resource: Resource, scope: str, logs: Logs, is_log: bool
) -> _Lines:
    if is_log:
        said = decode(bytes(raw))
        if isinstance(said, dict):
            yield from logs.observe(loose_log(said, resource, scope), record.source, record.sha256)
        else:
            yield Rejected(record.line, "a log record must be an object; export it again")
        return
    span = spec_span(raw, resource, scope)
    if isinstance(span, str):
        yield Rejected(record.line, span)
    else:
        yield from observe(span, record.source, record.sha256)
