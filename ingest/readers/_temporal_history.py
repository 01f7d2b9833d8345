"""Files -> workflow histories: each a list of events in eventId order, every event with its own line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from ingest.event import Rejected
from ingest.payloads import Unreadable, read
from ingest.records import Record, complaint
from ingest.times import nanoseconds

_REMEDY: Final = "fix or remove the event, or export the history again"
_LARGEST: Final = (1 << 63) - 1
NOTHING: Final = msgspec.Raw()
"""A field that is not there; msgspec has no optional `Raw`."""
_NUMBER: Final = re.compile(rb'"?(\d{1,19})"?')


class Name(msgspec.Struct):
    """How Temporal names a type of workflow or activity."""

    name: str = ""


class Execution(msgspec.Struct, rename="camel"):
    """A workflow run that an event points at."""

    workflow_id: str | None = None
    run_id: str | None = None


class Worker(msgspec.Struct, rename="camel"):
    """The build that a worker ran."""

    build_id: str | None = None
    deployment_name: str | None = None


class Request(msgspec.Struct):
    """An update as it was asked for."""

    meta: Meta | None = None
    input: RequestInput | None = None


class Meta(msgspec.Struct, rename="camel"):
    """Which update, and who asked."""

    update_id: str | None = None
    identity: str | None = None


class RequestInput(msgspec.Struct):
    """An update's name and arguments."""

    name: str = ""
    args: msgspec.Raw = NOTHING


class Outcome(msgspec.Struct):
    """How an update ended."""

    success: msgspec.Raw = NOTHING
    failure: msgspec.Raw = NOTHING


class Attributes(msgspec.Struct, rename="camel"):
    """What any event type's attributes hold that is used here; each type has a few of them."""

    activity_type: Name | None = None
    workflow_type: Name | None = None
    workflow_id: str | None = None
    original_execution_run_id: str | None = None
    first_execution_run_id: str | None = None
    new_execution_run_id: str | None = None
    new_run_id: str | None = None
    parent_workflow_execution: Execution | None = None
    workflow_execution: Execution | None = None
    external_workflow_execution: Execution | None = None
    identity: str | None = None
    attempt: int | str | None = None
    worker_version: Worker | None = None
    deployment_version: Worker | None = None
    binary_checksum: str | None = None
    memo: msgspec.Raw = NOTHING
    search_attributes: msgspec.Raw = NOTHING
    scheduled_event_id: str | int | None = None
    started_event_id: str | int | None = None
    initiated_event_id: str | int | None = None
    accepted_event_id: str | int | None = None
    input: msgspec.Raw = NOTHING
    result: msgspec.Raw = NOTHING
    details: msgspec.Raw = NOTHING
    failure: msgspec.Raw = NOTHING
    last_failure: msgspec.Raw = NOTHING
    cause: str | None = None
    reason: str | None = None
    signal_name: str | None = None
    marker_name: str | None = None
    endpoint: str | None = None
    service: str | None = None
    operation: str | None = None
    accepted_request: Request | None = None
    rejected_request: Request | None = None
    request: Request | None = None
    meta: Meta | None = None
    protocol_instance_id: str | None = None
    outcome: Outcome | None = None


class Happening(msgspec.Struct):
    """One history event."""

    record: Record
    number: int
    type: str
    at: int | None
    said: Attributes
    attributes: msgspec.Raw | None


_ATTRIBUTES: Final = msgspec.json.Decoder(Attributes)
_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ELEMENTS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_TEXT: Final = msgspec.json.Decoder(str)
_TYPES: dict[str, str] = {}
_SNAKE: Final = re.compile(r"_([a-z])")
_DEEPEST: Final = 32


def number_of(written: str | int | None) -> int | None:
    """An event id that another event refers to; 0 is protobuf's "none"."""
    if isinstance(written, str):
        if not (written.isascii() and written.isdigit() and len(written) < 20):
            return None
        written = int(written)
    return written if written and 0 < written <= _LARGEST else None


