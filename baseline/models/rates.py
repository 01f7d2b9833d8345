"""How many in a stretch of time, or in a session: Gamma-Poisson, which is a negative binomial when one looks ahead."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from baseline.models.answer import Chance

_LEAST_SHAPE, _MOST_SHAPE = 0.05, 1e4
_NEGLIGIBLE: Final = 1e-15
_MOST_TERMS: Final = 1_000_000


@dataclass(frozen=True)
class Rate:
    """A Gamma distribution over the rate; `slots` is how many stretches of time it rests on."""

    shape: float
    inverse_scale: float
    slots: float = 0.0

    @property
    def mean(self) -> float:
        return self.shape / self.inverse_scale

    def seen(self, total: float, slots: float) -> Rate:
        """The rate after so many stretches with so much in them."""
        return Rate(self.shape + total, self.inverse_scale + slots, self.slots + slots)

    def at_least(self, count: int) -> Chance:
        """P(at least so many in the next stretch)."""
        return Chance(_upper_tail(count, self.shape, 1 / (1 + self.inverse_scale)), self.mean, self.slots)


def pooled(totals: Sequence[float], slots: Sequence[float]) -> Rate:
    """The prior that rates share, by moments: `totals[i]` in `slots[i]` stretches for each hour of the week, or agent.

    Empirical Bayes for Gamma-Poisson: what the rates vary beyond Poisson's own noise is the prior's variance.
    """
    known = [(total, n) for total, n in zip(totals, slots, strict=True) if n > 0]
    stretches = sum(n for _, n in known)
    if not known or not sum(total for total, _ in known):
        return Rate(0.5, 1.0 + stretches)
    mean = sum(total for total, _ in known) / stretches
    spread = sum(n * (total / n - mean) ** 2 for total, n in known) / stretches
    own = max(spread - mean * len(known) / stretches, mean * mean / _MOST_SHAPE)
    shape = min(_MOST_SHAPE, max(_LEAST_SHAPE, mean * mean / own))
    return Rate(shape, shape / mean)


def dispersed(counts: Sequence[int]) -> Rate:
    """The predictive distribution of one count after these, by their mean and variance."""
    if not counts:
        return Rate(0.5, 0.5)
    n = len(counts)
    mean = (sum(counts) + 0.5) / n
    variance = sum((c - mean) ** 2 for c in counts) / max(1, n - 1)
    shape = min(_MOST_SHAPE, max(_LEAST_SHAPE, mean * mean / max(variance - mean, mean * mean / _MOST_SHAPE)))
    # What was seen narrows the rate no further than the counts themselves vary, but few of them leave it wide.
    shape = 1.0 / (1.0 / shape + 1.0 / (n * max(mean, 1.0)))
    return Rate(shape, shape / mean, n)


def _upper_tail(count: int, shape: float, chance: float) -> float:
    """P(X >= count) of a negative binomial with `shape` failures and `chance` of a further one; never 0."""
    if count <= 0:
        return 1.0
    term = math.exp(
        math.lgamma(count + shape) - math.lgamma(shape) - math.lgamma(count + 1)
        + shape * math.log1p(-chance) + count * math.log(chance)
    )  # fmt: skip
    if count <= shape * chance / (1 - chance):
        below, part = 0.0, term
        for i in range(count, 0, -1):
            part *= i / ((i - 1 + shape) * chance)
            below += part
            if part < _NEGLIGIBLE * below:
                break
        return max(_NEGLIGIBLE, 1.0 - below)
    total = 0.0
    for i in range(count, count + _MOST_TERMS):
        total += term
        term *= (i + shape) / (i + 1) * chance
        if term < _NEGLIGIBLE * total:
            break
    return min(1.0, max(total, 1e-300))
