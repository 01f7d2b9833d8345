"""What people and deliveries change: one SQLite file, `people.sqlite`, and the only way into it.

Every table is a numbered file in `detect/schema/`, applied once and in order (`user_version` is the last one
applied). A released file never changes: what changes a table is the next file. What a person says (a verdict,
a note, a silence) goes into an append-only table, who, when and what, with triggers that refuse change.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Final

from ingest.errors import Trouble

FILE: Final = "people.sqlite"
BUSY_S: Final = 30.0
"""How long one writer waits for another: transactions here are a few rows long."""


@contextmanager
def people(data: Path) -> Iterator[sqlite3.Connection]:
    """The file of a data directory, made and brought up to date where it has to be. Rows answer by name.

    Outside of `transaction` every statement commits by itself. One connection is for one thread. Raises `Trouble`
    where the file is damaged, locked for longer than `BUSY_S`, or was written by a newer version.
    """
    path = data / FILE
    try:
        connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
        try:
            connection.row_factory = sqlite3.Row
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = full")
            connection.execute("pragma foreign_keys = on")
            _bring_up_to_date(connection, path)
            yield connection
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise Trouble(f"{path}: {error}; free the disk or restore the file, then run again") from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All or nothing. It takes the write lock at once, so that what is read inside still holds at the end."""
    connection.execute("begin immediate")
    try:
        yield connection
        connection.commit()
    finally:
        if connection.in_transaction:
            connection.rollback()


def is_there(data: Path) -> bool:
    """Whether anything was ever written: a reader need not make the file."""
    return (data / FILE).exists()


def changed_at(data: Path) -> tuple[int, ...]:
    """What differs once anything was written: when the file and its journal last changed."""
    files = (data / FILE, data / f"{FILE}-wal")
    return tuple(file.stat().st_mtime_ns if file.exists() else 0 for file in files)


def migrations() -> list[tuple[int, str]]:
    """Number and SQL of every file in `detect/schema/`, in order."""
    found = (file for file in files("detect").joinpath("schema").iterdir() if file.name.endswith(".sql"))
    return sorted((int(file.name.split("_", 1)[0]), file.read_text(encoding="utf-8")) for file in found)


def _bring_up_to_date(connection: sqlite3.Connection, path: Path) -> None:
    known = migrations()
    if _version(connection) == known[-1][0]:
        return
    with transaction(connection):
        version = _version(connection)  # another process may have been quicker
        if version > known[-1][0]:
            raise Trouble(f"{path}: written by a newer custodiet ({version}); run that one, or name another --data")
        for number, sql in known:
            if number > version:
                for statement in _statements(sql):
                    connection.execute(statement)
                connection.execute(f"pragma user_version = {number:d}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("pragma user_version").fetchone()[0])


def _statements(sql: str) -> Iterator[str]:
    """One statement at a time: `executescript` would commit the transaction around it."""
    statement = ""
    for line in sql.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        raise ValueError(f"a statement without its end: {statement.strip()[:80]}")
