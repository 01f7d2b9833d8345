"""What is published: a pointer file that names the Parquet files of every table, replaced atomically.

A run that is killed before the replacement leaves the last published state; its files are swept later.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from ingest.errors import AlreadyRunning, Trouble
from ingest.tables import TABLES

POINTER: Final = "published.json"
FORMAT: Final = 1
KEPT_AFTER_USE_S: Final = 3600
"""How long a file stays that nothing names any more: a dashboard may still be reading it."""

_PAYLOADS: Final = {
    "arguments",
    "result",
    "own",
    "event_id",
    "parent_event_id",
    "content_key",
    "source",
    "witness_of",
    "memory",
    "learnt",
}

_PACKED: Final = {"memories"}
"""Tables whose rows are small already: packing them once more costs and saves nothing."""


class Published(msgspec.Struct, frozen=True):
    """One published state: for each table the Parquet files, relative to the data directory, in order."""

    generation: int = 0
    format: int = FORMAT
    tables: dict[str, list[str]] = {}
    agent_key: tuple[str, ...] = ("agent",)
    """What makes an agent one and the same in these events; see `ingest/agent_key.py`."""
    retained_from_ns: int | None = None
    """Sessions that ended before this were dropped (`ingest/retention.py`); None: nothing ever was."""

    def files(self, table: str) -> list[str]:
        """The table's files; [] where nothing was published."""
        return self.tables.get(table, [])


def published(data: Path) -> Published:
    """The state that is published now; generation 0 where nothing is.

    Raises `Trouble` where the pointer is damaged or of another format.
    """
    pointer = data / POINTER
    try:
        state = msgspec.json.decode(pointer.read_bytes(), type=Published)
    except FileNotFoundError:
        return Published()
    except (msgspec.MsgspecError, OSError) as error:
        raise Trouble(
            f"{pointer}: cannot be read ({error}); restore it from a backup, or ingest into a new --data"
        ) from error
    if state.format != FORMAT:
        raise Trouble(f"{pointer}: format {state.format}, this version reads {FORMAT}; ingest into a new --data")
    return state


class Edition:
    """The next published state while it is being written. Only the holder of the lock has one."""

    def __init__(self, data: Path, before: Published) -> None:
        self.data, self.before = data, before
        self.generation = before.generation + 1
        self.tables = {name: list(files) for name, files in before.tables.items()}
        self.agent_key = before.agent_key
        self.retained_from_ns = before.retained_from_ns
        self._written = 0

    def write(self, table: str, rows: pa.Table, *, name: str | None = None) -> str:
        """Write one Parquet file durably; it is not yet part of the table. Returns its relative name."""
        name = name or f"{table}/{self.generation:06d}-{self._written:04d}.parquet"
        self._written += 1
        final = self.data / name
        draft = final.with_suffix(".draft")
        try:
            final.parent.mkdir(parents=True, exist_ok=True)
            dictionary = [
                c for c in rows.column_names if c not in _PAYLOADS and not pa.types.is_list(rows.schema.field(c).type)
            ]
            with draft.open("wb") as file:
                # No statistics without a dictionary: DuckDB 2.0.0 answers `is null` with every row where a text
                # column has statistics, no dictionary, nulls and one other value.
                pq.write_table(
                    rows, file, compression="none" if table in _PACKED else "zstd",
                    compression_level=None if table in _PACKED else 1, row_group_size=50_000,
                    use_dictionary=dictionary, write_statistics=dictionary,
                )  # fmt: skip
                file.flush()
                os.fsync(file.fileno())
            draft.replace(final)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise Trouble(
                f"{final}: cannot be written ({error.strerror or error}); nothing was published, "
                "the last state stands; make room or name another --data and run again"
            ) from error
        return name

    def replace(self, table: str, *parts: pa.Table) -> None:
        """Make the table consist of these rows alone."""
        self.tables[table] = [self.write(table, part) for part in parts]

    def publish(self) -> Published:
        """Replace the pointer: from here on, readers see this state."""
        tables = dict(sorted(self.tables.items()))
        state = Published(
            generation=self.generation,
            tables=tables,
            agent_key=self.agent_key,
            retained_from_ns=self.retained_from_ns,
        )
        pointer = self.data / POINTER
        draft = pointer.with_suffix(".draft")
        self._date_what_is_left_behind()
        try:
            with draft.open("wb") as file:
                file.write(msgspec.json.format(msgspec.json.encode(state), indent=1))
                file.flush()
                os.fsync(file.fileno())
            draft.replace(pointer)
            _sync_folder(self.data)
        except OSError as error:
            raise Trouble(
                f"{pointer}: cannot be replaced ({error.strerror or error}); the last state stands"
            ) from error
        return state

    def _date_what_is_left_behind(self) -> None:
        """What this state names no more is old from now on: whoever reads the former one has an hour to end."""
        named = {name for files in self.tables.values() for name in files}
        for files in self.before.tables.values():
            for name in files:
                if name not in named:
                    with suppress(OSError):
                        os.utime(self.data / name)


@contextmanager
def editing(data: Path) -> Iterator[Edition]:
    """Hold the data directory for writing. Raises `AlreadyRunning` where another process does."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        lock = (data / ".lock").open("w")
    except OSError as error:
        raise Trouble(f"{data}: cannot be written ({error.strerror or error}); name another --data") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning(f"{data}: another custodiet is writing here; wait for it to end") from error
        state = published(data)
        _sweep(data, state)
        yield Edition(data, state)


def empty(table: str) -> pa.Table:
    """The table with no rows."""
    return TABLES[table].empty_table()


def _sweep(data: Path, state: Published) -> None:
    """Remove what killed runs left and what no state has named for an hour."""
    named = {name for files in state.tables.values() for name in files}
    old = time.time() - KEPT_AFTER_USE_S
    for table in TABLES:
        for file in (data / table).glob("*"):
            relative = f"{table}/{file.name}"
            unfinished = file.suffix == ".draft" or relative > f"{table}/{state.generation:06d}-9999"
            if relative not in named and (unfinished or file.stat().st_mtime < old):
                file.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
