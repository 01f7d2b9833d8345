"""Counts outlive their events: when sessions are dropped, what a baseline has learnt of them stays, summed by day.

They stay classed by the capability table of their day, as there is nothing left to class anew.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Final

import duckdb
import polars as pl
import pyarrow.parquet as pq

from baseline.capability import Capabilities
from baseline.fold import FORMAT, KEPT, classify_tools, counts_of_sessions, kept_counts
from ingest.published import Edition
from ingest.tables import COUNTS

_SESSIONS_AT_ONCE: Final = 5_000
_BY: Final = ["day", "agent_id", "agent_version", "aspect", "context", "value"]


def keep_counts(
    edition: Edition,
    connection: duckdb.DuckDBPyConnection,
    capabilities: Capabilities,
    sessions: Collection[str],
    *,
    since: date | None = None,
) -> int:
    """Make the counts of these sessions counts of their own, beside those that were kept before.

    Days before `since` are dropped. Publishing is the caller's, and so is `fold` after it, which counts what is left
    of the segments. Returns how many rows there are.
    """
    classify_tools(connection, capabilities)
    parts = [
        pl.DataFrame(pq.read_table(edition.data / file, schema=COUNTS)).select(*_BY, "steps", "sessions")
        for file in kept_counts(edition)
    ]
    ordered = sorted(sessions)
    for first in range(0, len(ordered), _SESSIONS_AT_ONCE):
        some = counts_of_sessions(connection, ordered[first : first + _SESSIONS_AT_ONCE])
        parts.append(some.select(*_BY, "steps", "sessions"))
    others = [name for name in edition.tables.get("counts", []) if not name.startswith(KEPT)]
    edition.tables["counts"] = others
    if not parts:
        return 0
    whole = pl.concat(parts).group_by(_BY).agg(pl.col("steps").sum(), pl.col("sessions").sum())
    if since is not None:
        whole = whole.filter(pl.col("day").is_null() | (pl.col("day") >= since))
    whole = whole.sort(_BY).with_columns(pl.lit("").alias("segment")).select(COUNTS.names)
    if whole.height:
        name = f"{KEPT}{edition.generation:06d}-{FORMAT}.parquet"
        edition.tables["counts"] = [edition.write("counts", whole.to_arrow().cast(COUNTS), name=name), *others]
    return whole.height


def leave_out(edition: Edition, segments: Collection[str]) -> None:
    """Name no counts any more of segments that are none any more: nothing is counted twice until `fold` has run."""
    gone = set(segments)

    def is_of_them(name: str) -> bool:
        column = pq.read_table(edition.data / name, schema=COUNTS, columns=["segment"]).column("segment")
        return bool(column.length() and gone & set((column[0].as_py() or "").split(" ")))

    edition.tables["counts"] = [name for name in edition.tables.get("counts", []) if not is_of_them(name)]
