"""The traces that are still being told of, in memory: new observations in, whole settled traces out.

A trace that is stored already is fetched when a record of it comes, so that nothing is taken twice, over a restart
too, and a late record settles its trace anew. What is published and has been quiet is let go, the longest quiet first.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from ingest.agent_key import DEFAULT
from ingest.event import Observation, Row
from ingest.joins import keys_in
from ingest.published import published
from ingest.settle import content_key, observed, settle
from ingest.store import stored_rows

MOST_OBSERVATIONS: Final = 200_000
MOST_PAYLOAD_BYTES: Final = 256 << 20
"""About 700 MB together at their worst."""
Hashes = np.ndarray[tuple[int], np.dtype[np.int64]]
_INDEX: Final = {"trace_id": pl.String(), "joins": pl.List(pl.String())}
QUIET_S: Final = 120.0
"""After this long without a record a published trace is forgotten, and fetched where one comes after all."""
WAIT_S: Final = 0.5
"""How long a step whose agent or session is only known to a parent waits for that parent. Exporters send a batch's
spans in the order of their ends, children first; a parent that comes later than this revises the judgement."""
SETTLE_SHARE: Final = 0.05
"""The share of the time that settling one long trace again and again may take."""


@dataclass
class _Trace:
    """One trace."""

    observations: dict[str, Observation] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    """Under which it is joined with other traces."""
    payload_bytes: int = 0
    due_at: float | None = None
    """When it is to be settled anew; None where nothing came since."""
    waits_until: float | None = None
    cost_s: float = 0.0
    settled_at: float = 0.0
    batch: int = 0
    """The last batch that brought something new."""


@dataclass(frozen=True)
class Settled:
    """What one look at the open traces gives."""

    rows: list[Row]
    """Whole traces."""
    waiting: frozenset[str]
    """Events among them that are not told of well enough to be judged yet."""


class OpenTraces:
    """One thread's."""

    def __init__(self, data: Path, *, most: int = MOST_OBSERVATIONS, most_bytes: int = MOST_PAYLOAD_BYTES) -> None:
        self._data, self._most, self._most_bytes = data, most, most_bytes
        self._traces: OrderedDict[str, _Trace] = OrderedDict()
        self._due: dict[str, None] = {}
        self._count = self._bytes = 0
        self._by_index: dict[str, Hashes] = {}
        self._stored_since: set[int] = set()
        self._generation = -1
        self._indexes: list[str] = []
        self._agent_key: tuple[str, ...] = DEFAULT
        self._holders: dict[str, set[str]] = {}
        """Joining key -> the open traces that have it."""
        self._fetched: list[Row] = []

    def __len__(self) -> int:
        return self._count

    @property
    def is_full(self) -> bool:
        """Whether more is held than should be: what is not published yet has to be published first."""
        return self._count > self._most or self._bytes > self._most_bytes

    def refresh(self) -> None:
        """Learn which traces and joining keys are stored, where another state was published since."""
        state = published(self._data)
        if state.generation == self._generation:
            return
        self._by_index = {
            name: self._by_index[name] if name in self._by_index else _hashes(self._data / name)
            for name in state.files("traces")
        }
        self._stored_since.clear()
        self._indexes, self._agent_key = state.files("traces"), state.agent_key
        self._generation = state.generation

    def take(self, said: Iterable[Observation], now: float, batch: int) -> int:
        """Add observations; returns how many say something new."""
        said = list(said)
        self._fetch(said)
        new = 0
        for observation in said:
            key = content_key(observation)
            trace = self._traces.get(observation.trace_id)
            if trace is None:
                trace = self._traces[observation.trace_id] = _Trace()
            if key in trace.observations:
                continue
            new += 1
            self._hold(trace, key, observation)
            self._stored_since.add(hash(observation.trace_id))
            self._stored_since.update(map(hash, keys_in(observation.joins)))
            trace.batch = batch
            self._traces.move_to_end(observation.trace_id)
            if trace.due_at is None:
                trace.due_at = max(now, trace.settled_at + trace.cost_s / SETTLE_SHARE)
                trace.waits_until = now + WAIT_S
                self._due[observation.trace_id] = None
        return new

    def settled(self, now: float, *, everything: bool = False) -> Settled:
        """The traces that something came for, settled with those that they are joined with.

        Steps that wait come again when they have waited enough.
        """
        rows: list[Row] = []
        waiting: set[str] = set()
        for trace_id in [t for t in self._due if everything or (self._traces[t].due_at or 0) <= now]:
            if trace_id not in self._due:
                continue
            group = self._joined(trace_id)
            told = {key: o for member in group for key, o in self._traces[member].observations.items()}
            began = time.monotonic()
            settled = settle(told.items(), self._agent_key)
            cost_s = time.monotonic() - began
            rows += settled
            until = max((self._traces[member].waits_until or 0.0) for member in group)
            still = _untold(settled, told) if now < until and not everything else set()
            waiting |= still
            for member in group:
                trace = self._traces[member]
                trace.cost_s, trace.settled_at = cost_s, now
                if still and member in self._due:
                    trace.due_at = until
                else:
                    trace.due_at = trace.waits_until = None
                    self._due.pop(member, None)
        return Settled(rows, frozenset(waiting))

    def _joined(self, trace_id: str) -> list[str]:
        """The open traces that hang together with this one by a key that they share."""
        group, pending = {trace_id}, [trace_id]
        while pending:
            for key in self._traces[pending.pop()].keys:
                more = self._holders.get(key, set()) - group
                group |= more
                pending += more
        return sorted(group)

    def let_go(self, published_batch: int, now: float) -> list[str]:
        """Forget traces that are published: the long quiet ones, and of the others so many that there is room."""
        gone: list[str] = []
        for trace_id in list(self._traces):
            is_roomy = self._count <= self._most * 3 // 4 and self._bytes <= self._most_bytes * 3 // 4
            if is_roomy and now - self._traces[trace_id].settled_at < QUIET_S:
                break
            trace = self._traces[trace_id]
            if trace.batch <= published_batch and trace.due_at is None:
                self._count -= len(trace.observations)
                self._bytes -= trace.payload_bytes
                for key in trace.keys:
                    self._holders[key].discard(trace_id)
                    if not self._holders[key]:
                        del self._holders[key]
                del self._traces[trace_id]
                gone.append(trace_id)
        return gone

    def fetched(self) -> list[Row]:
        """The stored rows that were fetched since this was last asked, as they were settled then."""
        fetched, self._fetched = self._fetched, []
        return fetched

    def _hold(self, trace: _Trace, key: str, observation: Observation) -> None:
        trace.observations[key] = observation
        for shared in keys_in(observation.joins):
            trace.keys.add(shared)
            self._holders.setdefault(shared, set()).add(observation.trace_id)
        size = len(observation.arguments or "") + len(observation.result or "")
        trace.payload_bytes += size
        self._bytes += size
        self._count += 1

    def _fetch(self, said: list[Observation]) -> None:
        """Bring back stored traces that a record came for, or one that is joined with them."""
        unknown: dict[int, Observation] = {}
        for observation in said:
            if observation.trace_id not in self._traces:
                unknown[hash(observation.trace_id)] = observation
            for key in keys_in(observation.joins):
                if key not in self._holders:
                    unknown[hash(key)] = observation
        if not unknown:
            return
        asked = np.fromiter(unknown, np.int64, len(unknown))
        known = self._stored_since & unknown.keys()
        for stored in self._by_index.values():
            if len(stored):
                places = np.minimum(np.searchsorted(stored, asked), len(stored) - 1)
                known |= set(asked[stored[places] == asked].tolist())
        if known:
            rows = stored_rows(self._data, self._indexes, [unknown[number] for number in sorted(known)])
            for row in (row for of_segment in rows.values() for row in of_segment):
                trace = self._traces.setdefault(row.trace_id, _Trace())
                if row.content_key not in trace.observations:
                    self._hold(trace, row.content_key, observed(row))
                    self._fetched.append(row)


def _hashes(index: Path) -> Hashes:
    """Of the traces and joining keys in one file of the index, sorted."""
    rows = pl.scan_parquet(index, schema=_INDEX, missing_columns="insert", extra_columns="ignore").collect()
    names: list[str] = rows["trace_id"].to_list() + rows["joins"].explode().drop_nulls().to_list()
    return np.sort(np.fromiter(map(hash, names), np.int64, len(names)))


def _untold(rows: list[Row], observations: dict[str, Observation]) -> set[str]:
    """The events that name no agent or session themselves, and whose chain of parents is not all there yet."""
    events = {row.event_id: row for row in rows if row.witness_of is None}
    untold: set[str] = set()
    for row in events.values():
        own = observations[row.content_key]
        if own.agent_id and own.session_id:
            continue
        climbed = 0
        above: Row | None = row
        while above is not None and above.parent_event_id is not None and climbed < len(events):
            above, climbed = events.get(above.parent_event_id), climbed + 1
        if above is None:
            untold.add(row.event_id)
    return untold
