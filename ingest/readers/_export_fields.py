"""One JSON object of an export, looked into member by member: both spellings of a name, JSON inside strings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from ingest.event import Rejected
from ingest.json_text import without_lone_surrogates
from ingest.payloads import Unreadable, as_text, read
from ingest.records import Record

_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ELEMENTS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_VALUE: Final = msgspec.json.Decoder()
_TEXT: Final = msgspec.json.Decoder(str)
_BIGGEST: Final = 1 << 62
_MOST_NESTED: Final = 3
REMEDY: Final = "fix or remove the record and ingest again"


class Fields:
    """An object's members, still as bytes. What is missing, null or of another type reads as None."""

    __slots__ = ("raw",)

    def __init__(self, raw: dict[str, msgspec.Raw]) -> None:
        self.raw = raw

    def __contains__(self, name: str) -> bool:
        return name in self.raw

    def first(self, *names: str) -> bytes | None:
        """The first of these members that is there and not null."""
        for name in names:
            found = self.raw.get(name)
            if found is not None and (written := bytes(found)) != b"null":
                return written
        return None

    def text(self, *names: str) -> str | None:
        """The first of these members that is a text with something in it."""
        for name in names:
            found = self.raw.get(name)
            if found is not None and bytes(found)[:1] == b'"' and (text := read(_TEXT, found)):
                return text
        return None

    def count(self, *names: str) -> int | None:
        """The first of these members that is a whole number, or a text of digits."""
        for name in names:
            value = self.value(name)
            if isinstance(value, float) and value.is_integer() and abs(value) < _BIGGEST:
                value = int(value)
            if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
                value = int(value)
            if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _BIGGEST:
                return value
        return None

    def value(self, name: str) -> object:
        """The member as Python objects."""
        return read(_VALUE, self.raw.get(name))

    def payload(self, *names: str) -> str | None:
        """The first of these members as compact JSON text; a text that is itself an object or array is opened."""
        found = self.first(*names)
        return None if found is None else compact(found)

    def inside(self, *names: str) -> Fields:
        """The object in the first of these members, or in the text there; one without members where none is."""
        for name in names:
            found = self.raw.get(name)
            if found is not None and (inner := _object_in(bytes(found))) is not None:
                return inner
        return Fields({})

    def list_of(self, *names: str) -> list[bytes]:
        """The elements of the first of these members that is an array, or holds one as text."""
        for name in names:
            written = self.first(name)
            if written is not None and written[:1] == b'"':
                written = (read(_TEXT, written) or "").strip().encode("utf-8", "replace")
            if written is not None and written[:1] == b"[" and (found := read(_ELEMENTS, written)) is not None:
                return [bytes(part) for part in found]
        return []


def fields_in(raw: bytes) -> Fields:
    """The object that these bytes are, or one without members."""
    return _object_in(raw) or Fields({})


def fields_of(record: Record) -> Fields | Rejected:
    """The record's members, or why it has none."""
    if b"\\u" in record.raw and (mended := without_lone_surrogates(record.raw)) != record.raw:
        record.mend(mended)
    members = record.decode(_MEMBERS)
    return members if isinstance(members, Rejected) else Fields(members)


def compact(written: bytes) -> str:
    """JSON bytes as text without white space between its parts, so that an indented export reads the same."""
    try:
        if written[:1] == b'"':
            text = _TEXT.decode(written)
            inner = text.strip()
            if inner[:1] in ("{", "[") and read(_VALUE, inner) is not None:
                return msgspec.json.format(inner, indent=-1)
            return as_text(text)
        return msgspec.json.format(written, indent=-1).decode("utf-8", "replace")
    except Unreadable:
        return as_text(written.decode("utf-8", "replace"))


def parts(records: Iterable[Record], *holders: str, own: str) -> Iterator[Record | Rejected]:
    """The single records of lines, arrays and pages. A page holds them under `holders` and has no member `own`."""
    for record in records:
        yield from _parts(record, holders, own, _MOST_NESTED)


def opened(records: Iterable[Record], *holders: str, own: str) -> Iterator[tuple[Record, Fields] | Rejected]:
    """`parts`, each with its members."""
    for part in parts(records, *holders, own=own):
        if isinstance(part, Rejected):
            yield part
            continue
        fields = fields_of(part)
        yield fields if isinstance(fields, Rejected) else (part, fields)


def _parts(record: Record, holders: tuple[str, ...], own: str, deepest: int) -> Iterator[Record | Rejected]:
    held: list[msgspec.Raw] | None = None
    if record.raw[:1] == b"[":
        elements = record.decode(_ELEMENTS)
        if isinstance(elements, Rejected):
            yield elements
            return
        held = elements
    elif any(b'"%s"' % holder.encode() in record.raw for holder in holders):
        members = read(_MEMBERS, record.raw)
        if members is not None and own not in members:
            for holder in holders:
                inner = members.get(holder)
                if inner is None or bytes(inner)[:1] not in (b"[", b"{"):
                    continue
                held = read(_ELEMENTS, inner) if bytes(inner)[:1] == b"[" else [inner]
                if held is not None:
                    break
    if held is None:
        yield record
    elif not held or deepest == 0:
        why = "no records in it" if not held else "records nested too deeply"
        yield Rejected(record.line, f"{why}; export again, or remove it")
    else:
        for part in record.elements(held):
            yield from _parts(part, holders, own, deepest - 1)


def _object_in(written: bytes) -> Fields | None:
    if written[:1] == b'"':
        written = (read(_TEXT, written) or "").strip().encode("utf-8", "replace")
    members = read(_MEMBERS, written) if written[:1] == b"{" else None
    return None if members is None else Fields(members)
