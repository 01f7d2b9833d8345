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

from baseline.capability import Capabilities
from baseline.fold import class_tools
from detect.asked import steps_and_decisions
from detect.live.beside import Beside
from detect.live.judge import Judge
from detect.live.publish import Handover, Published, Publisher
from detect.live.raising import Raising
from detect.step import Step
from ingest.database import open_tables, put
from ingest.event import Row
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
MOST_TROUBLES: Final = 100
MOST_TOOLS: Final = 10_000
"""Names of tools whose classes are kept; what agents call their tools is theirs to say."""


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
        beside: Beside,
        raising: Raising,
        publish: Callable[[Handover], Published],
        reconcile: Callable[[], None],
        *,
        publish_every_s: float = PUBLISH_EVERY_S,
        mend: Callable[[], object] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        today: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._follower, self._capabilities = follower, capabilities
        self._judge, self._beside, self._raising = judge, beside, raising
        self._traces = OpenTraces(data)
        self._traces.refresh()
        self._publisher = Publisher(publish)
        self._reconcile, self._mend = reconcile, mend
        self._mended_at = clock()
        self._publish_every_s, self._clock, self._today = publish_every_s, clock, today
        self._tables = open_tables()
        self._tools: set[str] = set()
        class_tools(self._tables, capabilities, [])
        self._batch = 1
        self._pieces: list[Piece] = []
        self._published_at = clock()
        self._again_at = 0.0
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
        self._raising.revise()
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
        self._raising.revise(everything=True)
        self._take_publication(wait=True)
        while (self._pieces or self._raising.is_unpublished) and time.monotonic() < patience:
            if self._may_publish():
                self._hand_over()
                self._take_publication(wait=True)
                self._raising.revise(everything=True)
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
        self._beside.at_once(self._tables, [step.event_id for step in steps])
        self.account.judged += self._judge.early(steps, now)
        return True

    def _steps(self, rows: list[Row]) -> list[Step]:
        """Settled rows as the steps that a batch would see: the same question, asked of the rows in memory."""
        put(self._tables, "events", to_table(rows))
        tools = {row.tool for row in rows if row.tool is not None}
        if not tools <= self._tools:
            self._tools = tools if len(self._tools) > MOST_TOOLS else self._tools | tools
            class_tools(self._tables, self._capabilities, sorted(self._tools))
        return list(steps_and_decisions(self._tables))

    def _settle(self, now: float, *, everything: bool = False) -> bool:
        """The second verdicts; a day that begins waits until the days before it are published and learnt."""
        tomorrow = (self._today() + timedelta(days=1)).date()
        wanted = self._judge.settle(now, everything=everything, no_later_than=tomorrow)
        if wanted is None:
            return False
        if self._may_publish():
            self._hand_over(learn_to=wanted)
        return True

    def _may_publish(self) -> bool:
        return not self._publisher.is_busy and time.monotonic() >= self._again_at

    def _hand_over(self, learn_to: date | None = None) -> None:
        self._published_at = self._clock()
        flagged, newly_flagged = self._raising.flagged()
        handover = Handover(
            batch=self._batch,
            pieces=tuple(self._pieces),
            verdicts=self._raising.verdicts(),
            account=self._judge.account(),
            failed=dict(self._judge.failed),
            learn=None if learn_to is None else (self._judge.learnt_to, learn_to),
            flagged=flagged,
            newly_flagged=newly_flagged,
            open_day=self._judge.learnt_to,
        )
        self._batch += 1
        self._pieces = []
        self._publisher.give(handover)

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
            self._raising.again(given.verdicts)
            return
        self.account.published_batches += 1
        if outcome.dropped:
            self._raising.forget(outcome.dropped)
        if given.verdicts and not self._raising.is_unpublished:
            # Only then is every case that was raised among those that are published.
            self._reconcile()
        if outcome.late is not None:
            self._beside.take(outcome.late)
        self._traces.refresh()
        self._judge.forget(self._traces.let_go(given.batch, self._clock()))
        if given.learn is not None and outcome.counts is not None:
            self._judge.learn(given.learn[1], outcome.counts, outcome.unlearnt or (), given.flagged)
            self._judge.renew()
            self._raising.learnt(given, outcome.days, self._judge.learnt_to)
