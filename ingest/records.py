"""Files -> records: bytes with a place. Plain, gzip or Zstandard; JSON lines, or one JSON document."""

from __future__ import annotations

import io
import re
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol, TypeVar

import msgspec

from ingest.event import Rejected

if sys.version_info >= (3, 14):
    from compression.zstd import ZstdDecompressor, ZstdError
else:
    from backports.zstd import ZstdDecompressor, ZstdError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_LINE_BYTES: Final = 128 << 20
MAX_DOCUMENT_BYTES: Final = 128 << 20
"""A line or a JSON document is held in memory whole; 128 MiB of it stay under 1 GB while it is decoded."""

NO_LOG_SUFFIXES: Final = {
    ".md", ".toml", ".py", ".pyc", ".txt", ".html", ".png", ".parquet", ".duckdb", ".sqlite",
}  # fmt: skip
"""What lies beside logs in a folder. A file that is named outright is looked at whatever its name."""

T = TypeVar("T")


class Unread(Exception):
    """A file that no reader can take; the message says why and what to do."""


class Record:
    """One record's bytes and its place. Decoding is the reader's, with the type that it expects."""

    __slots__ = ("__dict__", "line", "path", "raw")

    def __init__(self, path: str, line: int, raw: bytes) -> None:
        self.path, self.line, self.raw = path, line, raw

    @property
    def source(self) -> str:
        """`file:line`."""
        return f"{self.path}:{self.line}"

    @cached_property
    def sha256(self) -> str:
        """Of the raw bytes, in hex."""
        return sha256(self.raw).hexdigest()

    def decode(self, decoder: msgspec.json.Decoder[T]) -> T | Rejected:
        """The decoded record, or why it could not be decoded (never an exception)."""
        try:
            return decoder.decode(self.raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            mended = without_lone_surrogates(self.raw)
            if mended != self.raw:
                digest = self.sha256
                self.raw, self.__dict__["sha256"] = mended, digest
                return self.decode(decoder)
            return Rejected(self.line, f"{complaint(error)}; fix or remove the record and ingest again")

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


_ESCAPE: Final = re.compile(rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|u[dD][89a-fA-F]..|.)", re.DOTALL)


def without_lone_surrogates(raw: bytes) -> bytes:
    """The JSON text with U+FFFD for every half of a surrogate pair that stands alone.

    JavaScript writes them where it cuts text; nobody may hide a record from us by writing one.
    """
    return _ESCAPE.sub(lambda found: b"\\ufffd" if len(found[0]) == 6 and found[0][2:3] in b"dD" else found[0], raw)


def complaint(error: Exception) -> str:
    """A decoder's error in words for the report."""
    if isinstance(error, msgspec.ValidationError):
        return f"not the shape that this format has ({error})"
    if isinstance(error, RecursionError):
        return "nested too deeply"
    return f"not JSON ({error})"


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


class _Decompressor(Protocol):
    """What `zlib` and `zstd` decompressors share."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


class _Inflated(io.RawIOBase):
    """Compressed bytes as plain ones. Where the data breaks, all that stands before is given out first."""

    def __init__(self, file: BinaryIO, fresh: Callable[[], _Decompressor]) -> None:
        self._file, self._fresh, self._inside = file, fresh, fresh()
        self._pending = b""
        self._complaint: str | None = None

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()
        super().close()

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        room = memoryview(buffer).cast("B")
        while not self._pending:
            if self._complaint is not None:
                raise EOFError(self._complaint)
            if not self._more():
                return 0
        taken = self._pending[: len(room)]
        room[: len(taken)] = taken
        self._pending = self._pending[len(taken) :]
        return len(taken)

    def _more(self) -> bool:
        """Decompress the next piece; False at a clean end."""
        if self._inside.eof:
            piece = self._inside.unused_data or self._file.read(_PIECE_BYTES)
            if not piece.strip(b"\0"):
                return False
            self._inside = self._fresh()
        else:
            piece = self._file.read(_PIECE_BYTES)
            if not piece:
                self._complaint = "it ends before its end mark"
                return True
        try:
            self._pending = self._inside.decompress(piece)
        except (zlib.error, ZstdError) as error:
            self._complaint = str(error)
        return True


_PIECE_BYTES: Final = 1 << 16


def open_plain(path: Path) -> BinaryIO:
    """The file's bytes, decompressed by what the bytes say, not by the name."""
    file = path.open("rb")
    head = file.read(4)
    file.seek(0)
    if head[:2] == b"\x1f\x8b":
        return io.BufferedReader(_Inflated(file, lambda: zlib.decompressobj(wbits=31)), 1 << 20)
    if head == b"\x28\xb5\x2f\xfd":
        return io.BufferedReader(_Inflated(file, ZstdDecompressor), 1 << 20)
    return file


_JSON: Final = msgspec.json.Decoder(msgspec.Raw)


_SMALL_BYTES: Final = 1 << 16
_PEEKED_ELEMENTS: Final = 8
_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TOKEN: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{},]', re.DOTALL)


