"""What followed files said -> the published event table: the same writer as for whole files, piece by piece.

A file that grows has one row in the register, which says what was read of it so far and that content's SHA-256: so a
file that has not grown since is known to a later `ingest`, and a restart reads on where the row ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import pyarrow.parquet as pq

from ingest.followed import Piece, Registered
from ingest.published import Edition
from ingest.rows import table_of
from ingest.store import EventWriter
from ingest.tables import FILES, REJECTED

_MOST_TOGETHER: Final = 50_000
"""Rows of a register file up to which it is written anew with what is added, so that there are few files."""


def store_pieces(edition: Edition, pieces: Sequence[Piece]) -> None:
    """Add the pieces, in the order in which they were read; publishing is the caller's."""
    writer = EventWriter(edition)
    for number, piece in enumerate(pieces):
        for said in piece.said:
            writer.add(number, said)
    writer.finish()
    files = {row["sha256"]: row for row in _taken_up(edition, "files")}
    rejected = _taken_up(edition, "rejected")
    for number, piece in enumerate(pieces):
        if piece.sha256 in files and piece.before not in files:
            continue  # handed over a second time, as the first ended in trouble behind this point
        before = files.pop(piece.before, None) if piece.before else None
        files[piece.sha256] = _row(piece, before, writer, number)
        if piece.before is not None:
            rejected = [
                {**r, "sha256": piece.sha256} if r["sha256"] == piece.before else r
                for r in rejected
                if not (piece.is_whole and r["sha256"] == piece.before)
            ]
        rejected += [
            {"path": piece.path, "line": r.line, "reason": r.reason, "sha256": piece.sha256} for r in piece.refused
        ]
    for table, schema, rows in (("files", FILES, list(files.values())), ("rejected", REJECTED, rejected)):
        if rows:
            edition.tables.setdefault(table, []).append(edition.write(table, table_of(rows, schema)))


def registered(edition: Edition) -> list[Registered]:
    """What the register says was read."""
    return [
        Registered(row["path"], row["size_bytes"], row["sha256"])
        for name in edition.tables.get("files", [])
        for row in pq.read_table(edition.data / name, columns=["path", "size_bytes", "sha256"]).to_pylist()
    ]


def _taken_up(edition: Edition, table: str) -> list[dict[str, Any]]:
    """The rows of the table's small files, which leave the edition to be written together again."""
    rows: list[dict[str, Any]] = []
    kept: list[str] = []
    for name in edition.tables.get(table, []):
        file = edition.data / name
        if pq.read_metadata(file).num_rows > _MOST_TOGETHER:
            kept.append(name)
        else:
            rows += pq.read_table(file).to_pylist()
    if table in edition.tables:
        edition.tables[table] = kept
    return rows


def _row(piece: Piece, before: dict[str, Any] | None, writer: EventWriter, number: int) -> dict[str, Any]:
    told = _records(piece.said) + len(piece.refused)
    events, folded = (writer.outcomes[number, outcome] for outcome in ("events", "folded"))
    row = {"records": told, "rejected": len(piece.refused), "events": events, "folded": folded}
    if before is not None:
        added = ("events", "folded") if piece.is_whole else tuple(row)
        row |= {name: row[name] + before[name] for name in added}
    row["duplicates"] = max(0, row["records"] - row["events"] - row["folded"] - row["rejected"])
    return {
        **row,
        "sha256": piece.sha256,
        "path": piece.path,
        "size_bytes": piece.size_bytes,
        "reader": piece.reader,
    }


def _records(said: Iterable[Any]) -> int:
    return sum(max(1, observation.records) for observation in said)
