"""Rows <-> the immutable segments of the event table. A trace lies whole in one segment."""

from __future__ import annotations

from collections.abc import Collection
from operator import attrgetter
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ingest.event import SCHEMA, Row
from ingest.joins import keys_in
from ingest.tables import TRACES

_STORED: Final = tuple(SCHEMA.names)
_stored: Final = attrgetter(*_STORED)
_NO_TIME: Final = -(1 << 62)


def in_storage_order(rows: list[Row]) -> list[Row]:
    """By agent, session and the session's total order: neighbours on disk are neighbours in time."""
    return sorted(
        rows,
        key=lambda r: (
            r.agent_id or "",
            r.session_id or "",
            _NO_TIME if r.ordered_at is None else r.ordered_at,
            r.trace_id,
            -1 if r.sequence is None else r.sequence,
            r.depth,
            r.kind_rank,
            r.event_id,
            r.content_key,
        ),
    )


def to_table(rows: list[Row]) -> pa.Table:
    """Rows as an Arrow table with the schema of `events`."""
    columns = zip(*map(_stored, rows), strict=True) if rows else ([] for _ in _STORED)
    return pa.table(
        [pa.array(values, type=field.type) for values, field in zip(columns, SCHEMA, strict=True)], schema=SCHEMA
    )


def to_rows(table: pa.Table) -> list[Row]:
    """An Arrow table as rows; times come back as nanoseconds."""
    columns = [
        (column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column).to_pylist()
        for column in (table.column(name) for name in _STORED)
    ]
    return [Row(**dict(zip(_STORED, values, strict=True))) for values in zip(*columns, strict=True)]


def traces_of(rows: list[Row], segment: str) -> pa.Table:
    """What each agent did in each trace, for the index: a row of `traces` each."""
    found: dict[tuple[str, str, str, str], _Told] = {}
    for row in rows:
        key = (row.trace_id, row.session_id or "", row.agent_id or "", row.agent_version or "")
        told = found.get(key)
        if told is None:
            told = found[key] = _Told()
        told.take(row)
    out = [
        {
            "trace_id": trace_id,
            "session_id": session_id,
            "agent_id": agent_id or None,
            "agent_version": agent_version or None,
            "segment": segment,
            **found[trace_id, session_id, agent_id, agent_version].as_dict(),
        }
        for trace_id, session_id, agent_id, agent_version in sorted(found)
    ]
    return pa.Table.from_pylist(out, schema=TRACES)


class _Told:
    """The sums of one agent in one trace."""

    __slots__ = ("approvals", "errors", "first", "input", "joins", "last", "output", "rows", "steps", "tool_calls")

    def __init__(self) -> None:
        self.rows = self.steps = self.tool_calls = self.errors = self.input = self.output = 0
        self.first: int | None = None
        self.last: int | None = None
        self.approvals: set[str] = set()
        self.joins: set[str] = set()

    def take(self, row: Row) -> None:
        self.rows += 1
        if row.joins is not None:
            self.joins.update(keys_in(row.joins))
        if row.witness_of is not None:
            return
        self.steps += 1
        self.tool_calls += row.kind == "tool_call"
        self.errors += row.status == "error"
        self.input += row.input_tokens or 0
        self.output += row.output_tokens or 0
        if row.approval is not None:
            self.approvals.add(row.approval)
        at, end = row.ordered_at, row.ended_at
        if at is not None:
            if self.first is None or at < self.first:
                self.first = at
            if self.last is None or at > self.last:
                self.last = at
        if end is not None and (self.last is None or end > self.last):
            self.last = end

    def as_dict(self) -> dict[str, object]:
        return {
            "rows": self.rows,
            "steps": self.steps,
            "tool_calls": self.tool_calls,
            "errors": self.errors,
            "input_tokens": self.input,
            "output_tokens": self.output,
            "joins": sorted(self.joins),
            "approvals": sorted(self.approvals),
            "first_at": self.first,
            "last_at": self.last,
        }


def take_traces(file: Path, traces: Collection[str]) -> tuple[list[Row], pa.Table]:
    """Split a segment: the rows of these traces, and the table of all others in the stored order."""
    table = pq.read_table(file, schema=SCHEMA)
    chosen = pc.is_in(table.column("trace_id"), value_set=pa.array(sorted(traces), type=pa.string()))
    return to_rows(table.filter(chosen)), table.filter(pc.invert(chosen))
