"""How good a ranked list of cases is against the truth: recall in a daily budget, precision, time to a case.

Definitions, the same for the product and for the peer that it is measured against:

* A **case** has a place in the order that its maker gives, the sessions that it names, and the moment at which it
  was raised: that of its strongest finding, so that its score owes nothing to later days. It stands on that UTC day.
* A case **hits** a chain where it names one of the chain's sessions, and has a finding not earlier than the chain's
  first step (two minutes are let pass for clocks). An agent's name alone is no hit.
* The **budget** of N a day is the first N cases of each evaluated day, all cases competing, other attacks' too.
  `recall_at_N_per_day` is the share of malicious chains that a case in the budget hits. With more than N attacks
  on a day it cannot be 1: `ceiling_at_N_per_day` is what a perfect order would reach.
* `recall_alone_at_N_per_day` is the share of chains hit by a case that fewer than N harmless cases of its day
  precede: as if each attack were the only one, which is what a fleet sees.
* `recall_on_average_at_N_per_day`: N times the days are given to the first cases of the whole order, many on one day
  and few on another, as one threshold for the score does (Hopper's budget).
* `precision_at_N_per_day`: of the cases in the budget, the share that hits a malicious chain.
* `average_precision`: over the malicious chains, the mean of the precision at the place in the whole order of the
  first case that hits the chain; 0 for a chain that none hits.
* Intervals are 95 % percentile bootstraps: over chains (recall, average precision), over days (precision).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from statistics import median
from typing import Any, Final

from bench.fleet.truth import Told

BUDGETS: Final = (1, 5, 9)
DAY_NS: Final = 86_400_000_000_000
_CLOCKS_NS: Final = 120 * 1_000_000_000
_RESAMPLES: Final = 1000


@dataclass(frozen=True)
class Case:
    """One case of somebody's, in the order of a list; `last_ns` is when its last finding happened."""

    id: str
    sessions: frozenset[str]
    raised_ns: int
    last_ns: int
    title: str = ""


