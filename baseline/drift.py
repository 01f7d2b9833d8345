"""Slow drift of each agent, from its days: what moved and stayed moved. A fact about the baseline, not an alert."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Final

import polars as pl

from baseline.models.drift import Day, Drift, drift_of

ASPECTS: Final = ("tool", "outcome", "decided", "calls_a_session", "targets_a_session", "origin")
"""The aspects that drift is looked for in."""


def drifts(counts: pl.DataFrame) -> tuple[Drift, ...]:
    """The drifts that stand on the agent's last day, the strongest first; `counts` are one agent's, by day."""
    shares, means = shares_by_day(counts), means_by_day(counts)
    series = len(shares) + len(means)
    found = [drift_of(what, days, is_share=True, series=series) for what, days in sorted(shares.items())]
    found += [drift_of(what, days, is_share=False, series=series) for what, days in sorted(means.items())]
    return tuple(sorted((d for d in found if d), key=lambda d: (-d.sum, d.what)))


def shares_by_day(counts: pl.DataFrame) -> dict[str, list[Day]]:
    """What is a share of an agent's calls, privileged calls or values: name -> days."""
    calls: dict[date, int] = defaultdict(int)
    privileged: dict[date, int] = defaultdict(int)
    values: dict[date, int] = defaultdict(int)
    parts: dict[str, dict[date, int]] = defaultdict(lambda: defaultdict(int))
    dated = counts.filter(pl.col("day").is_not_null(), pl.col("aspect").is_in(ASPECTS[:3] + ASPECTS[5:]))
    columns = ("day", "aspect", "value", "steps")
    for day, aspect, value, steps in dated.select(columns).iter_rows():
        if aspect == "tool":
            calls[day] += steps
            parts[f"share of {value}"][day] += steps
        elif aspect == "outcome" and value in ("error", "denied"):
            parts["share of failures"][day] += steps
        elif aspect == "decided":
            privileged[day] += steps
            if value == "approved":
                parts["share approved of privileged calls"][day] += steps
        elif aspect == "origin":
            values[day] += steps
            if value == "nowhere":
                parts["share of values from nowhere"][day] += steps
    of = {"share approved of privileged calls": privileged, "share of values from nowhere": values}
    return {
        what: [Day(day, days.get(day, 0) / n, n) for day, n in of.get(what, calls).items() if n]
        for what, days in parts.items()
    }


def means_by_day(counts: pl.DataFrame) -> dict[str, list[Day]]:
    """What is a mean over an agent's sessions: name -> days."""
    sized = counts.filter(pl.col("day").is_not_null(), pl.col("aspect").is_in(["calls_a_session", "targets_a_session"]))
    by_day = sized.group_by("aspect", "day").agg(
        (pl.col("value").cast(pl.Float64) * pl.col("sessions")).sum().alias("total"), pl.col("sessions").sum()
    )
    found: dict[str, list[Day]] = defaultdict(list)
    for aspect, day, total, sessions in by_day.iter_rows():
        found[aspect.replace("_", " ")].append(Day(day, total / sessions, sessions))
    return found
