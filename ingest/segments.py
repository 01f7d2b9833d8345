"""Rows <-> the immutable segments of the event table. A trace lies whole in one segment."""

from __future__ import annotations

from collections import defaultdict
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
    found: dict[tuple[str, str, str, str], list[Row]] = defaultdict(list)
    for row in rows:
        found[row.trace_id, row.session_id or "", row.agent_id or "", row.agent_version or ""].append(row)
    out: list[dict[str, object]] = []
    for (trace_id, session_id, agent_id, agent_version), told in sorted(found.items()):
        events = [row for row in told if row.witness_of is None]
        times = [row.ordered_at for row in events if row.ordered_at is not None]
        ends = [row.ended_at for row in events if row.ended_at is not None]
        out.append(
            {
                "trace_id": trace_id,
                "session_id": session_id,
                "agent_id": agent_id or None,
                "agent_version": agent_version or None,
                "rows": len(told),
                "steps": len(events),
                "tool_calls": sum(row.kind == "tool_call" for row in events),
                "errors": sum(row.status == "error" for row in events),
                "input_tokens": sum(row.input_tokens or 0 for row in events),
                "output_tokens": sum(row.output_tokens or 0 for row in events),
                "joins": sorted({key for row in told for key in keys_in(row.joins)}),
                "approvals": sorted({row.approval for row in events if row.approval is not None}),
                "first_at": min(times, default=None),
                "last_at": max(times + ends, default=None),
                "segment": segment,
            }
        )
    return pa.Table.from_pylist(out, schema=TRACES)


def take_traces(file: Path, traces: Collection[str]) -> tuple[list[Row], pa.Table]:
    """Split a segment: the rows of these traces, and the table of all others in the stored order."""
    table = pq.read_table(file, schema=SCHEMA)
    chosen = pc.is_in(table.column("trace_id"), value_set=pa.array(sorted(traces), type=pa.string()))
    return to_rows(table.filter(chosen)), table.filter(pc.invert(chosen))
