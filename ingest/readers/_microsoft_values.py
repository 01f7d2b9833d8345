"""What Microsoft's logs share: objects in envelopes, keys in three spellings, addresses in four."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from ingest.event import Rejected
from ingest.payloads import as_text, read, value_of
from ingest.records import Record

Members = dict[str, object]

_RAW_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ELEMENTS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_OBJECT: Final = msgspec.json.Decoder(dict[str, object])
_SEPARATORS: Final = str.maketrans("", "", "_-. ")
_DEEPEST: Final = 3
_LARGEST: Final = 1 << 62
_MAPPED: Final = re.compile(r"(?:::)?ffff:(\d{1,3}(?:\.\d{1,3}){3})(?::\d+)?", re.IGNORECASE)
_PORTED: Final = re.compile(r"(\d{1,3}(?:\.\d{1,3}){3}):\d+")
_BRACKETED: Final = re.compile(r"\[([0-9A-Fa-f:.%]+)\](?::\d+)?")
ENVELOPES: Final = ("value", "records", "results", "Results")
"""Keys under which Graph answers, Event Hub batches and hunting answers hold their rows."""
EMPTY_ID: Final = "00000000-0000-0000-0000-000000000000"


def key_of(key: object) -> str:
    """`ToolName`, `toolName`, `tool_name` and `gen_ai.tool.name` -> one spelling each."""
    return str(key).translate(_SEPARATORS).lower()


def unified(value: object) -> Members:
    """An object's members under `key_of` keys; a text that holds a JSON object counts as that object."""
    if isinstance(value, str):
        value = value_of(value) if value[:1] == "{" else None
    if not isinstance(value, dict):
        return {}
    found: Members = {}
    for key, member in value.items():
        found.setdefault(key_of(key), member)
    return found


def text(value: object) -> str | None:
    """A text that says something; a whole number counts as one."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def first_text(members: Members, *keys: str) -> str | None:
    """The text under the first of the keys that has one; an id of zeros is none."""
    for key in keys:
        value = text(members.get(key))
        if value is not None and value != EMPTY_ID:
            return value
    return None


def items(value: object) -> list[Members]:
    """The objects of an array (or of an array written as text), each with unified keys."""
    if isinstance(value, str) and value[:1] == "[":
        value = value_of(value)
    return [unified(item) for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def address(value: object) -> str | None:
    """An address without its port and without the lead that marks IPv4 inside IPv6."""
    said = text(value)
    if said is None:
        return None
    for pattern in (_MAPPED, _PORTED, _BRACKETED):
        if (found := pattern.fullmatch(said)) is not None:
            return found[1]
    return said


def payload(value: object) -> str | None:
    """A payload as JSON text; a text that already is a JSON object or array stays as it is."""
    if value is None or value in ("", {}, []):
        return None
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        stripped = value.strip()
        if value_of(stripped) is not None:
            return stripped
    return as_text(value)


def only(members: Members) -> str | None:
    """The members that say something, as JSON text; None where none does."""
    said = {key: value for key, value in members.items() if value not in (None, "", [], {})}
    return as_text(said) if said else None


def first_row(first: object, depth: int = 0) -> Members | None:
    """The first row of a file as its reader will see it, for `claims`."""
    if isinstance(first, list) and first and depth < _DEEPEST:
        return first_row(first[0], depth + 1)
    if not isinstance(first, dict):
        return None
    for key in ENVELOPES:
        if isinstance(first.get(key), list) and first[key]:
            return first_row(first[key], depth + 1)
    return first


def rows(records: Iterable[Record | Rejected]) -> Iterator[tuple[Record, Members] | Rejected]:
    """Every row of a file with its own place, out of lines, arrays and envelopes."""
    for record in records:
        if isinstance(record, Rejected):
            yield record
        else:
            yield from _rows(record, 0)


def _rows(record: Record, depth: int) -> Iterator[tuple[Record, Members] | Rejected]:
    if record.raw[:1] == b"[" and depth < _DEEPEST:
        elements = record.decode(_ELEMENTS)
        if isinstance(elements, Rejected):
            yield elements
            return
        if not elements:
            yield Rejected(record.line, "an empty list, no records in it; export a time range that holds some")
        for part in record.elements(elements):
            yield from _rows(part, depth + 1)
        return
    members = record.decode(_OBJECT)
    if isinstance(members, Rejected):
        yield members
        return
    if depth < _DEEPEST:
        for key in ENVELOPES:
            if not isinstance(members.get(key), list):
                continue
            raws = read(_RAW_MEMBERS, record.raw) or {}
            (whole,) = record.elements([raws[key]])
            yield from _rows(whole, depth + 1)
            return
    yield record, members
