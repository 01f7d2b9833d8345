"""A budget, not a threshold: so many cases a day, turned into a bar over the weight of a case.

The bar of a day is set from earlier days alone: the weight that, over the last two weeks, so many cases a day reached,
nudged by what was raised too much or too little since (integral control on a log scale). Cases of high severity that a
rule of both properties of an attack raised are hard: they pass whatever the bar, are counted first, and are said.

A flood does not lift the bar for long: a day speaks with a few times the budget at most, and hard cases take half of it
at most (what is beyond comes on top), so that who raises a thousand cases hides nothing behind them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from math import exp, inf
from typing import Final

import duckdb

from detect.cases import SEVERITIES, Case
from ingest.database import ask
from ingest.event import identify

WINDOW_DAYS: Final = 14
"""Whole weeks, so that every weekday speaks equally; few, so that the bar follows a fleet that grows."""
LEAST_DAYS: Final = 7
FIRST_BAR: Final = 0.28
"""Until a week was seen: the least weight of a case of medium severity."""
GAIN: Final = 0.15
"""How much one budget raised too much (or not at all) lowers (or lifts) what is aimed at, on a log scale."""
LEAST_AIM, MOST_AIM = 0.25, 2.0
"""Times the budget: how far the correction may go."""
MOST_OF_A_DAY: Final = 3.0
"""Times the budget: more cases of one day say nothing about an ordinary one."""


_DAYS: Final = """
select distinct cast(first_at as date) as day
from stored_traces
where first_at is not null
order by day
"""


@dataclass(frozen=True)
class Bar:
    """A case at least so heavy is raised; of those that weigh exactly so much only a share, chosen by their ids."""

    weight: float
    share: float = 1.0
    is_calibrated: bool = True

    def admits(self, case_id: str, weight: float) -> bool:
        """Whether the case is raised; the same case always gets the same answer from the same bar."""
        if weight != self.weight:
            return weight > self.weight
        return int(identify("tie", case_id)[:8], 16) / 0x100000000 < self.share


@dataclass(frozen=True)
class Offered:
    """A case as it stands at the end of a day."""

    case_id: str
    title: str
    severity: str
    weight: float
    is_hard: bool


@dataclass(frozen=True)
class RaisedDay:
    """One day: what was offered, what of it was raised, and the bar that said so."""

    day: date
    bar: Bar
    offered: int
    raised: tuple[Offered, ...]

    @property
    def hard(self) -> int:
        """How many passed without being weighed."""
        return sum(case.is_hard for case in self.raised)


class Budget:
    """The controller. `bar` for a day, then `close` it with what came: never the other way round."""

    def __init__(self, cases_per_day: float) -> None:
        self._cases_per_day = cases_per_day
        self._days: deque[tuple[list[float], int]] = deque(maxlen=WINDOW_DAYS)
        self._aim = 1.0

    def bar(self) -> Bar:
        """The bar from the days that were closed."""
        days = len(self._days)
        if not self._cases_per_day:
            return Bar(inf)
        if days < LEAST_DAYS:
            return Bar(FIRST_BAR, is_calibrated=False)
        hard = min(self._cases_per_day / 2, sum(hard for _, hard in self._days) / days)
        room = max(0.0, self._cases_per_day * self._aim - hard) * days
        weights = sorted((weight for soft, _ in self._days for weight in soft), reverse=True)
        if room <= 0:
            return Bar(inf)
        if room >= len(weights):
            return Bar(0.0)
        weight = weights[int(room)]
        above, ties = sum(w > weight for w in weights), weights.count(weight)
        return Bar(weight, (room - above) / ties)

    def close(self, soft: Iterable[float], hard: int, raised: int) -> None:
        """Take a day: the weights of its cases, how many were hard, how many were raised in all."""
        most = max(1, round(MOST_OF_A_DAY * self._cases_per_day))
        self._days.append((sorted(soft, reverse=True)[:most], hard))
        if self._cases_per_day and len(self._days) >= LEAST_DAYS:
            counted = raised - hard + min(hard, self._cases_per_day / 2)
            short = max(-MOST_OF_A_DAY, 1.0 - counted / self._cases_per_day)
            self._aim = max(LEAST_AIM, min(MOST_AIM, self._aim * exp(GAIN * short)))


class Walk:
    """Day after day, each judged by a bar from the days before it. A case is raised once at most."""

    def __init__(self, cases_per_day: float) -> None:
        self.budget = Budget(cases_per_day)
        self.raised: set[str] = set()

    def day(self, day: date, offers: Iterable[Offered]) -> RaisedDay:
        """The next day, with all that it offers."""
        bar = self.budget.bar()
        offered = [case for case in offers if case.case_id not in self.raised]
        raised = [case for case in offered if case.is_hard or bar.admits(case.case_id, case.weight)]
        self.raised.update(case.case_id for case in raised)
        soft = [case.weight for case in offered if not case.is_hard]
        self.budget.close(soft, len(offered) - len(soft), len(raised))
        return RaisedDay(day, bar, len(offered), tuple(raised))


def days_of(
    connection: duckdb.DuckDBPyConnection, cases: Sequence[Case], cases_per_day: float | None
) -> tuple[RaisedDay, ...]:
    """All the days that are stored, and those of cases; nothing without a budget.

    Cases without a time are on none of them. Days without any work count for nothing: a log with a wrong clock must
    not stretch the calendar.
    """
    if cases_per_day is None:
        return ()
    walk, offers = Walk(cases_per_day), offers_of([(case.case_id, case) for case in cases])
    return tuple(walk.day(day, offers.get(day, ())) for day in sorted({*stored_days(connection), *offers}))


def stored_days(connection: duckdb.DuckDBPyConnection) -> list[date]:
    """The days on which somebody worked."""
    return list(ask(connection, _DAYS).get_column("day"))


def held_back(cases: Sequence[Case], days: Sequence[RaisedDay]) -> set[str]:
    """The cases that stay under the bar; none without a budget, and none that has no time."""
    if not days:
        return set()
    raised = {case.case_id for day in days for case in day.raised}
    return {case.case_id for case in cases if is_dated(case)} - raised


def is_dated(case: Case) -> bool:
    """Whether the case belongs to a day."""
    return any(f.step.day is not None for f in case.found)


def offers_of(cases: Iterable[tuple[str, Case]]) -> dict[date, list[Offered]]:
    """What each day offers of these (id, case), the heaviest first: a case on each day that added to it, as heavy as
    it is by then."""
    found: dict[date, list[Offered]] = {}
    for case_id, case in cases:
        for day in sorted({f.step.day for f in case.found if f.step.day is not None}):
            so_far = Case(tuple(f for f in case.found if f.step.day is None or f.step.day <= day))
            if any(f.raises_case for f in so_far.found):
                weight = so_far.anomaly * so_far.impact
                title = so_far.worst.finding.title
                found.setdefault(day, []).append(Offered(case_id, title, so_far.severity, weight, is_hard(so_far)))
    return {day: sorted(offered, key=lambda o: (-o.weight, o.case_id)) for day, offered in found.items()}


def is_hard(case: Case) -> bool:
    """Whether a rule of both properties of an attack is among its findings, and it is rare enough to be severe."""
    shows_both = any(f.detector.shows == "movement" for f in case.found)
    return shows_both and SEVERITIES.index(case.severity) >= _HARD


_HARD: Final = SEVERITIES.index("high")
