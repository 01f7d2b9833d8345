"""Whole traces as trace stores give them back, span by span in the shape of a loose span: Jaeger, Cloud Trace v1.

Tempo's answers are OTLP with other names around it, and are read where OTLP is.
"""

from __future__ import annotations

from collections.abc import Iterator

from ingest.payloads import text
from ingest.readers._otlp_values import Attributes, nanoseconds

Members = dict[str, object]


def is_stored_trace(said: object) -> bool:
    """Spans beside the one trace id that they all have, which Jaeger repeats in each and Cloud Trace does not."""
    if not isinstance(said, dict) or not isinstance(spans := said.get("spans"), list):
        return False
    first = next((span for span in spans if isinstance(span, dict)), None)
    if first is None:
        return False
    is_jaeger = "traceID" in said and "spanID" in first and "operationName" in first
    return is_jaeger or ("traceId" in said and "traceId" not in first and "spanId" in first and "startTime" in first)


def loosened(span: Members, trace: Members) -> Members:
    """A stored span in the members that a loose span has."""
    return _from_jaeger(span, trace) if "spanID" in span else _from_cloud_trace(span, trace)


def _from_jaeger(span: Members, trace: Members) -> Members:
    processes = trace.get("processes")
    process = processes.get(str(span.get("processID"))) if isinstance(processes, dict) else None
    process = process if isinstance(process, dict) else {}
    attributes = _tags(span.get("tags"))
    started, lasted = span.get("startTime"), span.get("duration")
    begin = started * 1000 if isinstance(started, int) else None
    parents = [
        text(ref.get("spanID")) for ref in _objects(span.get("references")) if ref.get("refType") != "FOLLOWS_FROM"
    ]
    return {
        "traceId": span.get("traceID") or trace.get("traceID"),
        "spanId": span.get("spanID"),
        "parentSpanId": next(iter(parents), None),
        "name": span.get("operationName"),
        "kind": attributes.pop("span.kind", None),
        "startTimeUnixNano": begin,
        "endTimeUnixNano": begin + lasted * 1000 if begin is not None and isinstance(lasted, int) else None,
        "attributes": attributes,
        "status": {
            "code": attributes.pop("otel.status_code", "ERROR" if attributes.get("error") is True else None),
            "message": attributes.pop("otel.status_description", None),
        },
        "events": [
            {"name": fields.pop("event", None), "attributes": fields}
            for log in _objects(span.get("logs"))
            if (fields := _tags(log.get("fields")))
        ],
        "scope": attributes.pop("otel.scope.name", attributes.pop("otel.library.name", None)),
        "resource": {"attributes": {"service.name": process.get("serviceName"), **_tags(process.get("tags"))}},
    }


def _from_cloud_trace(span: Members, trace: Members) -> Members:
    labels = span.get("labels")
    attributes: Attributes = dict(labels) if isinstance(labels, dict) else {}
    return {
        "traceId": trace.get("traceId"),
        "spanId": _in_hex(span.get("spanId")),
        "parentSpanId": _in_hex(span.get("parentSpanId")),
        "name": span.get("name"),
        "kind": str(span.get("kind") or "").removeprefix("RPC_"),
        "startTimeUnixNano": nanoseconds(span.get("startTime")),
        "endTimeUnixNano": nanoseconds(span.get("endTime")),
        "attributes": attributes,
        "status": {"code": "ERROR", "message": message} if (message := attributes.get("/error/message")) else None,
        "resource": {"attributes": {"service.name": attributes.get("service.name")}},
    }


def _in_hex(written: object) -> object:
    """Cloud Trace v1 writes a span's 64 bits as a decimal number."""
    if isinstance(written, str) and written.isascii() and written.isdigit() and 0 < int(written[:20]) < 1 << 64:
        return f"{int(written[:20]):016x}"
    return None if written in ("0", 0) else written


def _tags(listed: object) -> Attributes:
    return {str(tag.get("key")): tag.get("value") for tag in _objects(listed)}


def _objects(listed: object) -> Iterator[Members]:
    for part in listed if isinstance(listed, list) else ():
        if isinstance(part, dict):
            yield part
