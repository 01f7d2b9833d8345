"""Probabilities: a voice's score against held-out benign history, several voices as one, and the far tail."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

TAIL_SHARE: Final = 0.1
"""Above the 90th percentile the tail is fitted, where it holds enough values."""
_LEAST_TAIL: Final = 10
_STEEPEST, _HEAVIEST = -0.3, 0.5
"""Shapes of a fitted tail that a few dozen values can support; outside, the fit says more than was seen."""


@dataclass(frozen=True)
class Tail:
    """Benign scores in order, and a generalised Pareto distribution above `start`.

    Method: peaks over threshold with probability-weighted moments (Hosking and Wallis, Technometrics 29(3), 1987).
    """

    scores: tuple[float, ...]
    start: float = math.inf
    scale: float = 0.0
    shape: float = 0.0
    share: float = 0.0

    def p(self, score: float) -> float:
        """P(a benign session scores at least this much), never 0: conformal, then the fitted tail."""
        n = len(self.scores)
        at_least = n - bisect_left(self.scores, score)
        conformal = (1 + at_least) / (n + 1)
        if score <= self.start or self.scale <= 0.0 or conformal > self.share:
            return conformal
        beyond = (score - self.start) / self.scale
        if abs(self.shape) < 1e-6:
            fitted = self.share * math.exp(-min(beyond, 600.0))
        else:
            fitted = self.share * max(1e-12, 1.0 + self.shape * beyond) ** (-1.0 / self.shape)
        # Counting ties whole tasks together; above the start the fit orders them and goes on beyond what was seen.
        return max(1e-12, fitted)


def tail_of(scores: Sequence[float]) -> Tail:
    """The distribution of benign scores."""
    ordered = tuple(sorted(scores))
    count = int(len(ordered) * TAIL_SHARE)
    if count < _LEAST_TAIL:
        return Tail(ordered)
    start = ordered[-count - 1]
    above = [s - start for s in ordered[-count:]]
    mean = sum(above) / count
    weighted = sum(a * (count - i - 0.65) / count for i, a in enumerate(above)) / count
    if mean <= 0 or mean - 2.0 * weighted <= 0:
        return Tail(ordered)
    shape = min(_HEAVIEST, max(_STEEPEST, 2.0 - mean / (mean - 2.0 * weighted)))
    shape = max(shape, 0.0)  # A finite end would make all that lies beyond it equally certain.
    return Tail(ordered, start, mean * (1.0 - shape), shape, count / len(ordered))


def shrunk(own: Tail | None, own_tasks: int, fleet: Tail, score: float, prior_tasks: float) -> float:
    """The agent's own probability, pulled towards the fleet's by as many tasks as the prior is worth."""
    if own is None or not own.scores:
        return fleet.p(score)
    share = own_tasks / (own_tasks + prior_tasks)
    return share * own.p(score) + (1.0 - share) * fleet.p(score)


def cauchy(ps: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """One p-value of several that may depend on each other (ACAT: Liu and Xie, JASA 115(529), 2020)."""
    total = sum(weights[name] for name in ps)
    mean = sum(weights[n] * math.tan((0.5 - min(max(p, 1e-12), 1 - 1e-12)) * math.pi) for n, p in ps.items()) / total
    # For large values 0.5 - atan(x)/pi loses all digits; 1/(pi x) is its limit.
    return 1.0 / (math.pi * mean) if mean > 1e9 else min(1.0, max(1e-15, 0.5 - math.atan(mean) / math.pi))
