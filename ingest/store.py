"""Observations -> the published event table: each step once, whatever was ingested before and in what order."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from ingest.agent_key import DEFAULT
from ingest.event import Observation, Row
from ingest.joins import grouped, keys_in
from ingest.plain import linked_traces, settled_plainly
from ingest.published import Edition
from ingest.segments import in_storage_order, take_traces, to_table, traces_of
from ingest.settle import content_key, observed, settle

FLUSH_OBSERVATIONS: Final = 100_000
FLUSH_PAYLOAD_BYTES: Final = 128 << 20
"""What is held in memory before a segment is written; about 500 MB at its worst."""

_TRACE: Final = {"trace_id": pl.String()}
_KEY: Final = {"joins": pl.String()}
_INDEX: Final = {**_TRACE, "segment": pl.String(), "joins": pl.List(pl.String())}

Outcome = tuple[int, str]
"""(number of the file in this run, one of events | folded | duplicates)."""


class EventWriter:
    """Collects observations, settles whole traces, writes segments. `outcomes` says what became of each record."""

    def __init__(self, edition: Edition) -> None:
        self._edition = edition
        self._pending: dict[str, tuple[int, Observation]] = {}
        self._payload_bytes = 0
        self._arrivals = 0
        self._last_arrival: dict[str, int] = {}
        self.outcomes: Counter[Outcome] = Counter()

    def add(self, file: int, observation: Observation) -> None:
        """Take one observation of the run's file number `file`."""
        key = content_key(observation)
        records = max(1, observation.records)
        if key in self._pending:
            self.outcomes[file, "duplicates"] += records
            first_file, first = self._pending[key]
            if (observation.source, file) < (first.source, first_file):
                first.source, first.source_sha256 = observation.source, observation.source_sha256
            return
        self._pending[key] = (file, observation)
        self._arrivals += 1
        self._last_arrival[observation.trace_id] = self._arrivals
        self._payload_bytes += len(observation.arguments or "") + len(observation.result or "")
        if len(self._pending) >= FLUSH_OBSERVATIONS or self._payload_bytes >= FLUSH_PAYLOAD_BYTES:
            self._flush(everything=False)

    def finish(self) -> None:
        """Write what is left. The edition's tables then hold all that was added; publishing is the caller's."""
        self._flush(everything=True)

    def _flush(self, *, everything: bool) -> None:
        """Settle and write the pending traces; those that may still be growing stay, unless they are too many."""
        if not self._pending:
            return
        recent = self._arrivals - len(self._pending) // 4
        kept = (
            {} if everything else {k: v for k, v in self._pending.items() if self._last_arrival[v[1].trace_id] > recent}
        )
        if len(kept) > len(self._pending) // 2:
            kept = {}
        leaving = {k: v for k, v in self._pending.items() if k not in kept}
        self._pending = kept
        self._payload_bytes = sum(len(o.arguments or "") + len(o.result or "") for _, o in kept.values())
        self._last_arrival = {o.trace_id: self._last_arrival[o.trace_id] for _, o in kept.values()}
        if leaving:
            self._write(leaving)

    def _write(self, new: dict[str, tuple[int, Observation]]) -> None:
        stored = self._stored([o for _, o in new.values()])
        known: dict[str, Row] = {row.content_key: row for rows in stored.values() for row in rows}
        for key in [key for key in new if key in known]:
            file, observation = new.pop(key)
            self.outcomes[file, "duplicates"] += max(1, observation.records)
        if not new:
            return
        changed = _touched([o for _, o in new.values()], known.values())
        before = [row for row in known.values() if row.trace_id in changed]
        linked = self._linked(new, before)
        plain = {k: told for k, told in new.items() if told[1].trace_id not in linked}
        parts = []
        if plain:
            parts.append(settled_plainly(plain, [o for _, o in plain.values()]))
            for file, observation in plain.values():
                self._count(file, observation, "events")
        if len(plain) < len(new):
            parts.append(to_table(self._settled(before, {k: told for k, told in new.items() if k not in plain})))
        affected = [segment for segment, found in stored.items() if any(r.trace_id in changed for r in found)]
        for segment in affected:
            self._drop_from(segment, changed)
        self._add_segment(in_storage_order(pa.concat_tables(parts)))

    def _linked(self, new: dict[str, tuple[int, Observation]], before: list[Row]) -> set[str]:
        """The traces that are not to be settled plainly."""
        observations = [o for _, o in new.values()]
        if self._edition.agent_key != DEFAULT:
            return {o.trace_id for o in observations}
        return linked_traces(observations) | {row.trace_id for row in before}

    def _settled(self, before: list[Row], new: dict[str, tuple[int, Observation]]) -> list[Row]:
        standing = {row.event_id for row in before if row.witness_of is None}
        told = [*((row.content_key, observed(row)) for row in before), *((k, o) for k, (_, o) in new.items())]
        rows = settle(told, self._edition.agent_key)
        standing |= {row.witness_of for row in rows if row.witness_of is not None and row.event_id in standing}
        for row in rows:
            if row.content_key in new:
                opened = row.witness_of is None and row.event_id not in standing
                self._count(*new[row.content_key], "events" if opened else "folded")
        return rows

    def _count(self, file: int, observation: Observation, outcome: str) -> None:
        self.outcomes[file, outcome] += 1
        if observation.records > 1:
            self.outcomes[file, "folded"] += observation.records - 1

    def _stored(self, new: list[Observation]) -> dict[str, list[Row]]:
        return stored_rows(self._edition.data, self._edition.tables.get("traces", []), new)

    def _drop_from(self, segment: str, traces: set[str]) -> None:
        """Rewrite a segment without these traces."""
        _, others = take_traces(self._edition.data / segment, traces)
        place = self._edition.tables["events"].index(segment)
        del self._edition.tables["events"][place]
        del self._edition.tables["traces"][place]
        if others.num_rows:
            self._add_segment(others)

    def _add_segment(self, table: pa.Table) -> None:
        segment = self._edition.write("events", table)
        self._edition.tables.setdefault("events", []).append(segment)
        self._edition.tables.setdefault("traces", []).append(self._edition.write("traces", traces_of(table, segment)))


