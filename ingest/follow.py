"""Folders that are written to -> what their files said since the last look.

A file is known by its inode while custodiet runs, so that a rotated file is read to its end under any name; over a
restart it is known by the SHA-256 of what was read of it, so that no state but the published register is needed.
Looking is polling: notifications do not come from network mounts and containers.
"""

from __future__ import annotations

import logging
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Final

from ingest.compressed import open_plain
from ingest.event import Rejected
from ingest.followed import (
    PIECE_BYTES,
    Followed,
    Piece,
    Registered,
    is_compressed,
    line_end_before,
    pieces_of,
    records_in,
)
from ingest.json_text import is_json
from ingest.load import Broken, UnreadFile, choose_reader, guarded, readable
from ingest.readers import Reader
from ingest.records import MAX_LINE_BYTES, LogFile, Record, Unread, files_of

log = logging.getLogger(__name__)

HOT_S: Final = 60.0
"""A file that grew within this time is looked at every time; the others when the folders are listed."""
LISTING_SHARE: Final = 0.05
"""The share of the time that listing folders may take."""
RESTED_S: Final = 1.0
"""A file that is read as a whole is read when it has not grown for this long."""
WHOLE_SHARE: Final = 0.1
"""The share of the time that reading one growing file again and again may take."""
UNENDED_S: Final = 5.0
"""A last line without its end is taken after this long, where it is a whole record."""
_MOST_OPEN: Final = 256
_MOST_REMEMBERED: Final = 10_000
"""Contents of one folder."""


