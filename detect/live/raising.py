"""What changed -> cases -> alerts, and what a publication is to say of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import pyarrow as pa

from detect.cases import Case, Found
from detect.live.bars import Bars
from detect.live.beside import Beside
from detect.live.cases import Cases
from detect.live.judge import Judge
from detect.live.publish import Handover, Verdicts, cases_under
from detect.results import findings_table
from detect.run import is_quiet
from detect.step import Step
from ingest.event import SCHEMA

SHARE: Final = 0.25
"""The share of the time that revising and raising cases may take, by the CPU time that they took last."""

Raise = Callable[[dict[str, Case | None], "Tables"], None]
"""Told of every case that changed (None: it is none any more), with the tables that an alert is written from."""


@dataclass(frozen=True)
class Tables:
    """What an alert is written from: the changed cases, their findings, and the steps of their paths."""

    cases: pa.Table
    findings: pa.Table
    events: pa.Table


class Raising:
    """One thread's."""

    def __init__(self, judge: Judge, beside: Beside, cases: Cases, bars: Bars, raise_changed: Raise) -> None:
        self._judge, self._beside, self._cases, self._bars = judge, beside, cases, bars
        self._raise = raise_changed
        self._raised_at = self._cost_s = 0.0
        self._events: set[str] = set()
        self._touched: set[str] = set()
        self._flagged = cases.flagged
        self.is_unpublished = False
        """Whether something was raised that no handover holds."""

    def revise(self, *, everything: bool = False) -> None:
        """Revise and raise the cases of what changed; a flood of findings may take no more than its share of time."""
        if not everything and time.monotonic() - self._raised_at < self._cost_s / SHARE:
            return
        began = time.thread_time()
        changed = self._judge.changed() | self._beside.changed()
        if not changed and not self._cases.is_behind:
            return
        outcome = self._cases.revise({event: self._told(event) for event in changed}, everything=everything)
        events = self._cases.touched()
        self._events |= events
        self._touched |= outcome.keys()
        self.is_unpublished |= bool(events or outcome)
        if outcome:
            self._raise(outcome, self._tables_of([(i, case) for i, case in outcome.items() if case is not None]))
        self._raised_at = time.monotonic()
        self._cost_s = time.thread_time() - began

    def verdicts(self) -> Verdicts:
        """What changed since this was last asked."""
        cases = self._cases.named(self._touched)
        found = self._cases.found_of(sorted(self._events))
        places = self._cases.places(found)
        verdicts = Verdicts(
            found=tuple(found),
            case_of={i: case_id for i, (case_id, _) in places.items()},
            beyond=frozenset(i for i, (_, is_beyond) in places.items() if is_beyond),
            cases=tuple(cases),
            held=frozenset(self._bars.held(cases)),
            judged=frozenset(self._events),
            replaced=frozenset(self._touched),
        )
        self._events, self._touched, self.is_unpublished = set(), set(), False
        return verdicts

    def again(self, verdicts: Verdicts) -> None:
        """These were not published: they are part of what changed."""
        self._events |= verdicts.judged
        self._touched |= verdicts.replaced
        self.is_unpublished |= bool(verdicts)

    def flagged(self) -> tuple[frozenset[str], frozenset[str]]:
        """(sessions of cases now, those of them that were none when a day was learnt last)."""
        flagged = self._cases.flagged
        return flagged, flagged - self._flagged

    def learnt(self, given: Handover, days: Iterable[date], today: date | None) -> None:
        """A day was learnt without the sessions that were flagged in that handover: another day begins."""
        self._flagged = given.flagged
        self._bars.renew(self._cases.items(), days, today)

    def forget(self, sessions: frozenset[str]) -> None:
        """These were dropped from the store."""
        gone = self._cases.forget(sessions)
        self._judge.drop(gone)
        self._beside.forget(gone)
        self._events -= set(gone)

    def _told(self, event_id: str) -> tuple[Found, ...]:
        loud = tuple(f for f in self._beside.of(event_id) if not is_quiet(f, self._judge.tuning))
        return (*self._judge.found.get(event_id, ()), *loud)

    def _tables_of(self, cases: Sequence[tuple[str, Case]]) -> Tables:
        found = [f for _, case in cases for f in case.found]
        steps = {step.event_id: step for _, case in cases for step in case.path}
        table = findings_table(found, {f.finding_id: i for i, case in cases for f in case.found})
        return Tables(cases_under(cases, self._bars.held(cases)), table, _events(list(steps.values())))


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
