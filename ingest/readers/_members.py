"""A record as plain members, and safe ways into them, for formats whose records come in many shapes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from ingest.event import Kind, Observation, Rejected, identify
from ingest.payloads import read, text
from ingest.records import Record

Members = dict[str, object]

_MEMBERS: Final = msgspec.json.Decoder(dict[str, object])
_RAW_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_RAW_ELEMENTS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_sorted: Final = msgspec.json.Encoder(order="deterministic").encode


def members_of(record: Record) -> Members | Rejected:
    """The record's members, or why it is no object."""
    return record.decode(_MEMBERS)


def plain_name(value: object) -> str | None:
    """A text, or a whole number as text: what ids are written as."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return text(value)


def part(value: object, *path: str) -> Members:
    """The object at the end of the path; an empty one where there is none."""
    found = at_path(value, *path)
    return found if isinstance(found, dict) else {}


def at_path(value: object, *path: str) -> object:
    """Whatever stands at the end of the path, or None."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def objects(value: object) -> list[Members]:
    """The objects of a list; an object alone is a list of one."""
    if isinstance(value, dict):
        return [value]
    return [member for member in value if isinstance(member, dict)] if isinstance(value, list) else []


def texts_of(content: object) -> str | None:
    """A message's words: the content itself, or its text parts on lines of their own."""
    if isinstance(content, str):
        return content or None
    said = [t for p in objects(content) if (t := text(p.get("text"))) is not None]
    return "\n".join(said) or None


def fingerprint(value: object) -> str:
    """A hash of what a value says, whatever the order of its keys and the white space in the file."""
    return identify(_sorted(value).decode("utf-8", "replace"))


def beside_models(turn: Observation, above: dict[str, str | None]) -> str | None:
    """The parent of a model call: never another model call, under which it would pass for the same call told twice.

    `above` holds the parent of every model call so far, and is added to.
    """
    parent, passed = turn.parent_event_id, {turn.event_id}
    while parent is not None and parent in above and parent not in passed:
        passed.add(parent)
        parent = above[parent]
    above[turn.event_id] = None if parent in passed else parent
    return above[turn.event_id]


def raws_in(raw: bytes | msgspec.Raw | None) -> list[msgspec.Raw]:
    """The elements of a JSON array; none where it is no array."""
    return read(_RAW_ELEMENTS, raw) or []


def elements_of(record: Record, *held_under: str) -> Iterator[Record]:
    """The objects that a record holds: the record itself, an array's elements, or those below a member's name."""
    document = record.raw
    held = read(_RAW_MEMBERS, document) if held_under and document[:1] == b"{" else None
    inside = next((held[key] for key in held_under if held is not None and key in held), None)
    found = bytes(inside) if inside is not None else document
    if found[:1] != b"[":
        yield record if inside is None else next(iter(record.elements([inside])))
        return
    elements = raws_in(found)
    if not elements:
        yield record
        return
    yield from record.elements(elements)


def numbered_step(
    record: Record,
    out: list[Observation | Rejected],
    trace: str,
    agent: str,
    number: int,
    kind: Kind,
    operation: str,
    identity: tuple[str, ...],
) -> Observation:
    """A step of a format without ids and times: one trace, one agent, in the order of the list; added to `out`."""
    step = Observation(
        event_id=identify(*identity),
        trace_id=trace,
        session_id=trace,
        kind=kind,
        operation=operation,
        agent_id=agent,
        service=agent,
        sequence=number,
        status="ok",
        source=record.source,
        source_sha256=record.sha256,
        witness="message",
    )
    out.append(step)
    return step
