"""An OTLP request's body, protobuf or JSON -> one line of OTLP/JSON, checked as far as a sender must be told."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from ingest.json_text import complaint, without_lone_surrogates

if TYPE_CHECKING:
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

Signal = Literal["traces", "logs"]

DEEPEST: Final = 64
"""Levels of JSON. OTLP itself takes twelve, and an attribute's value seldom another ten."""


class Malformed(Exception):
    """A body that is no OTLP request; the message is for the sender."""


class Line(msgspec.Struct, frozen=True):
    """What is stored of one request."""

    raw: bytes
    """One line of OTLP/JSON, without its end."""
    records: int
    """Spans or log records in it."""
    without_ids: int
    """Spans that have no trace id or no span id: they are stored, and no step can be made of them."""


class _Span(msgspec.Struct, gc=False):
    trace_id: str = msgspec.field(name="traceId", default="")
    span_id: str = msgspec.field(name="spanId", default="")


class _Scope(msgspec.Struct, gc=False):
    spans: list[_Span] = []
    records: list[dict[str, msgspec.Raw]] = msgspec.field(name="logRecords", default=[])


class _Resource(msgspec.Struct, gc=False):
    spans: list[_Scope] = msgspec.field(name="scopeSpans", default=[])
    logs: list[_Scope] = msgspec.field(name="scopeLogs", default=[])


class _Traces(msgspec.Struct, gc=False):
    resources: list[_Resource] = msgspec.field(name="resourceSpans")


class _Logs(msgspec.Struct, gc=False):
    resources: list[_Resource] = msgspec.field(name="resourceLogs")


_traces: Final = msgspec.json.Decoder(_Traces)
_logs: Final = msgspec.json.Decoder(_Logs)
_encode: Final = msgspec.json.Encoder().encode


def line_of_json(body: bytes, signal: Signal) -> Line:
    """The line of a JSON request. Raises `Malformed`."""
    if _depth(body) > DEEPEST:
        raise Malformed(f"JSON nested deeper than {DEEPEST} levels")
    try:
        said = (_traces if signal == "traces" else _logs).decode(body)
        raw = msgspec.json.format(body, indent=-1)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        mended = without_lone_surrogates(body)
        if mended != body:
            return line_of_json(mended, signal)
        raise Malformed(f"not OTLP/JSON: {complaint(error)}") from None
    if signal == "logs":
        return Line(raw, sum(len(s.records) for r in said.resources for s in r.logs), 0)
    spans = [span for r in said.resources for s in r.spans for span in s.spans]
    return Line(raw, len(spans), sum(not (s.trace_id and s.span_id) for s in spans))


def line_of_protobuf(body: bytes, signal: Signal) -> Line:
    """The line of a protobuf request. Raises `Malformed`."""
    from google.protobuf.message import DecodeError
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    request: Any = ExportTraceServiceRequest() if signal == "traces" else ExportLogsServiceRequest()
    try:
        request.ParseFromString(body)
    except (DecodeError, UnicodeDecodeError, RecursionError):
        raise Malformed("not an OTLP protobuf message: it is cut short, nested too deeply or of another type") from None
    return _line_of_spans(request) if signal == "traces" else _line_of_logs(request)


def _line_of_spans(request: Any) -> Line:
    records = without_ids = 0
    batches = []
    for batch in request.resource_spans:
        scopes = []
        for scoped in batch.scope_spans:
            spans = [_span(span) for span in scoped.spans]
            records += len(spans)
            without_ids += sum(not (span.trace_id and span.span_id) for span in scoped.spans)
            scopes.append({"scope": _scope(scoped.scope), "spans": spans, "schemaUrl": scoped.schema_url})
        batches.append({"resource": _resource(batch.resource), "scopeSpans": scopes, "schemaUrl": batch.schema_url})
    return Line(_encode({"resourceSpans": batches}), records, without_ids)


def _line_of_logs(request: Any) -> Line:
    records = 0
    batches = []
    for batch in request.resource_logs:
        scopes = []
        for scoped in batch.scope_logs:
            said = [_log(record) for record in scoped.log_records]
            records += len(said)
            scopes.append({"scope": _scope(scoped.scope), "logRecords": said, "schemaUrl": scoped.schema_url})
        batches.append({"resource": _resource(batch.resource), "scopeLogs": scopes, "schemaUrl": batch.schema_url})
    return Line(_encode({"resourceLogs": batches}), records, 0)


