"""The wrappers that AWS and its exporters put around records: containers, CloudWatch messages, EventBridge."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Final, NamedTuple

import msgspec

from ingest.event import Rejected
from ingest.payloads import read, value_of
from ingest.records import Record

Members = dict[str, msgspec.Raw]
Recognises = Callable[[Collection[str]], bool]

CONTAINERS: Final = ("Records", "records", "Events", "events", "logEvents", "results", "completion", "traces")
"""Members that hold a list of records: S3 delivery, look-ups, CloudWatch Logs, Logs Insights, InvokeAgent."""
WRAPPERS: Final = ("CloudTrailEvent", "detail", "@message", "message", "_raw", "event", "log")
"""Members that hold one record, as an object or as JSON text."""
_DEEPEST: Final = 5

_MEMBERS: Final = msgspec.json.Decoder(Members)
_ELEMENTS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_TEXT: Final = msgspec.json.Decoder(str)


class Part(NamedTuple):
    """One record, and the members of the object whose list it stands in."""

    record: Record
    around: Members


class _Cell(msgspec.Struct):
    """One field of a Logs Insights row."""

    field: str
    value: str = ""


_CELLS: Final = msgspec.json.Decoder(list[_Cell])


def parts(
    record: Record, recognises: Recognises, around: Members | None = None, deepest: int = _DEEPEST
) -> Iterator[Part | Rejected]:
    """The records inside a line or document. What is not recognised comes out as it is, to be refused by name."""
    around = {} if around is None else around
    if record.raw[:1] == b"[" and deepest:
        elements = record.decode(_ELEMENTS)
        if isinstance(elements, Rejected):
            yield elements
        elif (message := _insights_message(record)) is not None:
            yield from parts(_inner(record, message), recognises, around, deepest - 1)
        else:
            for element in record.elements(elements):
                yield from parts(element, recognises, around, deepest - 1)
        return
    members = record.decode(_MEMBERS)
    if isinstance(members, Rejected):
        yield members
        return
    if recognises(members) or not deepest:
        yield Part(record, around)
        return
    for key in CONTAINERS:
        if key in members and bytes(members[key])[:1] == b"[":
            inside = next(record.elements([members[key]]))
            yield from parts(inside, recognises, members, deepest - 1)
            return
    for key in WRAPPERS:
        held = _held(record, members.get(key))
        if held is not None:
            yield from parts(held, recognises, around, deepest - 1)
            return
    yield Part(record, around)


def _held(record: Record, value: msgspec.Raw | None) -> Record | None:
    """The record that a wrapping member holds; None where it is prose."""
    start = bytes(value)[:1] if value is not None else b""
    if value is None or start not in (b"{", b'"'):
        return None
    if start == b"{":
        return next(record.elements([value]))
    text = (read(_TEXT, value) or "").strip()
    return _inner(record, text) if text[:1] == "{" else None


def _inner(record: Record, text: str) -> Record:
    return Record(record.path, record.line, text.strip().encode("utf-8", "replace"))


def _insights_message(record: Record) -> str | None:
    """The message of a Logs Insights row: `[{"field": "@message", "value": ...}, ...]`."""
    cells = read(_CELLS, record.raw) if b'"field"' in record.raw[:64] else None
    return next((cell.value for cell in cells or () if cell.field == "@message"), None)


def objects_in(value: object, deepest: int = _DEEPEST) -> Iterator[dict[str, object]]:
    """Every object that may be a record in a decoded first record: the same walk, for `claims`."""
    if isinstance(value, str):
        value = value_of(value.strip()) if value.lstrip()[:1] == "{" else None
    if not deepest:
        return
    if isinstance(value, list):
        for element in value[:8]:
            if isinstance(element, dict) and element.get("field") == "@message":
                yield from objects_in(element.get("value"), deepest - 1)
            elif isinstance(element, dict | list):
                yield from objects_in(element, deepest - 1)
    elif isinstance(value, dict):
        yield value
        for key in (*CONTAINERS, *WRAPPERS):
            inside = value.get(key)
            if isinstance(inside, list) == (key in CONTAINERS):
                yield from objects_in(inside, deepest - 1)


def role_of(arn: str | None) -> str | None:
    """The role behind an assumed role's session, as IAM names it; any other ARN as it is."""
    fields = arn.split(":", 5) if arn else []
    if len(fields) == 6 and fields[2] == "sts" and fields[5].startswith("assumed-role/"):
        role = fields[5].split("/")[1]
        return f"{fields[0]}:{fields[1]}:iam:{fields[3]}:{fields[4]}:role/{role}"
    return arn or None
