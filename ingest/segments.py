"""Rows <-> the immutable segments of the event table. A trace lies whole in one segment."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ingest.event import SCHEMA, Observation, Row
from ingest.tables import TRACES

_STORED: Final = tuple(SCHEMA.names)
_NO_TIME: Final = -(1 << 62)
_TOLD: Final = (
    "witness_of", "kind", "status", "input_tokens", "output_tokens", "approval", "joins", "ordered_at", "ended_at",
)  # fmt: skip


def in_storage_order(events: pa.Table) -> pa.Table:
    """By agent, session and the session's total order: neighbours on disk are neighbours in time."""
    keys = pa.table(
        {
            "agent_id": pc.fill_null(events.column("agent_id"), ""),
            "session_id": pc.fill_null(events.column("session_id"), ""),
            "ordered_at": pc.fill_null(events.column("ordered_at").cast(pa.int64()), _NO_TIME),
            "trace_id": events.column("trace_id"),
            "sequence": pc.fill_null(events.column("sequence"), -1),
            "depth": events.column("depth"),
            "kind_rank": events.column("kind_rank"),
            "event_id": events.column("event_id"),
            "content_key": events.column("content_key"),
        }
    )
    order = pl.DataFrame(keys).select(pl.arg_sort_by(keys.column_names)).to_series()
    return events.take(order.to_arrow())


def to_table(rows: Sequence[Row]) -> pa.Table:
    """Rows as an Arrow table with the schema of `events`."""
    return pa.table(list(columns_of(rows, _STORED).values()), schema=SCHEMA)


def columns_of(rows: Sequence[Observation], names: Sequence[str]) -> dict[str, pa.Array]:
    """These columns of `events`, each gathered by itself: what few records say costs next to nothing."""
    columns: dict[str, pa.Array] = {}
    for name in names:
        values = list(map(attrgetter(name), rows))
        kind = SCHEMA.field(name).type
        is_void = values[:1] == [None] and values.count(None) == len(values)
        columns[name] = pa.nulls(len(values), kind) if is_void else pa.array(values, type=kind)
    return columns


def to_rows(table: pa.Table) -> list[Row]:
    """An Arrow table as rows; times come back as nanoseconds."""
    columns = [
        (column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column).to_pylist()
        for column in (table.column(name) for name in _STORED)
    ]
    return [Row(**dict(zip(_STORED, values, strict=True))) for values in zip(*columns, strict=True)]


def traces_of(events: pa.Table, segment: str) -> pa.Table:
    """What each agent did in each trace, for the index: a row of `traces` each."""
    key = ("trace_id", "session_id", "agent_id", "agent_version")
    is_step = pl.col("witness_of").is_null()
    named = [pl.col(name).fill_null("") for name in key]
    told = pl.DataFrame(events.select([*key, *_TOLD])).lazy().with_columns(pl.col("^.*_at$").cast(pl.Int64()), *named)
    found = told.group_by(key).agg(
        rows=pl.len(),
        steps=is_step.sum(),
        tool_calls=(is_step & (pl.col("kind") == "tool_call")).sum(),
        errors=(is_step & (pl.col("status") == "error")).sum(),
        input_tokens=pl.col("input_tokens").filter(is_step).sum(),
        output_tokens=pl.col("output_tokens").filter(is_step).sum(),
        approvals=pl.col("approval").filter(is_step).drop_nulls().unique().sort(),
        joins=pl.col("joins").drop_nulls().str.split(" ").explode(empty_as_null=False).unique().sort(),
        first_at=pl.col("ordered_at").filter(is_step).min(),
        last_at=pl.max_horizontal(*(pl.col(at).filter(is_step).max() for at in ("ordered_at", "ended_at"))),
    )
    empty = [pl.col(name).replace("", None) for name in ("agent_id", "agent_version")]
    index = found.sort(key).with_columns(*empty, segment=pl.lit(segment)).select(TRACES.names).collect()
    return index.to_arrow().cast(TRACES)


def take_traces(file: Path, traces: Collection[str]) -> tuple[list[Row], pa.Table]:
    """Split a segment: the rows of these traces, and the table of all others in the stored order."""
    table = pq.read_table(file, schema=SCHEMA)
    chosen = pc.is_in(table.column("trace_id"), value_set=pa.array(sorted(traces), type=pa.string()))
    return to_rows(table.filter(chosen)), table.filter(pc.invert(chosen))
