"""Traces whose records stand beside one another, settled in columns: the most part of a flat log.

Where no record names a parent, a place in a sequence, a hand-off or a step of another trace, and no two tell of one
step, all that settling does is inherit what the trace's only agent, session or human is, and take the clock as it
is. `ingest/settle.py` says what settling means; for these traces both give the same rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from ingest.event import KINDS, OBSERVED, SCHEMA, Observation
from ingest.segments import columns_of

_INHERITED: Final = ("agent_id", "agent_version", "on_behalf_of", "session_id")
_OWN: Final = ("trace_id", "service", *_INHERITED)


def linked_traces(observations: Iterable[Observation]) -> set[str]:
    """The traces that are not plain."""
    told: dict[str, str] = {}
    linked: set[str] = set()
    for said in observations:
        if said.event_id in told:
            linked.add(told[said.event_id])
            linked.add(said.trace_id)
        elif (
            said.parent_event_id is not None
            or said.sequence is not None
            or said.joins is not None
            or said.kind == "handoff"
        ):
            linked.add(said.trace_id)
        told[said.event_id] = said.trace_id
    return linked


def settled_plainly(keys: Collection[str], observations: Sequence[Observation]) -> pa.Table:
    """Settle plain traces, given as content keys and observations; the rows of `events` in no order."""
    columns = columns_of(observations, OBSERVED)
    columns |= _inherited(columns)
    rows = len(observations)
    columns["ordered_at"] = columns["started_at"]
    columns["depth"] = pa.repeat(pa.scalar(0, pa.int32()), rows)
    columns["kind_rank"] = pc.index_in(columns["kind"], pa.array(KINDS, pa.string())).cast(pa.int8())
    columns["witnesses"] = pa.repeat(pa.scalar(1, pa.int32()), rows)
    columns["content_key"] = pa.array(keys, type=pa.string())
    columns["witness_of"] = columns["disagreement"] = pa.nulls(rows, pa.string())
    return pa.table([columns[name] for name in SCHEMA.names], schema=SCHEMA)


def _inherited(said: dict[str, pa.Array]) -> dict[str, pa.Array]:
    """Who acted, in which session and for whom, where the record itself does not say; and `own`: what it said."""
    own = pl.DataFrame({name: said[name] for name in _OWN})
    full = own.with_columns(pl.col(name).replace("", None) for name in _INHERITED)
    if not any(full[name].null_count() for name in _INHERITED):
        return {"own": pa.nulls(len(own), pa.string())}
    sole = full.group_by("trace_id").agg(
        pl.when(pl.col(name).drop_nulls().n_unique() == 1).then(pl.col(name).drop_nulls().first()).alias(f"sole_{name}")
        for name in _INHERITED
    )
    acting = pl.coalesce("agent_id", "sole_agent_id")
    version = pl.when(acting.eq_missing(pl.col("sole_agent_id"))).then(pl.col("sole_agent_version"))
    settled = full.join(sole, on="trace_id", how="left", maintain_order="left").select(
        agent_id=pl.coalesce(acting, "service"),
        agent_version=pl.coalesce(own["agent_version"], version),
        on_behalf_of=pl.coalesce("on_behalf_of", "sole_on_behalf_of"),
        session_id=pl.coalesce("session_id", "sole_session_id", "trace_id"),
    )
    changed = [own[name].ne_missing(settled[name]) for name in _INHERITED]
    before = [
        pl.when(differs).then(
            pl.when(own[name].is_null()).then(pl.lit(f'"{name}":null')).otherwise(pl.lit(f'"{name}":""'))
        )
        for name, differs in zip(_INHERITED, changed, strict=True)
    ]
    told = pl.concat_str(pl.lit("{"), pl.concat_str(before, separator=",", ignore_nulls=True), pl.lit("}"))
    written = settled.with_columns(own=pl.when(pl.any_horizontal(changed)).then(told))
    return {name: written[name].to_arrow().cast(pa.string()) for name in written.columns}
