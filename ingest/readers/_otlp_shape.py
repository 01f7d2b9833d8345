"""Every dialect of an OTLP span or log record -> one shape. What the values mean is decided elsewhere.

Two ways in: the specification's JSON through typed decoders, and everything else (flat attributes, snake
case, ISO times, a span that does not fit the types) through plain objects that are looked at carefully.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from ingest.readers._otlp_values import (
    Attributes,
    attributes_of,
    decode,
    hex_id,
    nanoseconds,
    text_of,
    unwrapped,
)


class Event(msgspec.Struct, gc=False):
    """A span event: something that the producer noted inside a span."""

    name: str
    attributes: Attributes


class Resource(msgspec.Struct, gc=False):
    """Who wrote the records: the same for all spans of a batch."""

    attributes: Attributes
    service: str | None = None
    version: str | None = None
    host: str | None = None
    runtime: str | None = None
    """The AgentCore runtime's name, which outlives its deployments."""


class Span(msgspec.Struct, gc=False):
    """A span, whatever dialect it was written in. Ids are hex where they can be; a missing parent is None."""

    trace_id: str
    span_id: str
    parent_span_id: str | None
    name: str
    side: str
    """CLIENT, SERVER, INTERNAL, PRODUCER, CONSUMER or nothing."""
    started_at: int | None
    ended_at: int | None
    attributes: Attributes
    resource: Resource
    scope: str
    outcome: str
    """OK, ERROR, or nothing where the producer left it unset."""
    message: str | None
    events: list[Event]


class LogRecord(msgspec.Struct, gc=False):
    """A log record; outside of a trace the ids are None."""

    trace_id: str | None
    span_id: str | None
    event_name: str | None
    at: int | None
    body: object
    attributes: Attributes
    resource: Resource
    scope: str


class _Value(msgspec.Struct, gc=False):
    text: str | None = msgspec.field(name="stringValue", default=None)
    integer: int | str | None = msgspec.field(name="intValue", default=None)
    double: float | str | None = msgspec.field(name="doubleValue", default=None)
    boolean: bool | None = msgspec.field(name="boolValue", default=None)
    array: dict[str, object] | None = msgspec.field(name="arrayValue", default=None)
    members: dict[str, object] | None = msgspec.field(name="kvlistValue", default=None)
    octets: str | None = msgspec.field(name="bytesValue", default=None)


class _Pair(msgspec.Struct, gc=False):
    key: str
    value: _Value | None = None


class _Event(msgspec.Struct, gc=False):
    name: str = ""
    attributes: list[_Pair] = []


class _Link(msgspec.Struct, gc=False, rename="camel"):
    trace_id: str = ""
    span_id: str = ""


class _Status(msgspec.Struct, gc=False):
    code: int | str = 0
    message: str | None = None


class _Span(msgspec.Struct, gc=False, rename="camel"):
    trace_id: str
    span_id: str
    name: str = ""
    parent_span_id: str | None = None
    kind: int | str = 0
    start_time_unix_nano: int | str = 0
    end_time_unix_nano: int | str = 0
    attributes: list[_Pair] = []
    events: list[_Event] | None = None
    status: _Status | None = None
    links: list[_Link] | None = None


