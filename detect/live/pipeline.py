"""The live pipeline: followed files -> traces -> verdicts -> alerts, tick by tick; publishing goes on beside it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import pyarrow as pa

from baseline.capability import Capabilities
from baseline.fold import classify_tools
from detect.cases import Case
from detect.live.judge import Cases, Judge
from detect.live.publish import Handover, Published, Publisher, cases_under
from detect.results import findings_table
from detect.step import Step, steps_in_time
from ingest.database import open_tables, put
from ingest.event import SCHEMA, Row
from ingest.follow import Follower
from ingest.followed import Piece
from ingest.open_traces import OpenTraces
from ingest.segments import to_table

log = logging.getLogger(__name__)

PUBLISH_EVERY_S: Final = 30.0
TICK_S: Final = 0.1
AGAIN_S: Final = 5.0
"""After trouble with publishing (another custodiet is writing, the disk is full)."""
LAST_WAIT_S: Final = 120.0
"""How long an ending pipeline tries to publish; what it could not is read again at the next start."""
RAISING_SHARE: Final = 0.25
"""The share of the time that revising and raising cases may take, by the CPU time that they took last."""
MOST_TROUBLES: Final = 100

Raise = Callable[[dict[str, Case | None], "Tables"], None]
"""Told of every case that changed (None: it is none any more), with the tables that an alert is written from."""


@dataclass(frozen=True)
class Tables:
    """What an alert is written from: the changed cases, their findings, and the steps of their paths."""

    cases: pa.Table
    findings: pa.Table
    events: pa.Table


@dataclass
class Account:
    """What the pipeline did since it started."""

    records: int = 0
    events: int = 0
    judged: int = 0
    published_batches: int = 0
    troubles: list[str] = field(default_factory=list)


class Pipeline:
    """One thread ticks it; one more publishes."""

    def __init__(
        self,
        data: Path,
        follower: Follower,
        capabilities: Capabilities,
        judge: Judge,
        cases: Cases,
        publish: Callable[[Handover], Published],
        raise_changed: Raise,
        reconcile: Callable[[], None],
        *,
        publish_every_s: float = PUBLISH_EVERY_S,
        mend: Callable[[], object] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        today: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._follower, self._capabilities = follower, capabilities
        self._judge, self._cases = judge, cases
        self._traces = OpenTraces(data)
        self._traces.refresh()
        self._publisher = Publisher(publish)
        self._raise, self._reconcile, self._mend = raise_changed, reconcile, mend
        self._mended_at = clock()
        self._publish_every_s, self._clock, self._today = publish_every_s, clock, today
        self._tables = open_tables()
        self._batch = 1
        self._pieces: list[Piece] = []
        self._published_at = clock()
        self._touched_cases: set[str] = set()
        self._touched_events: set[str] = set()
        self._unpublished_verdicts = False
        self._flagged = self._flagged_now()
        self._again_at = self._raised_at = self._raise_cost_s = 0.0
        self.account = Account()

    @property
    def broken(self) -> list[str]:
        """Readers and detectors that broke, each with the place."""
        return [*self._follower.failed, *(f"{name}: {why}" for name, why in sorted(self._judge.failed.items()))]

    @property
    def is_publishing(self) -> bool:
        """Whether something is on its way into the published state."""
        return self._publisher.is_busy

    def tick(self) -> bool:
        """Take what came, judge it, raise what changed. Returns whether there was anything to do."""
        now = self._clock()
        if now - self._mended_at >= 1:
            self._mended_at = now
            self._mend()
        self._take_publication()
        came = False
        if not self._traces.is_full:
            for piece in self._follower.look():
                self._take(piece, now)
                came = True
        judged = self._judge_due(now)
        self._settle(now)
        self._raise_changed()
        if self._may_publish() and (self._traces.is_full or now - self._published_at >= self._publish_every_s):
            self._hand_over()
        return came or judged

    def run(self, stop: threading.Event) -> None:
        """Tick until told to stop, then publish what was judged."""
        while not stop.is_set():
            began = time.monotonic()
            self.tick()
            stop.wait(max(0.0, TICK_S - (time.monotonic() - began)))
        self.finish()

    def finish(self) -> None:
        """Read to the end, judge everything for good, publish, and end."""
        for piece in self._follower.look(everything=True):
            self._take(piece, self._clock())
        self._judge_due(self._clock(), everything=True)
        patience = time.monotonic() + LAST_WAIT_S
        while self._settle(self._clock(), everything=True) and time.monotonic() < patience:
            self._take_publication(wait=True)
            time.sleep(0.01)
        self._raise_changed(everything=True)
        self._take_publication(wait=True)
        while (self._pieces or self._unpublished_verdicts) and time.monotonic() < patience:
            if self._may_publish():
                self._hand_over()
                self._take_publication(wait=True)
            time.sleep(0.01)
        self._publisher.close()
        self._follower.close()

    def _take(self, piece: Piece, now: float) -> None:
        self._pieces.append(piece)
        self.account.records += len(piece.said) + len(piece.refused)
        self.account.events += self._traces.take(piece.said, now, self._batch)
        if fetched := self._traces.fetched():
            self._judge.known(self._steps(fetched))

    def _judge_due(self, now: float, *, everything: bool = False) -> bool:
        settled = self._traces.settled(now, everything=everything)
        if not settled.rows:
            return False
        steps = [step for step in self._steps(settled.rows) if step.event_id not in settled.waiting]
        self.account.judged += self._judge.early(steps, now)
        return True

    def _steps(self, rows: list[Row]) -> list[Step]:
        """Settled rows as the steps that a batch would see: the same question, asked of the rows in memory."""
        put(self._tables, "events", to_table(rows))
        classify_tools(self._tables, self._capabilities)
        return list(steps_in_time(self._tables))

    def _settle(self, now: float, *, everything: bool = False) -> bool:
        """The second verdicts; a day that begins waits until the days before it are published and learnt."""
        tomorrow = (self._today() + timedelta(days=1)).date()
        wanted = self._judge.settle(now, everything=everything, no_later_than=tomorrow)
        if wanted is None:
            return False
        if self._may_publish():
            self._hand_over(learn_to=wanted)
        return True

    def _raise_changed(self, *, everything: bool = False) -> None:
        """Revise and raise the cases of what changed; a flood of findings may take no more than its share of time."""
        if not everything and time.monotonic() - self._raised_at < self._raise_cost_s / RAISING_SHARE:
            return
        began = time.thread_time()
        changed = self._judge.changed()
        if not changed:
            return
        outcome = self._cases.revise({event: self._judge.found.get(event, ()) for event in changed})
        self._touched_events |= changed
        self._touched_cases |= outcome.keys()
        self._unpublished_verdicts = True
        if outcome:
            self._raise(outcome, self._tables_of({i: case for i, case in outcome.items() if case is not None}))
        self._raised_at = time.monotonic()
        self._raise_cost_s = time.thread_time() - began

    def _tables_of(self, cases: dict[str, Case]) -> Tables:
        found = [f for case in cases.values() for f in case.found]
        steps = {step.event_id: step for case in cases.values() for step in case.path}
        return Tables(
            cases_under(list(cases.items())), findings_table(found, self._cases.case_of), _events(list(steps.values()))
        )

    def _may_publish(self) -> bool:
        return not self._publisher.is_busy and time.monotonic() >= self._again_at

    def _hand_over(self, learn_to: date | None = None) -> None:
        self._published_at = self._clock()
        touched = [(i, case) for i, case in self._cases.items() if i in self._touched_cases]
        case_of = {f.finding_id: i for i, case in touched for f in case.found}
        # A finding that alone makes no case stands in the table all the same.
        every = self._cases.found()
        found = [f for f in every if f.step.event_id in self._touched_events or f.finding_id in case_of]
        flagged = self._flagged_now()
        judged = self._touched_events | {f.step.event_id for f in found}
        handover = Handover(
            batch=self._batch,
            pieces=tuple(self._pieces),
            found=tuple(found),
            cases=tuple(touched),
            case_of=case_of,
            judged=frozenset(judged if self._unpublished_verdicts else ()),
            replaced=frozenset(self._touched_cases),
            learn=None if learn_to is None else (self._judge.learnt_to, learn_to),
            flagged=flagged,
            newly_flagged=flagged - self._flagged,
        )
        self._batch += 1
        self._pieces = []
        self._unpublished_verdicts = False
        self._publisher.give(handover)

    def _flagged_now(self) -> frozenset[str]:
        """Sessions of cases: nothing is learnt from them."""
        return frozenset(s.session_id for f in self._cases.found() if f.detector.raises_case for s in f.finding.path)

    def _take_publication(self, *, wait: bool = False) -> None:
        outcome = self._publisher.taken(wait=wait)
        if outcome is None:
            return
        given = outcome.handover
        if outcome.trouble is not None:
            log.warning("not published, tried again: %s", outcome.trouble)
            self.account.troubles += [outcome.trouble][: MOST_TROUBLES - len(self.account.troubles)]
            self._again_at = time.monotonic() + AGAIN_S
            self._pieces = [*given.pieces, *self._pieces]
            self._unpublished_verdicts |= bool(given.judged)
            return
        self.account.published_batches += 1
        if given.judged and not self._unpublished_verdicts:
            # Only then is every case that was raised among those that are published.
            self._reconcile()
        self._traces.refresh()
        self._judge.forget(self._traces.let_go(given.batch, self._clock()))
        if given.learn is not None and outcome.counts is not None:
            self._judge.learn(given.learn[1], outcome.counts, outcome.unlearnt or (), given.flagged)
            self._judge.renew()
            self._flagged = given.flagged


def _events(steps: list[Step]) -> pa.Table:
    """The steps of a path as rows of `stored_events`; what a step does not carry is null."""
    names = [name for name in SCHEMA.names if name in Step.__struct_fields__]
    rows = [
        {
            **{name: getattr(step, name) for name in names},
            "ordered_at": step.at_ns,
            "started_at": step.at_ns,
            "sequence": number,
            "depth": 0,
            "kind_rank": 0,
            "witnesses": 1,
            "witness": "span",
        }
        for number, step in enumerate(steps)
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)
