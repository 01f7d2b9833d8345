"""Raw records found again: the bytes at `file:line`, believed only where their SHA-256 is the one that was read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import msgspec

from ingest.errors import Trouble
from ingest.records import LogFile, Record, Unread

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_elements = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True)
class Place:
    """Where a record stood when it was read, and the SHA-256 of its bytes in hex."""

    source: str
    sha256: str


@dataclass(frozen=True)
class Found:
    """The record's bytes, or why there are none."""

    place: Place
    raw: bytes | None
    why: str = ""


def raw_records(places: Iterable[Place], known_files: set[str]) -> list[Found]:
    """Each record, in the order of `places`. Only files that were ingested (`known_files`) are opened."""
    asked = list(dict.fromkeys(places))
    by_file: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    why: dict[Place, str] = {}
    for place in asked:
        file, _, line = place.source.rpartition(":")
        if file not in known_files or not line.isdecimal():
            why[place] = "its source names no file that was ingested"
        else:
            by_file[file][place.sha256].add(int(line))
    bytes_of: dict[tuple[str, str], bytes] = {}
    why_of: dict[str, str] = {}
    for file in sorted(by_file):
        try:
            for digest, raw in _read(Path(file), by_file[file]):
                bytes_of[file, digest] = raw
        except (OSError, Unread, Trouble) as error:
            why_of[file] = f"the file cannot be read now: {getattr(error, 'strerror', None) or error}"
    found = []
    for place in asked:
        file = place.source.rpartition(":")[0]
        said = why.get(place) or why_of.get(file) or "the bytes at this place are not the ones that were read"
        known = bytes_of.get((file, place.sha256)) if place not in why else None
        found.append(Found(place, known, "" if known is not None else said))
    return found


def _read(path: Path, wanted: dict[str, set[int]]) -> Iterator[tuple[str, bytes]]:
    """(SHA-256, bytes) of what is wanted of one file; a record inside a document or a line is found in it."""
    lines = {line for each in wanted.values() for line in each}
    left = set(wanted)
    log = LogFile(path, str(path))
    try:
        for record in log.records():
            if not left or (log.is_lines and record.line > max(lines)):
                return
            if isinstance(record, Record) and (not log.is_lines or record.line in lines):
                for digest, raw in _inside(record.raw, left):
                    left.discard(digest)
                    yield digest, raw
    finally:
        log.close()


def _inside(raw: bytes, wanted: set[str]) -> Iterator[tuple[str, bytes]]:
    """The wanted ones among a record and every object and list in it."""
    parts = [raw]
    while parts and wanted:
        part = parts.pop()
        digest = sha256(part).hexdigest()
        if digest in wanted:
            yield digest, part
        try:
            inner = _members.decode(part).values() if part[:1] == b"{" else _elements.decode(part)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
        parts += [held for value in inner if (held := bytes(value))[:1] in (b"{", b"[")]
