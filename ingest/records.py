"""Files -> records: bytes with a place. Plain, gzip or Zstandard; JSON lines, or one JSON document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from ingest.compressed import open_plain
from ingest.event import Rejected
from ingest.json_text import complaint, is_json, peek, repaired, without_lone_surrogates

__all__ = ["LogFile", "Record", "Unread", "complaint", "files_of"]

MAX_LINE_BYTES: Final = 128 << 20
MAX_DOCUMENT_BYTES: Final = 128 << 20
"""A line or a JSON document is held in memory whole; 128 MiB of it stay under 1 GB while it is decoded."""

NO_LOG_SUFFIXES: Final = {
    ".md", ".toml", ".py", ".pyc", ".txt", ".html", ".png", ".parquet", ".duckdb", ".sqlite",
}  # fmt: skip
"""What lies beside logs in a folder. A file that is named outright is looked at whatever its name."""

_LOOKED_AT_LINES: Final = 10

T = TypeVar("T")


class Unread(Exception):
    """A file that no reader can take; the message says why and what to do."""


class Record:
    """One record's bytes and its place. Decoding is the reader's, with the type that it expects."""

    __slots__ = ("_sha256", "line", "path", "raw")

    def __init__(self, path: str, line: int, raw: bytes) -> None:
        self.path, self.line, self.raw = path, line, raw
        self._sha256: str | None = None

    @property
    def source(self) -> str:
        """`file:line`."""
        return f"{self.path}:{self.line}"

    @property
    def sha256(self) -> str:
        """Of the raw bytes, in hex."""
        if self._sha256 is None:
            self._sha256 = sha256(self.raw).hexdigest()
        return self._sha256

    def decode(self, decoder: msgspec.json.Decoder[T]) -> T | Rejected:
        """The decoded record, or why it could not be decoded (never an exception)."""
        try:
            return decoder.decode(self.raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            mended = without_lone_surrogates(self.raw)
            if mended != self.raw:
                self.mend(mended)
                return self.decode(decoder)
            return Rejected(self.line, f"{complaint(error)}; fix or remove the record and ingest again")

    def mend(self, raw: bytes) -> None:
        """Go on with these bytes; `sha256` stays that of what was written."""
        self._sha256, self.raw = self.sha256, raw

    def elements(self, raws: Iterable[msgspec.Raw]) -> Iterator[Record]:
        """Parts of this record, in their order, each with the line on which it starts."""
        offset, line = 0, self.line
        for raw in raws:
            part = bytes(raw)
            start = self.raw.find(part, offset)
            line += self.raw.count(b"\n", offset, start)
            offset = start
            yield Record(self.path, line, part)
            line += part.count(b"\n")
            offset += len(part)


def files_of(paths: Iterable[Path]) -> Iterator[tuple[Path, bool]]:
    """The files under the paths, sorted, each once, and whether it is no log by its name.

    Hidden files are passed over, and links that lead back up are not followed.
    """
    seen: set[Path] = set()
    for path in paths:
        found = [(path, False)]
        if path.is_dir():
            inside = (p for p in path.rglob("*") if p.is_file())
            shown = (p for p in inside if not any(part.startswith(".") for part in p.parts[len(path.parts) :]))
            found = [(p, p.suffix.lower() in NO_LOG_SUFFIXES) for p in sorted(shown)]
        for file, is_no_log in found:
            real = file.resolve()
            if real not in seen:
                seen.add(real)
                yield file, is_no_log


class LogFile:
    """An open log: its shape, its first decoded record, and its records in order.

    Raises `Unread` on opening where the file holds no JSON. While iterating, what cannot be read comes
    as `Rejected`, and reading goes on with the next line.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.name = name
        self._path = path
        self._stream = open_plain(path)
        self._head: list[tuple[int, bytes]] = []
        self._line = 0
        self._broken: str | None = None
        self._document: bytes | None = None
        self.first = self._look()

    @property
    def is_lines(self) -> bool:
        """Whether it is JSON lines, and not one document."""
        return self._document is None

    def close(self) -> None:
        self._stream.close()

    def _line_of_bytes(self) -> bytes | None:
        """The next line without its end, or None at the end of the file."""
        try:
            raw = self._stream.readline(MAX_LINE_BYTES + 1)
        except EOFError as error:
            self._broken = str(error)
            return None
        if not raw:
            return None
        self._line += 1
        rest = raw
        while len(rest) > MAX_LINE_BYTES and not rest.endswith(b"\n"):
            try:
                rest = self._stream.readline(MAX_LINE_BYTES + 1)
            except EOFError as error:
                self._broken = str(error)
                break
        return raw

    def _look(self) -> object:
        """Find the shape; return the first record that decodes.

        Lines, where the first one is JSON by itself; else one document, where the whole is JSON; else lines again,
        the first of them broken.
        """
        for _ in range(_LOOKED_AT_LINES):
            raw = self._line_of_bytes()
            if raw is None:
                break
            self._head.append((self._line, raw.removeprefix(b"\xef\xbb\xbf") if self._line == 1 else raw))
            if len(self._head) == 1 and _is_record(first := repaired(self._head[0][1])):
                return peek(first)
        whole = [raw for _, raw in self._head if raw.strip()]
        records = [raw for raw in map(repaired, whole) if _is_record(raw)]
        if whole and records and repaired(whole[0]) == records[0]:
            return peek(records[0])
        head = b"".join(raw for _, raw in self._head)
        if not head.strip():
            if self._broken is not None:
                raise Unread(f"compressed data is broken from the start ({self._broken}); copy or export it again")
            raise Unread("empty: no records in it" if not head else "empty: only white space in it")
        try:
            if head.lstrip()[:1] not in (b"{", b"["):
                raise Unread(_what_it_is(head))
            return self._look_at_document(head)
        except Unread:
            if not records:
                raise
            self._start_again()
            return peek(records[0])

    def _start_again(self) -> None:
        """From the first line, as lines."""
        self._stream.close()
        self._stream = open_plain(self._path)
        self._head, self._line, self._broken = [], 0, None

    def _look_at_document(self, head: bytes) -> object:
        try:
            rest = b"" if self._broken else self._stream.read(MAX_DOCUMENT_BYTES)
        except EOFError as error:
            raise Unread(f"one JSON document in compressed data that ends early ({error}); export it again") from error
        document = repaired(head + rest)
        if len(document) > MAX_DOCUMENT_BYTES:
            raise Unread(
                f"one JSON document of more than {MAX_DOCUMENT_BYTES >> 20} MiB; export it as JSON lines, or split it"
            )
        if not is_json(document):
            raise Unread(f"neither JSON lines nor a whole JSON document: {_why_not(document)}")
        self._document = document
        self._head = []
        return peek(document)

    def records(self) -> Iterator[Record | Rejected]:
        """Every record once, in the file's order. A blank line is no record."""
        if self._document is not None:
            lead = len(self._document) - len(self._document.lstrip())
            line = 1 + self._document.count(b"\n", 0, lead)
            yield Record(self.name, line, self._document.strip())
            return
        for line, raw in self._lines():
            raw = raw.strip()
            if len(raw) > MAX_LINE_BYTES:
                yield Rejected(line, f"longer than {MAX_LINE_BYTES >> 20} MiB; split the record")
            elif raw:
                yield Record(self.name, line, raw)
        if self._broken is not None:
            yield Rejected(
                self._line + 1,
                f"compressed data ends early or is broken here ({self._broken}); "
                "what stands before it was read; copy or export the file again",
            )

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        yield from self._head
        while (raw := self._line_of_bytes()) is not None:
            yield self._line, raw


def _is_record(raw: bytes) -> bool:
    """Whether a line is a record by itself: a bare number or text never is."""
    return raw.lstrip()[:1] in (b"{", b"[") and is_json(raw)


def _why_not(document: bytes) -> str:
    try:
        msgspec.json.decode(document, type=msgspec.Raw)
        document.decode("utf-8")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return complaint(error)
    return "not JSON"


def _what_it_is(head: bytes) -> str:
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "UTF-16 text; convert it to UTF-8"
    if head[:4] == b"PK\x03\x04":
        return "a ZIP archive; unpack it and name the folder"
    if head[:4] == b"PAR1":
        return "a Parquet file; export it as JSON lines"
    try:
        head[:4096].decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:
            return f"binary data (byte {error.start} is not text); name a JSON or JSON lines log"
    if b"\x00" in head[:4096]:
        return "binary data (NUL bytes); name a JSON or JSON lines log"
    return "text, but not JSON: line 1 starts neither an object nor an array"