class Follower:
    """Looks at folders and files again and again. One thread's."""

    def __init__(
        self,
        paths: Iterable[Path],
        *,
        mapped: tuple[Reader, ...] = (),
        register: Iterable[Registered] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`register` holds what was read before, in an earlier process."""
        self._paths = list(paths)
        self._mapped = mapped
        self._register: dict[str, dict[str, Registered]] = defaultdict(dict)
        self._clock = clock
        self._files: dict[tuple[int, int], Followed] = {}
        self._next_listing = 0.0
        self.failed: list[str] = []
        """Readers that broke, with the place."""
        for known in register:
            self._remember(known)

    def look(self, *, everything: bool = False) -> Iterator[Piece]:
        """What is new, file by file, at most `PIECE_BYTES` of each. With `everything`, nothing rests or waits."""
        now = self._clock()
        if everything or now >= self._next_listing:
            self._list(now)
        for file in list(self._files.values()):
            is_hot = now - file.grew_at <= HOT_S
            if everything or is_hot or not file.is_done:
                yield from self._look_at(file, now, everything)
        self._close_cold(now)

    def unread(self) -> list[UnreadFile]:
        """The files that nobody can read, as they stand now."""
        return [UnreadFile(f.name, f.unread) for f in self._files.values() if f.unread]

    def close(self) -> None:
        for file in self._files.values():
            file.close()

    def _list(self, now: float) -> None:
        began = self._clock()
        listed: set[tuple[int, int]] = set()
        for path, is_no_log in files_of(p for p in self._paths if p.exists()):
            if is_no_log:
                continue
            try:
                stat = path.stat()
            except OSError:
                continue
            key = (stat.st_dev, stat.st_ino)
            listed.add(key)
            file = self._files.get(key)
            if file is None:
                file = self._files[key] = Followed(path, path.as_posix(), grew_at=now)
            file.path, file.gone_at = path, None
            if stat.st_size != file.size and now - file.grew_at > HOT_S:
                file.grew_at = now
        for key in [key for key in self._files if key not in listed]:
            file = self._files[key]
            # What was unlinked or moved away is read to its end through the descriptor that is still open.
            if file.gone_at is None:
                file.gone_at, file.is_done = now, False
            if file.descriptor is None or (file.is_done and now - max(file.gone_at, file.grew_at) > RESTED_S):
                file.close()
                del self._files[key]
        self._next_listing = now + (self._clock() - began) / LISTING_SHARE

    def _look_at(self, file: Followed, now: float, everything: bool) -> Iterator[Piece]:
        try:
            size = self._size(file)
            if size != file.size:
                file.size, file.grew_at, file.is_done = size, now, False
            if file.is_done or size == 0:
                file.is_done = True
                return
            if not file.is_resolved:
                self._resolve(file)
                if file.is_done:
                    return
            if file.by_line:
                yield from self._read_on(file, now, everything)
            elif everything or self._may_read_whole(file, now):
                yield from self._read_whole(file, now)
        except Unread as reason:
            file.unread, file.is_done = str(reason), True
        except Broken as why:
            self.failed.append(f"choosing a reader: {file.name}: {why}")
            file.unread, file.is_done = f"a reader broke on its first record ({why}); report it", True
        except FileNotFoundError:
            file.is_done = True
        except OSError as error:
            file.unread, file.is_done = f"cannot be read ({error.strerror or error}); check its permissions", True

    def _size(self, file: Followed) -> int:
        if file.descriptor is not None:
            return os.fstat(file.descriptor).st_size
        return file.path.stat().st_size

    def _resolve(self, file: Followed) -> None:
        """Find the file's reader, and how much of it was read before."""
        known = self._register[file.path.parent.as_posix()]
        # A file that stands in the register as it is now is not opened before it grows.
        as_named = [r for r in known.values() if r.path == file.name and r.size_bytes == file.size]
        if as_named and self._is_known(file, known):
            file.is_done = True
            return
        opened = LogFile(file.path, file.name)
        try:
            file.reader = guarded(lambda: choose_reader(opened.first, self._mapped))
            file.by_line = file.reader.by_line and opened.is_lines and not is_compressed(file.path)
        finally:
            opened.close()
        file.unread, file.is_resolved = "", True
        if file.by_line:
            file.descriptor = os.open(file.path, os.O_RDONLY)
            self._resume(file, file.descriptor, known)
        elif self._is_known(file, known):
            file.is_done = True

    def _is_known(self, file: Followed, known: dict[str, Registered]) -> bool:
        """Whether all of the file was read before, under whatever name: as it is, or packed since."""
        with file.path.open("rb") as raw:
            digest = file_digest(raw, "sha256").hexdigest()
        if digest not in known and is_compressed(file.path):
            running = sha256()
            try:
                with open_plain(file.path) as plain:
                    while piece := plain.read(PIECE_BYTES):
                        running.update(piece)
            except EOFError:
                return False
            digest = running.hexdigest()
        return digest in known

    def _resume(self, file: Followed, descriptor: int, known: dict[str, Registered]) -> None:
        """Go to the end of the longest beginning of the file that was read before.

        To the last line's end within it: a line that was torn then is read again, and told apart by its content.
        """
        found: Registered | None = None
        running, at = sha256(), 0
        for size in sorted({r.size_bytes for r in known.values() if 0 < r.size_bytes <= file.size}):
            for piece in pieces_of(descriptor, at, size):
                running.update(piece)
            at = size
            found = known.get(running.hexdigest(), found)
        if found is not None:
            file.before = found.sha256
            for piece in pieces_of(descriptor, 0, line_end_before(descriptor, found.size_bytes)):
                file.advance(piece)

    def _remember(self, known: Registered) -> None:
        folder = self._register[Path(known.path).parent.as_posix()]
        folder[known.sha256] = known
        if len(folder) > _MOST_REMEMBERED:
            del folder[next(iter(folder))]

    def _read_on(self, file: Followed, now: float, everything: bool) -> Iterator[Piece]:
        """The complete lines behind the offset; a file that was cut off or overwritten is a new one."""
        if file.descriptor is None:
            file.descriptor = os.open(file.path, os.O_RDONLY)
        if file.size < file.offset or not self._is_same(file):
            file.start_over()
            return
        while True:
            whole = self._lines(file, now, everything)
            if not whole:
                return
            piece = self._said(file, whole)
            if piece is not None:
                yield piece
            if not everything:
                return

    def _is_same(self, file: Followed) -> bool:
        """Whether what stands before the offset is still what was read there."""
        assert file.descriptor is not None
        return os.pread(file.descriptor, len(file.tail), file.offset - len(file.tail)) == file.tail

    def _lines(self, file: Followed, now: float, everything: bool) -> bytes:
        assert file.descriptor is not None
        piece = os.pread(file.descriptor, PIECE_BYTES, file.offset)
        end = piece.rfind(b"\n") + 1
        while not end and len(piece) >= PIECE_BYTES and len(piece) < MAX_LINE_BYTES + PIECE_BYTES:
            more = os.pread(file.descriptor, PIECE_BYTES, file.offset + len(piece))
            if not more:
                break
            end = (len(piece) + found + 1) if (found := more.rfind(b"\n")) >= 0 else 0
            piece += more
        file.is_done = file.offset + (end or len(piece)) >= file.size
        if end:
            return piece[:end]
        if len(piece) > MAX_LINE_BYTES:
            return piece
        if piece.strip() and (now - file.grew_at >= UNENDED_S or everything):
            return piece if is_json(piece.strip()) else b""
        file.is_done = not piece.strip()
        return b""

    def _said(self, file: Followed, lines: bytes) -> Piece:
        assert file.reader is not None
        piece = Piece(file.name, file.reader.name, before=file.before)
        first = file.line + 1
        file.advance(lines)
        self._read(file, piece, records_in(file.name, first, lines, piece.refused))
        piece.size_bytes, piece.sha256 = file.offset, file.hash.copy().hexdigest()
        self._has_read(file, piece)
        return piece

    def _has_read(self, file: Followed, piece: Piece) -> None:
        folder = self._register[Path(file.name).parent.as_posix()]
        if file.before is not None:
            folder.pop(file.before, None)
        file.before = piece.sha256
        self._remember(Registered(file.name, piece.size_bytes, piece.sha256))

    def _may_read_whole(self, file: Followed, now: float) -> bool:
        rested = now - file.grew_at >= RESTED_S
        return rested and now - file.read_at >= file.read_cost_s / WHOLE_SHARE

    def _read_whole(self, file: Followed, now: float) -> Iterator[Piece]:
        """All records of a file whose reader needs them together; what is known is told apart by its content."""
        began = time.monotonic()
        with file.path.open("rb") as raw:
            digest, size = file_digest(raw, "sha256").hexdigest(), os.fstat(raw.fileno()).st_size
        opened = LogFile(file.path, file.name)
        try:
            file.reader = guarded(lambda: choose_reader(opened.first, self._mapped))
            piece = Piece(file.name, file.reader.name, is_whole=True, before=file.before)
            self._read(file, piece, readable(opened.records(), piece.refused))
        finally:
            opened.close()
        file.read_at, file.read_cost_s = now, time.monotonic() - began
        file.is_done, file.unread = self._size(file) == size, ""
        piece.size_bytes, piece.sha256 = size, digest
        self._has_read(file, piece)
        yield piece

    def _read(self, file: Followed, piece: Piece, records: Iterator[Record]) -> None:
        reader = file.reader
        assert reader is not None

        def read() -> None:
            for said in reader.read(records):
                if isinstance(said, Rejected):
                    piece.refused.append(said)
                else:
                    piece.said.append(said)

        try:
            guarded(read)
        except Broken as why:
            log.exception("reader %s broke on %s", reader.name, file.name)
            self.failed.append(f"{reader.name}: {file.name}: {why}")
            piece.refused.append(Rejected(0, f"the reader {reader.name} broke here ({why}); report it"))

    def _close_cold(self, now: float) -> None:
        still = [f for f in self._files.values() if f.descriptor is not None]
        cold = [f for f in still if f.is_done and now - f.grew_at > HOT_S]
        for file in cold or sorted(still, key=lambda f: f.grew_at)[: max(0, len(still) - _MOST_OPEN)]:
            file.close()
