"""The traces that are still being told of, in memory: new observations in, whole settled traces out.

A trace that is stored already is fetched when a record of it comes, so that nothing is taken twice, over a restart
too, and a late record settles its trace anew. What is published and has been quiet is let go, the longest quiet first.
"""

from __future__ import annotations

import time
from collections import OrderedDict, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from ingest.event import Observation, Row
from ingest.published import published
from ingest.segments import take_traces
from ingest.settle import content_key, observed, settle

MOST_OBSERVATIONS: Final = 250_000
MOST_PAYLOAD_BYTES: Final = 256 << 20
"""About 700 MB together at their worst."""
QUIET_S: Final = 600.0
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
        self._stored: np.ndarray[tuple[int], np.dtype[np.int64]] = np.empty(0, np.int64)
        self._stored_since: set[int] = set()
        self._generation = -1
        self._fetched: list[Row] = []

    def __len__(self) -> int:
        return self._count

    @property
    def is_full(self) -> bool:
        """Whether more is held than should be: what is not published yet has to be published first."""
        return self._count > self._most or self._bytes > self._most_bytes

    def refresh(self) -> None:
        """Learn which traces are stored, where another state was published since."""
        state = published(self._data)
        if state.generation == self._generation:
            return
        files = [str(self._data / name) for name in state.files("traces")]
        ids: list[str] = pl.scan_parquet(files).select("trace_id").collect().to_series().to_list() if files else []
        self._stored = np.unique(np.fromiter(map(hash, ids), np.int64, len(ids)))
        self._stored_since.clear()
        self._generation = state.generation

    def own_publication(self, generation: int) -> None:
        """The state of this generation holds what was here, and nothing else that is new."""
        if generation == self._generation + 1:
            self._generation = generation

    def take(self, said: Iterable[Observation], now: float, batch: int) -> int:
        """Add observations; returns how many say something new."""
        said = list(said)
        self._fetch({o.trace_id for o in said if o.trace_id not in self._traces})
        new = 0
        for observation in said:
            trace = self._traces.get(observation.trace_id)
            if trace is None:
                trace = self._traces[observation.trace_id] = _Trace()
                self._stored_since.add(hash(observation.trace_id))
            key = content_key(observation)
            if key in trace.observations:
                continue
            new += 1
            self._hold(trace, key, observation)
            trace.batch = batch
            self._traces.move_to_end(observation.trace_id)
            if trace.due_at is None:
                trace.due_at = max(now, trace.settled_at + trace.cost_s / SETTLE_SHARE)
                trace.waits_until = now + WAIT_S
                self._due[observation.trace_id] = None
        return new

    def settled(self, now: float, *, everything: bool = False) -> Settled:
        """The traces that something came for, settled; steps that wait come again when they have waited enough."""
        rows: list[Row] = []
        waiting: set[str] = set()
        for trace_id in [t for t in self._due if everything or (self._traces[t].due_at or 0) <= now]:
            trace = self._traces[trace_id]
            began = time.monotonic()
            settled = settle(trace.observations.items())
            trace.cost_s, trace.settled_at = time.monotonic() - began, now
            rows += settled
            patient = trace.waits_until is not None and now < trace.waits_until and not everything
            still = _untold(settled, trace.observations) if patient else set()
            waiting |= still
            if still:
                trace.due_at = trace.waits_until
            else:
                trace.due_at = trace.waits_until = None
                del self._due[trace_id]
        return Settled(rows, frozenset(waiting))

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
                del self._traces[trace_id]
                gone.append(trace_id)
        return gone

    def fetched(self) -> list[Row]:
        """The stored rows that were fetched since this was last asked, as they were settled then."""
        fetched, self._fetched = self._fetched, []
        return fetched

    def _hold(self, trace: _Trace, key: str, observation: Observation) -> None:
        trace.observations[key] = observation
        size = len(observation.arguments or "") + len(observation.result or "")
        trace.payload_bytes += size
        self._bytes += size
        self._count += 1

    def _fetch(self, traces: set[str]) -> None:
        """Bring back stored traces that a record came for."""
        if not traces:
            return
        numbers = {hash(trace_id): trace_id for trace_id in traces}
        asked = np.fromiter(numbers, np.int64, len(numbers))
        places = np.minimum(np.searchsorted(self._stored, asked), max(0, len(self._stored) - 1))
        known = set(asked[self._stored[places] == asked].tolist()) if len(self._stored) else set()
        wanted = [numbers[n] for n in known | (self._stored_since & numbers.keys())]
        if wanted:
            for row in _stored_rows(self._data, wanted):
                trace = self._traces.setdefault(row.trace_id, _Trace())
                self._hold(trace, row.content_key, observed(row))
                self._fetched.append(row)


def _stored_rows(data: Path, wanted: list[str]) -> Iterable[Row]:
    state = published(data)
    files = [str(data / name) for name in state.files("traces")]
    if not files:
        return
    found = (
        pl.scan_parquet(files)
        .select("trace_id", "segment")
        .join(pl.LazyFrame({"trace_id": sorted(wanted)}), on="trace_id", how="semi")
        .unique()
        .sort("segment", "trace_id")
        .collect()
    )
    inside: dict[str, set[str]] = defaultdict(set)
    for trace_id, segment in found.iter_rows():
        inside[segment].add(trace_id)
    for segment, traces in inside.items():
        yield from take_traces(data / segment, traces)[0]


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
