"""History once more, a day at a time, each judged by the days before it: what would have been raised?"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

import duckdb

from detect.budget import RaisedDay, days_of, is_dated
from detect.causal import WINDOW_HOURS
from detect.registry import NO_REGISTRY, Registry
from detect.run import judge_all

_RESAMPLES: Final = 2000


@dataclass(frozen=True)
class Backtest:
    """What would have been raised; the interval is of the mean a day (95 %, days drawn again)."""

    cases_per_day: float
    days: tuple[RaisedDay, ...]
    undated: int
    """Cases of logs without a time: they belong to no day, and are raised beside the budget."""
    mean: float
    low: float
    high: float
    failed: dict[str, str]

    @property
    def raised(self) -> int:
        return sum(len(day.raised) for day in self.days)

    @property
    def hard(self) -> int:
        return sum(day.hard for day in self.days)


def backtest(
    connection: duckdb.DuckDBPyConnection,
    cases_per_day: float,
    last_days: int | None = None,
    *,
    window_hours: float = WINDOW_HOURS,
    registry: Registry = NO_REGISTRY,
    pin: str | None = None,
) -> Backtest:
    """Replay what is stored; the connection must have the table `classed`. Shows `last_days`, judges them all.

    With a pin each day is judged by that frozen baseline instead of by the days before it.
    """
    detected = judge_all(connection, window_hours=window_hours, registry=registry, pin=pin)
    days = days_of(connection, detected.cases, cases_per_day)
    shown = days[-last_days:] if last_days else days
    counts = [len(day.raised) for day in shown]
    undated = sum(not is_dated(case) for case in detected.cases)
    return Backtest(cases_per_day, shown, undated, *mean_of(counts), failed=dict(detected.failed))


def mean_of(counts: list[int]) -> tuple[float, float, float]:
    """(mean, low, high) of a count a day: 95 % by drawing the days again, seeded."""
    if not counts:
        return 0.0, 0.0, 0.0
    chance = random.Random(1)
    n = len(counts)
    means = sorted(sum(chance.choices(counts, k=n)) / n for _ in range(_RESAMPLES))
    return sum(counts) / n, means[int(0.025 * _RESAMPLES)], means[int(0.975 * _RESAMPLES) - 1]