def _span(span: Any) -> dict[str, object]:
    said: dict[str, object] = {
        "traceId": span.trace_id.hex(),
        "spanId": span.span_id.hex(),
        "flags": span.flags,
        "name": span.name,
        "kind": span.kind,
        "startTimeUnixNano": str(span.start_time_unix_nano),
        "endTimeUnixNano": str(span.end_time_unix_nano),
        "attributes": _attributes(span.attributes),
        "status": _status(span.status),
    }
    if span.parent_span_id:
        said["parentSpanId"] = span.parent_span_id.hex()
    if span.trace_state:
        said["traceState"] = span.trace_state
    if span.events:
        said["events"] = [
            {"timeUnixNano": str(e.time_unix_nano), "name": e.name, "attributes": _attributes(e.attributes)}
            for e in span.events
        ]
    if span.links:
        said["links"] = [
            {"traceId": link.trace_id.hex(), "spanId": link.span_id.hex(), "attributes": _attributes(link.attributes)}
            for link in span.links
        ]
    for name, count in (
        ("droppedAttributesCount", span.dropped_attributes_count),
        ("droppedEventsCount", span.dropped_events_count),
        ("droppedLinksCount", span.dropped_links_count),
    ):
        if count:
            said[name] = count
    return said


def _log(record: Any) -> dict[str, object]:
    said: dict[str, object] = {
        "timeUnixNano": str(record.time_unix_nano),
        "observedTimeUnixNano": str(record.observed_time_unix_nano),
        "severityNumber": record.severity_number,
        "severityText": record.severity_text,
        "body": _value(record.body),
        "attributes": _attributes(record.attributes),
        "flags": record.flags,
    }
    if record.trace_id:
        said["traceId"] = record.trace_id.hex()
    if record.span_id:
        said["spanId"] = record.span_id.hex()
    if record.event_name:
        said["eventName"] = record.event_name
    if record.dropped_attributes_count:
        said["droppedAttributesCount"] = record.dropped_attributes_count
    return said


def _resource(resource: Any) -> dict[str, object]:
    return {"attributes": _attributes(resource.attributes)}


def _scope(scope: Any) -> dict[str, object]:
    return {"name": scope.name, "version": scope.version, "attributes": _attributes(scope.attributes)}


def _status(status: Any) -> dict[str, object]:
    said: dict[str, object] = {}
    if status.code:
        said["code"] = status.code
    if status.message:
        said["message"] = status.message
    return said


def _attributes(pairs: list[KeyValue]) -> list[dict[str, object]]:
    return [{"key": pair.key, "value": _value(pair.value)} for pair in pairs]


def _value(value: AnyValue) -> dict[str, object]:
    """The specification's JSON: whole numbers as text, bytes as base64."""
    match value.WhichOneof("value"):
        case "string_value":
            return {"stringValue": value.string_value}
        case "int_value":
            return {"intValue": str(value.int_value)}
        case "bool_value":
            return {"boolValue": value.bool_value}
        case "double_value":
            number = value.double_value
            # JSON has no such numbers; the protobuf mapping writes their names.
            return {"doubleValue": number if number - number == 0 else str(number).replace("inf", "Infinity")}
        case "array_value":
            return {"arrayValue": {"values": [_value(v) for v in value.array_value.values]}}
        case "kvlist_value":
            return {"kvlistValue": {"values": _attributes(list(value.kvlist_value.values))}}
        case "bytes_value":
            return {"bytesValue": b64encode(value.bytes_value).decode()}
        case _:
            return {}


_BRACKETS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)


def _depth(body: bytes) -> int:
    """How deep brackets nest; what is inside strings does not count."""
    if body.count(b"{") + body.count(b"[") <= DEEPEST:
        return 0
    depth = deepest = 0
    for found in _BRACKETS.finditer(body):
        first = found[0][:1]
        if first in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif first in b"]}":
            depth -= 1
    return deepest
