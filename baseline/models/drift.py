"""Slow drift: does a share or a rate keep to one side of where it was, day after day?

Two-sided CUSUM (Page, Biometrika 41, 1954) of each day's distance from the first days, in standard deviations. A jump
of one day is what detectors are for; a drift is a fact about the baseline, and no alert.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from statistics import fmean
from typing import Final

REFERENCE_DAYS: Final = 7
SLACK: Final = 0.5 + REFERENCE_DAYS**-0.5
"""Half of the shift to be found, in standard deviations, and what the reference days' own mean may be off."""
BAR: Final = 8.0
"""Sum at which it is called drift. The average run length without drift grows as exp(2 * SLACK * BAR)."""
_MOST_A_DAY: Final = 4.0
"""Standard deviations that one day may add: one odd day is no drift."""


@dataclass(frozen=True)
class Day:
    """One day of a share (`of` trials) or of a mean (`of` sessions)."""

    day: date
    value: float
    of: float


@dataclass(frozen=True)
class Drift:
    """Something moved and stayed moved."""

    what: str
    since: date
    before: float
    now: float
    sum: float


def drift_of(what: str, days: Sequence[Day], *, is_share: bool, series: int = 1) -> Drift | None:
    """The drift that stands on the last day, or None. `series` is how many are looked at: the bar rises with them."""
    ordered = sorted((day for day in days if day.of > 0), key=lambda d: d.day)
    reference, later = ordered[:REFERENCE_DAYS], ordered[REFERENCE_DAYS:]
    if len(reference) < REFERENCE_DAYS or not later:
        return None
    trials = sum(d.of for d in reference)
    middle = sum(d.value * d.of for d in reference) / trials
    spread = sum((d.value - middle) ** 2 * d.of for d in reference) / trials * REFERENCE_DAYS / (REFERENCE_DAYS - 1)
    safe = (middle * trials + 0.5) / (trials + 1)
    bar = BAR + math.log(max(1, series))
    up = down = 0.0
    up_since = down_since = later[0].day
    for d in later:
        noise = safe * (1 - safe) / d.of if is_share else max(safe, 0.25) / d.of
        sd = math.sqrt(max(spread, noise))
        z = max(-_MOST_A_DAY, min(_MOST_A_DAY, (d.value - middle) / sd))
        up_since = d.day if not up else up_since
        down_since = d.day if not down else down_since
        up, down = max(0.0, up + z - SLACK), max(0.0, down - z - SLACK)
    total, since = max((up, up_since), (down, down_since), key=lambda side: side[0])
    if total < bar:
        return None
    return Drift(what, since, middle, fmean(d.value for d in later if d.day >= since), total)