def peek(raw: bytes) -> object:
    """Valid JSON as Python objects, of long arrays the first eight elements and of long texts nothing.

    Enough to recognise a format by, in memory bounded by the keys and not by the payload.
    """
    if len(raw) <= _SMALL_BYTES:
        return msgspec.json.decode(raw)
    match raw.lstrip()[:1]:
        case b"{":
            return {key: peek(bytes(value)) for key, value in _MEMBERS.decode(raw).items()}
        case b"[":
            return [peek(element) for element in _first_elements(raw)]
        case _:
            return ""


def _first_elements(raw: bytes) -> Iterator[bytes]:
    """The first elements of a valid JSON array, without making the others."""
    depth, start, found = 0, 0, 0
    for token in _TOKEN.finditer(raw):
        match token[0]:
            case b"[" | b"{":
                depth += 1
                start = token.end() if depth == 1 else start
            case b"]" | b"}":
                depth -= 1
            case b",":
                pass
            case _:
                continue
        if depth == 0 or (depth == 1 and token[0] == b","):
            element = raw[start : token.start()].strip()
            if element:
                yield element
                found += 1
            start = token.end()
            if depth == 0 or found == _PEEKED_ELEMENTS:
                return


def _is_json(raw: bytes) -> bool:
    try:
        _JSON.decode(raw)
        raw.decode("utf-8")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _repaired(raw: bytes) -> bytes:
    """The record as it is, or without lone surrogates where only those kept it from being JSON."""
    if _is_json(raw):
        return raw
    mended = without_lone_surrogates(raw)
    return mended if mended != raw and _is_json(mended) else raw


class LogFile:
    """An open log: its shape, its first decoded record, and its records in order.

    Raises `Unread` on opening where the file holds no JSON. While iterating, what cannot be read comes
    as `Rejected`, and reading goes on with the next line.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.name = name
        self._stream = open_plain(path)
        self._head: list[tuple[int, bytes]] = []
        self._line = 0
        self._broken: str | None = None
        self._document: bytes | None = None
        self.first = self._look()

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
        """Read enough to know the shape; return the first record that decodes."""
        for _ in range(10):
            raw = self._line_of_bytes()
            if raw is None:
                break
            if self._line == 1:
                raw = raw.removeprefix(b"\xef\xbb\xbf")
            self._head.append((self._line, raw))
            if raw.strip() and _is_json(mended := _repaired(raw)):
                return peek(mended)
        head = b"".join(raw for _, raw in self._head)
        if not head.strip():
            if self._broken is not None:
                raise Unread(f"compressed data is broken from the start ({self._broken}); copy or export it again")
            raise Unread("empty: no records in it" if not head else "empty: only white space in it")
        if head.lstrip()[:1] in (b"{", b"["):
            return self._look_at_document(head)
        raise Unread(_what_it_is(head))

    def _look_at_document(self, head: bytes) -> object:
        try:
            rest = b"" if self._broken else self._stream.read(MAX_DOCUMENT_BYTES)
        except EOFError as error:
            raise Unread(f"one JSON document in compressed data that ends early ({error}); export it again") from error
        document = _repaired(head + rest)
        if len(document) > MAX_DOCUMENT_BYTES:
            raise Unread(
                f"one JSON document of more than {MAX_DOCUMENT_BYTES >> 20} MiB; export it as JSON lines, or split it"
            )
        try:
            _JSON.decode(document)
            document.decode("utf-8")
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise Unread(f"neither JSON lines nor a whole JSON document: {complaint(error)}") from error
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
        for line, raw in self._head:
            yield from self._checked(line, raw)
        while (raw_line := self._line_of_bytes()) is not None:
            yield from self._checked(self._line, raw_line)
        if self._broken is not None:
            yield Rejected(
                self._line + 1,
                f"compressed data ends early or is broken here ({self._broken}); "
                "what stands before it was read; copy or export the file again",
            )

    def _checked(self, line: int, raw: bytes) -> Iterator[Record | Rejected]:
        raw = raw.strip()
        if not raw:
            return
        if len(raw) > MAX_LINE_BYTES:
            yield Rejected(line, f"longer than {MAX_LINE_BYTES >> 20} MiB; split the record")
        else:
            yield Record(self.name, line, raw)


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