_spec: Final = msgspec.json.Decoder(_Span)
_SIDES: Final = ("", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
_OUTCOMES: Final[dict[object, str]] = {
    1: "OK", 2: "ERROR", "1": "OK", "2": "ERROR", "OK": "OK", "ERROR": "ERROR",
    "STATUS_CODE_OK": "OK", "STATUS_CODE_ERROR": "ERROR", "STATUSCODE.OK": "OK", "STATUSCODE.ERROR": "ERROR",
}  # fmt: skip


def spec_span(raw: bytes | msgspec.Raw, resource: Resource, scope: str) -> Span | str:
    """A span as the specification writes it; another dialect is read loosely. A text says what is wrong."""
    try:
        said = _spec.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        loose = decode(bytes(raw))
        return loose_span(loose, resource, scope) if isinstance(loose, dict) else "a span must be an object"
    trace_id, span_id = hex_id(said.trace_id), hex_id(said.span_id)
    if trace_id is None or span_id is None:
        return _NO_IDS
    parent = hex_id(said.parent_span_id)
    if said.links:
        parent = _sender(said.name, trace_id, [(link.trace_id, link.span_id) for link in said.links], parent)
    status = said.status
    return Span(
        trace_id,
        span_id,
        parent,
        said.name,
        _side(said.kind),
        nanoseconds(said.start_time_unix_nano),
        nanoseconds(said.end_time_unix_nano),
        _from_pairs(said.attributes),
        resource,
        scope,
        "" if status is None else _outcome(status.code),
        None if status is None else status.message,
        [Event(e.name, _from_pairs(e.attributes)) for e in said.events] if said.events else [],
    )


def loose_span(said: dict[str, object], resource: Resource | None = None, scope: str | None = None) -> Span | str:
    """A span in any other dialect: flat attributes, snake case, ids in `context`, ISO times."""
    context = said.get("context")
    if not isinstance(context, dict):
        context = {}
    trace_id = hex_id(_first(said, "traceId", "trace_id") or context.get("trace_id"))
    span_id = hex_id(_first(said, "spanId", "span_id") or context.get("span_id"))
    if trace_id is None or span_id is None:
        return _NO_IDS
    attributes = attributes_of(_first(said, "attributes", "span_attributes"))
    kind = said.get("span_kind")
    if isinstance(kind, str) and kind not in ("", "UNKNOWN"):
        # Phoenix puts OpenInference's kind here and may leave the attribute out.
        attributes.setdefault("openinference.span.kind", kind.upper())
    status = said.get("status")
    code: object = _first(said, "status_code", "statusCode")
    message: object = _first(said, "status_message", "statusMessage")
    if isinstance(status, dict):
        code = _first(status, "code", "status_code") or code
        message = _first(status, "message", "description") or message
    elif status is not None:
        code = status
    events = _first(said, "events", "span_events")
    name = text_of(said.get("name")) or ""
    parent = hex_id(_first(said, "parentSpanId", "parent_span_id", "parentId", "parent_id"))
    if isinstance(links := said.get("links"), list) and links:
        parent = _sender(name, trace_id, [_ids_in(link) for link in links], parent)
    return Span(
        trace_id,
        span_id,
        parent,
        name,
        _side(said.get("kind")) or _side(attributes.get("aws.span.kind")),
        nanoseconds(_first(said, "startTimeUnixNano", "start_time_unix_nano", "startTime", "start_time")),
        nanoseconds(_first(said, "endTimeUnixNano", "end_time_unix_nano", "endTime", "end_time")),
        attributes,
        resource_of(said.get("resource")) if resource is None else resource,
        _scope_in(said) if scope is None else scope,
        _outcome(code),
        message if isinstance(message, str) else None,
        [_loose_event(e) for e in events if isinstance(e, dict)] if isinstance(events, list) else [],
    )


def loose_log(said: dict[str, object], resource: Resource | None = None, scope: str | None = None) -> LogRecord:
    """A log record in any dialect; `body` becomes a plain value."""
    attributes = attributes_of(said.get("attributes"))
    body = said.get("body")
    if isinstance(body, dict) and len(body) == 1:
        body = unwrapped(body, 0)
    name = _first(said, "eventName", "event_name") or attributes.get("event.name")
    if name is None and isinstance(body, dict):
        name = body.get("event.name")
    return LogRecord(
        hex_id(_first(said, "traceId", "trace_id")),
        hex_id(_first(said, "spanId", "span_id")),
        text_of(name),
        nanoseconds(_first(said, "timeUnixNano", "time_unix_nano", "timestamp"))
        or nanoseconds(_first(said, "observedTimeUnixNano", "observed_time_unix_nano", "observed_timestamp")),
        body,
        attributes,
        resource_of(said.get("resource")) if resource is None else resource,
        _scope_in(said) if scope is None else scope,
    )


_EXECUTOR: Final = "executor.process"


def _sender(name: str, trace_id: str, links: list[tuple[object, object]], parent: str | None) -> str | None:
    """Agent Framework links a workflow's step to the message that started it; its parent is the whole run."""
    if len(links) == 1 and name.startswith(_EXECUTOR) and hex_id(links[0][0]) == trace_id:
        return hex_id(links[0][1]) or parent
    return parent


def _ids_in(link: object) -> tuple[object, object]:
    said: dict[str, object] = link if isinstance(link, dict) else {}
    context = said.get("context")
    ids = context if isinstance(context, dict) else said
    return _first(ids, "traceId", "trace_id"), _first(ids, "spanId", "span_id")


_NO_IDS: Final = "a span without a trace id and a span id; export the whole span"


def resource_of(said: object) -> Resource:
    """Who wrote the records; an empty resource where nothing is said."""
    attributes = attributes_of(said.get("attributes")) if isinstance(said, dict) else {}
    identity = attributes.get("cloud.resource_id")
    runtime = _RUNTIME.search(identity) if isinstance(identity, str) else None
    return Resource(
        attributes,
        text_of(attributes.get("service.name")),
        text_of(attributes.get("service.version")),
        text_of(attributes.get("host.name")),
        runtime[1] if runtime else None,
    )


_RUNTIME: Final = re.compile(r":runtime/([^/]+?)(?:-[A-Za-z0-9]{10})?(?:/|$)")
"""An AgentCore runtime id is the name that its owner gave, a hyphen and ten random characters."""


def scope_of(said: object) -> str:
    """The instrumentation's name."""
    name = said.get("name") if isinstance(said, dict) else said
    return name if isinstance(name, str) else ""


def _scope_in(said: dict[str, object]) -> str:
    return scope_of(_first(said, "scope", "instrumentationScope", "instrumentation_scope"))


def _from_pairs(pairs: list[_Pair]) -> Attributes:
    found: Attributes = {}
    for pair in pairs:
        value = pair.value
        if value is not None:
            text = value.text
            found[pair.key] = text if text is not None else _typed_value(value)
    return found


def _typed_value(value: _Value) -> object:
    if value.integer is not None:
        return value.integer
    if value.boolean is not None:
        return value.boolean
    if value.double is not None:
        return value.double
    if value.array is not None:
        return unwrapped({"arrayValue": value.array}, 0)
    if value.members is not None:
        return unwrapped({"kvlistValue": value.members}, 0)
    return value.octets


def _loose_event(said: dict[str, object]) -> Event:
    return Event(text_of(_first(said, "name", "event_name")) or "", attributes_of(said.get("attributes")))


def _first(said: dict[str, object], *keys: str) -> object:
    for key in keys:
        if (value := said.get(key)) is not None:
            return value
    return None


def _side(kind: object) -> str:
    if isinstance(kind, int):
        return _SIDES[kind] if 0 <= kind < len(_SIDES) else ""
    if isinstance(kind, str):
        word = kind.rpartition(".")[2].removeprefix("SPAN_KIND_").upper()
        return word if word in _SIDES else ""
    return ""


def _outcome(code: object) -> str:
    if isinstance(code, str):
        return _OUTCOMES.get(code.upper(), "")
    return _OUTCOMES.get(code, "") if isinstance(code, int) else ""