def histories(records: Iterable[Record | Rejected]) -> Iterator[list[Happening] | Rejected]:
    """Every history once, its events in eventId order; what cannot be read stands before its history.

    Bare events (without a history around them) belong together until an eventId comes a second time.
    """
    loose: dict[int, Happening] = {}
    for record in records:
        if isinstance(record, Rejected):
            yield record
            continue
        for part in _parts(record):
            if isinstance(part, list):
                yield from _history(part)
                continue
            event = part if isinstance(part, Rejected) else happening(part)
            if isinstance(event, Rejected):
                yield event
                continue
            if event.number in loose:
                yield _in_order(loose)
                loose = {}
            loose[event.number] = event
    if loose:
        yield _in_order(loose)


def _history(records: list[Record]) -> Iterator[list[Happening] | Rejected]:
    events: dict[int, Happening] = {}
    for record in records:
        event = happening(record)
        if isinstance(event, Rejected):
            yield event
        elif event.number in events:
            yield Rejected(record.line, f"eventId {event.number} is in this history twice; {_REMEDY}")
        else:
            events[event.number] = event
    if events:
        yield _in_order(events)


def _in_order(events: dict[int, Happening]) -> list[Happening]:
    return [events[number] for number in sorted(events)]


def _parts(record: Record, depth: int = 0) -> Iterator[list[Record] | Record | Rejected]:
    """A record's histories (as lists of their events) and its bare events."""
    if record.raw[:1] == b"[" and depth == 0:
        elements = record.decode(_ELEMENTS)
        if isinstance(elements, Rejected):
            yield elements
        elif not elements:
            yield Rejected(record.line, f"an empty list, no history in it; {_REMEDY}")
        else:
            for element in record.elements(elements):
                yield from _parts(element, 1)
        return
    members = record.decode(_MEMBERS)
    if isinstance(members, Rejected):
        yield members
    elif "events" in members:
        events = read(_ELEMENTS, members["events"])
        if not events:
            yield Rejected(record.line, f"a history without a list of events; {_REMEDY}")
        else:
            yield list(record.elements(events))
    elif "items" in members and depth < 3 and (items := read(_ELEMENTS, members["items"])):
        for item in record.elements(items):
            yield from _parts(item, max(depth, 1) + 1)
    elif "history" in members and depth < 4:
        for inner in record.elements([members["history"]]):
            yield from _parts(inner, max(depth, 1) + 1)
    else:
        yield record


def happening(record: Record) -> Happening | Rejected:
    """One event, or why it is none."""
    try:
        members = _MEMBERS.decode(record.raw)
        if "event_id" in members:
            members = _MEMBERS.decode(msgspec.json.encode(_in_camel_case(msgspec.json.decode(record.raw), 0)))
        number = _NUMBER.fullmatch(bytes(members.get("eventId", NOTHING)))
        if number is None or not 0 < int(number[1]) <= _LARGEST:
            return Rejected(record.line, f"a history event without an eventId; {_REMEDY}")
        written = _TEXT.decode(members.get("eventType", NOTHING))
        time = read(_TEXT, members.get("eventTime"))
        attributes = next((raw for key, raw in members.items() if key.endswith("EventAttributes")), None)
        said = Attributes() if attributes is None else _ATTRIBUTES.decode(attributes)
    except Unreadable as error:
        return Rejected(record.line, f"{complaint(error)}; {_REMEDY}")
    return Happening(record, int(number[1]), _type(written), nanoseconds(time), said, attributes)


def _in_camel_case(value: object, depth: int) -> object:
    """Field names as protobuf keeps them (`event_id`), as its JSON has them by default (`eventId`)."""
    if depth > _DEEPEST:
        return value
    if isinstance(value, list):
        return [_in_camel_case(part, depth + 1) for part in value]
    if not isinstance(value, dict):
        return value
    return {_SNAKE.sub(lambda m: m[1].upper(), str(k)): _in_camel_case(v, depth + 1) for k, v in value.items()}


def _type(written: str) -> str:
    """Both spellings as one: EVENT_TYPE_TIMER_FIRED and TimerFired are TimerFired."""
    known = _TYPES.get(written)
    if known is not None:
        return known
    spelt = written
    if written.startswith("EVENT_TYPE_"):
        spelt = "".join(word.capitalize() for word in written.removeprefix("EVENT_TYPE_").split("_"))
    if len(_TYPES) < 256:
        _TYPES[written] = spelt
    return spelt
