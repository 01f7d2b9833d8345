"""Lines on disk before they are acknowledged: one writer, one sync for all that came together."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final

from ingest.errors import Trouble

SUFFIX: Final = ".otlp.jsonl"
FILE_BYTES: Final = 64 << 20
"""A file of this size is finished and the next begun."""
WAITING_BYTES: Final = 64 << 20
"""What may wait for the disk; a sender beyond it is asked to come again."""
LEAST_FREE_BYTES: Final = 1 << 30
"""Below this nothing is accepted any more, so that what was accepted can still be published."""
_COMMIT_BYTES: Final = 8 << 20

_Waiting = tuple[bytes, "asyncio.Future[None]", asyncio.AbstractEventLoop]


class Refused(Exception):
    """Nothing of it was stored; the sender keeps it. The message says why."""


class Spool:
    """Appends lines to the newest file of a folder. One process writes a folder at a time."""

    def __init__(
        self,
        folder: Path,
        *,
        file_bytes: int = FILE_BYTES,
        waiting_bytes: int = WAITING_BYTES,
        least_free_bytes: int = LEAST_FREE_BYTES,
        sync: Callable[[int], None] = os.fdatasync,
    ) -> None:
        self._folder, self._file_bytes = folder, file_bytes
        self._most_waiting, self._least_free, self._sync = waiting_bytes, least_free_bytes, sync
        self._waiting: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._waiting_bytes = 0
        self._file: int | None = None
        self._size = 0
        self._looked_at = 0.0
        self._is_full = False
        try:
            folder.mkdir(parents=True, exist_ok=True)
            mend(folder)
        except OSError as error:
            raise Trouble(f"{folder}: cannot be written ({error.strerror or error}); make room or mend it") from error
        self._thread = threading.Thread(target=self._commit_all, name="spool", daemon=True)
        self._thread.start()

    async def put(self, line: bytes) -> None:
        """Return once the line is on disk for good. Raises `Refused` where it is not."""
        if self._waiting_bytes + len(line) > self._most_waiting:
            raise Refused("more is waiting for the disk than is kept in memory")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._waiting_bytes += len(line)
        try:
            self._waiting.put((line, done, loop))
            await asyncio.shield(done)
        finally:
            self._waiting_bytes -= len(line)

    def close(self) -> None:
        """Write what waits, then end."""
        self._waiting.put(None)
        self._thread.join()
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _commit_all(self) -> None:
        while True:
            first = self._waiting.get()
            if first is None:
                return
            together, size, is_last = [first], len(first[0]), False
            while size < _COMMIT_BYTES:
                try:
                    another = self._waiting.get_nowait()
                except Empty:
                    break
                if another is None:
                    is_last = True
                    break
                together.append(another)
                size += len(another[0])
            self._commit(together)
            if is_last:
                return

    def _commit(self, together: list[_Waiting]) -> None:
        why: str | None = None
        try:
            self._refuse_a_full_disk()
            self._write(b"".join(line + b"\n" for line, _, _ in together))
        except Refused as error:
            why = str(error)
        except OSError as error:
            why = f"the spool cannot be written ({error.strerror or error})"
            self._step_back()
        by_loop: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
        for _, done, loop in together:
            by_loop.setdefault(loop, []).append(done)
        for loop, answers in by_loop.items():
            loop.call_soon_threadsafe(_settle, answers, why)

    def _refuse_a_full_disk(self) -> None:
        now = time.monotonic()
        if now - self._looked_at > 1:
            self._looked_at = now
            self._is_full = shutil.disk_usage(self._folder).free < self._least_free
        if self._is_full:
            raise Refused("the disk is nearly full")

    def _write(self, lines: bytes) -> None:
        if self._file is None or self._size >= self._file_bytes:
            self._begin()
        assert self._file is not None
        view = memoryview(lines)
        while view:
            view = view[os.write(self._file, view) :]
        self._sync(self._file)
        self._size += len(lines)

    def _begin(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
        number = 0
        while True:
            name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{number:04d}{SUFFIX}"
            try:
                self._file = os.open(self._folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o640)
                break
            except FileExistsError:
                number += 1
        self._size = 0
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _step_back(self) -> None:
        """Take off again what a failed write left, and go on in another file where even that fails."""
        if self._file is None:
            return
        try:
            os.ftruncate(self._file, self._size)
        except OSError:
            os.close(self._file)
            self._file = None


def mend(folder: Path) -> None:
    """Cut off the torn last line that a crash may have left in the newest file: nobody was told that it is stored."""
    files = sorted(folder.glob(f"*{SUFFIX}"))
    if not files:
        return
    with files[-1].open("r+b") as file:
        end = whole = file.seek(0, os.SEEK_END)
        while whole:
            start = max(0, whole - (1 << 16))
            file.seek(start)
            piece = file.read(whole - start)
            if (at := piece.rfind(b"\n")) >= 0:
                whole = start + at + 1
                break
            whole = start
        if whole < end:
            file.truncate(whole)
            os.fsync(file.fileno())


def _settle(answers: list[asyncio.Future[None]], why: str | None) -> None:
    for done in answers:
        if done.cancelled():
            continue
        if why is None:
            done.set_result(None)
        else:
            done.set_exception(Refused(why))
