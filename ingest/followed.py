"""One followed file: what was read of it, and what is behind that."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from ingest.event import Observation, Rejected
from ingest.readers import Reader
from ingest.records import MAX_LINE_BYTES, Record

if TYPE_CHECKING:
    from hashlib import _Hash

PIECE_BYTES: Final = 4 << 20
"""What is read of one file at one look."""
_TAIL_BYTES: Final = 128


class Registered(NamedTuple):
    """A content that was read: the first `size_bytes` of a file at this path."""

    path: str
    size_bytes: int
    sha256: str


@dataclass
class Piece:
    """What one file said since the last look."""

    path: str
    reader: str
    said: list[Observation] = field(default_factory=list)
    refused: list[Rejected] = field(default_factory=list)
    size_bytes: int = 0
    sha256: str = ""
    """Of the first `size_bytes` of the file, this piece included."""
    is_whole: bool = False
    """Whether the piece holds all that the file says, what was said before included."""
    before: str | None = None
    """The SHA-256 that stands in the register for what was read before, which this piece continues."""


@dataclass
class Followed:
    """One file."""

    path: Path
    name: str
    grew_at: float
    gone_at: float | None = None
    """Since when it is in none of the folders."""
    size: int = -1
    is_done: bool = False
    """Read up to `size`."""
    is_resolved: bool = False
    reader: Reader | None = None
    by_line: bool = False
    descriptor: int | None = None
    offset: int = 0
    line: int = 0
    hash: _Hash = field(default_factory=sha256)
    tail: bytes = b""
    before: str | None = None
    read_at: float = 0.0
    read_cost_s: float = 0.0
    unread: str = ""

    def advance(self, piece: bytes) -> None:
        self.offset += len(piece)
        self.line += piece.count(b"\n")
        self.hash.update(piece)
        self.tail = (self.tail + piece)[-_TAIL_BYTES:]

    def start_over(self) -> None:
        self.close()
        self.offset, self.line, self.hash, self.tail, self.before = 0, 0, sha256(), b"", None
        self.is_resolved = self.is_done = False

    def close(self) -> None:
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None


def pieces_of(descriptor: int, start: int, end: int) -> Iterator[bytes]:
    """The bytes from `start` to before `end`, a few at a time."""
    while start < end:
        piece = os.pread(descriptor, min(PIECE_BYTES, end - start), start)
        if not piece:
            return
        start += len(piece)
        yield piece


def line_end_before(descriptor: int, end: int) -> int:
    """The place behind the last newline that stands before `end`; 0 where there is none."""
    while end:
        start = max(0, end - PIECE_BYTES)
        piece = os.pread(descriptor, end - start, start)
        if (found := piece.rfind(b"\n")) >= 0:
            return start + found + 1
        end = start
    return 0


def is_compressed(path: Path) -> bool:
    """By what the bytes say, not by the name."""
    with path.open("rb") as file:
        head = file.read(4)
    return head[:2] == b"\x1f\x8b" or head == b"\x28\xb5\x2f\xfd"


def records_in(name: str, first: int, lines: bytes, refused: list[Rejected]) -> Iterator[Record]:
    """The records in complete lines, the first of which has this number; what is too long goes to `refused`."""
    for number, line in enumerate(lines.split(b"\n"), first):
        raw = line.strip() if number > 1 else line.removeprefix(b"\xef\xbb\xbf").strip()
        if len(raw) > MAX_LINE_BYTES:
            refused.append(Rejected(number, f"longer than {MAX_LINE_BYTES >> 20} MiB; split the record"))
        elif raw:
            yield Record(name, number, raw)