def stored_rows(data: Path, indexes: Sequence[str], new: Sequence[Observation]) -> dict[str, list[Row]]:
    """The stored rows of these observations' traces, and of the traces that they are joined with, by segment."""
    files = [str(data / name) for name in indexes]
    if not files:
        return {}
    index = pl.scan_parquet(files, schema=_INDEX, missing_columns="insert", extra_columns="ignore")
    traces, keys = {o.trace_id for o in new}, {key for o in new for key in keys_in(o.joins)}
    by_segment: dict[str, set[str]] = defaultdict(set)
    looked_up: set[str] = set()
    while traces or keys:
        looked_up |= traces | keys
        named, shared = (
            pl.LazyFrame({"trace_id": sorted(traces)}, _TRACE),
            pl.LazyFrame({"joins": sorted(keys)}, _KEY),
        )
        named = index.join(named, on="trace_id", how="semi")
        joined = index.explode("joins").join(shared, on="joins", how="semi")
        found = pl.concat([named.explode("joins", empty_as_null=True), joined]).collect()
        for trace_id, segment in found.select("trace_id", "segment").unique().iter_rows():
            by_segment[segment].add(trace_id)
        traces = set(found["trace_id"]) - looked_up
        keys = set(found["joins"].drop_nulls()) - looked_up
    ordered = sorted(by_segment)
    return {segment: take_traces(data / segment, by_segment[segment])[0] for segment in ordered}


def _touched(new: list[Observation], known: Iterable[Row]) -> set[str]:
    """The traces that the new observations change: their own, and those joined with them."""
    keys: dict[str, set[str]] = defaultdict(set)
    for said in (*new, *known):
        if said.joins is not None:
            keys[said.trace_id].update(keys_in(said.joins))
    fresh = {o.trace_id for o in new}
    joined = (group for group in grouped(keys) if not fresh.isdisjoint(group))
    return fresh.union(*joined)


def known_files(edition: Edition) -> dict[str, tuple[str, int]]:
    """sha-256 of every file content that was read -> its reader and how many records it held."""
    known: dict[str, tuple[str, int]] = {}
    for name in edition.tables.get("files", []):
        columns = pq.read_table(edition.data / name, columns=["sha256", "reader", "records"]).to_pydict()
        pairs = zip(columns["reader"], columns["records"], strict=True)
        known.update(zip(columns["sha256"], pairs, strict=True))
    return known