def measure(
    cases: Sequence[Case], truth: Sequence[Told], first_day: int, last_day: int, seed: int = 1
) -> dict[str, Any]:
    """All figures for cases in their order; days are counted since 1970, both ends evaluated."""
    judged = [case for case in cases if first_day <= case.raised_ns // DAY_NS <= last_day]
    bad = [told for told in truth if told.malicious]
    hits = {told.chain: [place for place, case in enumerate(judged) if _hits(case, told)] for told in truth}
    is_hit = {place for told in bad for place in hits[told.chain]}
    ranks = _ranks(judged)
    days = last_day - first_day + 1
    found: dict[str, Any] = {
        "malicious_chains": len(bad),
        "look_alikes": len(truth) - len(bad),
        "cases": len(judged),
        "cases_before_evaluation": sum(case.raised_ns // DAY_NS < first_day for case in cases),
        "harmless_cases_per_day": round((len(judged) - len(is_hit)) / days, 3),
    }
    intervals: dict[str, tuple[float, float]] = {}
    rng = Random(seed)

    def over_chains(key: str, values: list[float]) -> None:
        found[key] = _mean(values)
        intervals[key] = _interval(rng, values, _mean)

    for budget in BUDGETS:
        key = f"at_{budget}_per_day"
        kept = {place for place, rank in enumerate(ranks) if rank < budget}
        over_chains(f"recall_{key}", [float(any(p in kept for p in hits[told.chain])) for told in bad])
        alone = _alone(judged, is_hit, budget)
        over_chains(f"recall_alone_{key}", [float(any(p in alone for p in hits[told.chain])) for told in bad])
        spread = range(min(len(judged), budget * days))
        over_chains(f"recall_on_average_{key}", [float(any(p in spread for p in hits[told.chain])) for told in bad])
        found[f"ceiling_{key}"] = _ceiling(bad, budget, first_day, last_day)
        by_day: dict[int, list[float]] = defaultdict(list)
        for place in sorted(kept):
            by_day[judged[place].raised_ns // DAY_NS].append(float(place in is_hit))
        found[f"precision_{key}"] = _pooled(list(by_day.values()))
        intervals[f"precision_{key}"] = _interval(rng, list(by_day.values()), _pooled)
        raised = [told for told in truth if not told.malicious and any(p in kept - is_hit for p in hits[told.chain])]
        found[f"look_alikes_raised_{key}"] = len(raised)
    precision, seen = [], 0
    for place in range(len(judged)):
        seen += place in is_hit
        precision.append(seen / (place + 1))
    over_chains("average_precision", [precision[min(hits[t.chain])] if hits[t.chain] else 0.0 for t in bad])
    kept = {place for place, rank in enumerate(ranks) if rank < 5}
    found |= _times(judged, bad, hits, kept)
    found["recall_any"] = _mean([float(bool(hits[told.chain])) for told in bad])
    found["intervals"] = {key: list(ends) for key, ends in intervals.items()}
    found["kinds"] = _by_kind(truth, hits, kept, is_hit)
    return found


def found_at(
    cases: Sequence[Case], truth: Sequence[Told], first_day: int, last_day: int, budget: int, *, alone: bool = False
) -> set[str]:
    """The malicious chains that the budget finds; `alone`: that it would find if there were no other attack."""
    judged = [case for case in cases if first_day <= case.raised_ns // DAY_NS <= last_day]
    bad = [told for told in truth if told.malicious]
    if alone:
        is_hit = {place for place, case in enumerate(judged) if any(_hits(case, told) for told in bad)}
        places = _alone(judged, is_hit, budget)
    else:
        places = {place for place, rank in enumerate(_ranks(judged)) if rank < budget}
    return {told.chain for told in bad if any(_hits(judged[place], told) for place in places)}


def _hits(case: Case, told: Told) -> bool:
    if case.sessions.isdisjoint(told.sessions):
        return False
    return told.first_ns is None or case.last_ns >= told.first_ns - _CLOCKS_NS


def _ranks(judged: Sequence[Case]) -> list[int]:
    """Each case's place within its day, from 0."""
    before: dict[int, int] = defaultdict(int)
    ranks = []
    for case in judged:
        day = case.raised_ns // DAY_NS
        ranks.append(before[day])
        before[day] += 1
    return ranks


def _alone(judged: Sequence[Case], is_hit: set[int], budget: int) -> set[int]:
    before: dict[int, int] = defaultdict(int)
    kept = set()
    for place, case in enumerate(judged):
        day = case.raised_ns // DAY_NS
        if place not in is_hit:
            before[day] += 1
        elif before[day] < budget:
            kept.add(place)
    return kept


def _ceiling(bad: Sequence[Told], budget: int, first_day: int, last_day: int) -> float:
    """With a case a chain on the earliest of its days that has room, the chains that end first served first."""
    room = dict.fromkeys(range(first_day, last_day + 1), budget)
    served = 0
    for told in sorted(bad, key=lambda told: (told.last_ns or 0, told.chain)):
        first, last = ((ns or 0) // DAY_NS for ns in (told.first_ns, told.last_ns))
        day = next((day for day in range(first, last + 1) if room.get(day, 0) > 0), None)
        if day is not None:
            room[day] -= 1
            served += 1
    return round(served / len(bad), 4) if bad else 0.0


def _times(
    judged: Sequence[Case], bad: Sequence[Told], hits: dict[str, list[int]], kept: set[int]
) -> dict[str, float | None]:  # fmt: skip
    waits = sorted(
        max(0, min(judged[place].raised_ns for place in hits[told.chain] if place in kept) - told.first_ns) / 1e9
        for told in bad
        if told.first_ns is not None and any(place in kept for place in hits[told.chain])
    )
    return {
        "median_seconds_to_case": round(median(waits), 1) if waits else None,
        "p90_seconds_to_case": round(waits[int(0.9 * (len(waits) - 1))], 1) if waits else None,
    }


def _by_kind(
    truth: Sequence[Told], hits: dict[str, list[int]], kept: set[int], is_hit: set[int]
) -> dict[str, dict[str, Any]]:
    kinds: dict[str, dict[str, Any]] = {}
    for told in sorted(truth, key=lambda told: (told.kind, told.chain)):
        kind = kinds.setdefault(
            told.kind,
            {"chains": 0, "found_at_5_per_day": 0, "missed": [], "unraised": [], "look_alikes": 0, "raised": []},
        )
        places = hits[told.chain]
        if not told.malicious:
            kind["look_alikes"] += 1
            if any(place in kept - is_hit for place in places):
                kind["raised"].append(told.chain)
            continue
        kind["chains"] += 1
        if any(place in kept for place in places):
            kind["found_at_5_per_day"] += 1
        else:
            kind["missed" if places else "unraised"].append(told.chain)
    return kinds


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 4) if values else 0.0


def _pooled(days: Sequence[Sequence[float]]) -> float:
    return _mean([value for day in days for value in day])


def _interval(rng: Random, values: Sequence[Any], figure: Callable[[Sequence[Any]], float]) -> tuple[float, float]:
    if not values:
        return 0.0, 0.0
    drawn = sorted(figure(rng.choices(values, k=len(values))) for _ in range(_RESAMPLES))
    return drawn[int(0.025 * _RESAMPLES)], drawn[int(0.975 * _RESAMPLES) - 1]
