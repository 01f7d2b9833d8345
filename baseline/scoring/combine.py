"""Probabilities: a voice's score against held-out benign history, several voices as one, and the far tail."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

TAIL_SHARE: Final = 0.1
"""Above the 90th percentile the tail is fitted, where it holds enough values."""
_LEAST_TAIL: Final = 10
_STEEPEST, _HEAVIEST = -0.3, 0.5
"""Shapes of a fitted tail that a few dozen values can support; outside, the fit says more than was seen."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Tail:
    """Benign scores in order, and a generalised Pareto distribution above `start`.

    Method: peaks over threshold with probability-weighted moments (Hosking and Wallis, Technometrics 29(3), 1987).
    """

    scores: Numbers = field(default_factory=lambda: np.zeros(0))
    start: float = math.inf
    scale: float = 0.0
    shape: float = 0.0
    share: float = 0.0

    def p(self, scores: Numbers) -> Numbers:
        """P(a benign session scores at least this much), never 0: conformal, then the fitted tail."""
        n = len(self.scores)
        found: Numbers = (1.0 + n - np.searchsorted(self.scores, scores, side="left")) / (n + 1)
        if self.scale <= 0.0:
            return found
        # Counting ties whole tasks together; above the start the fit orders them and goes on beyond what was seen.
        far = (scores > self.start) & (found <= self.share)
        beyond = (scores[far] - self.start) / self.scale
        if abs(self.shape) < 1e-6:
            fitted = np.exp(-np.minimum(beyond, 600.0))
        else:
            fitted = np.maximum(1e-12, 1.0 + self.shape * beyond) ** (-1.0 / self.shape)
        found[far] = np.maximum(1e-12, self.share * fitted)
        return found


def tail_of(scores: Sequence[float] | Numbers) -> Tail:
    """The distribution of benign scores."""
    ordered = np.sort(np.asarray(scores, dtype=np.float64))
    count = int(len(ordered) * TAIL_SHARE)
    if count < _LEAST_TAIL:
        return Tail(ordered)
    start = float(ordered[-count - 1])
    above = ordered[-count:] - start
    mean = float(above.mean())
    weighted = float((above * (count - np.arange(count) - 0.65)).sum()) / count**2
    if mean <= 0 or mean - 2.0 * weighted <= 0:
        return Tail(ordered)
    shape = min(_HEAVIEST, max(_STEEPEST, 2.0 - mean / (mean - 2.0 * weighted)))
    shape = max(shape, 0.0)  # A finite end would make all that lies beyond it equally certain.
    return Tail(ordered, start, mean * (1.0 - shape), shape, count / len(ordered))


def shrunk(own: Tail | None, own_tasks: int, fleet: Tail, scores: Numbers, prior_tasks: float) -> Numbers:
    """The agent's own probabilities, pulled towards the fleet's by as many tasks as the prior is worth."""
    if own is None or not len(own.scores):
        return fleet.p(scores)
    share = own_tasks / (own_tasks + prior_tasks)
    return share * own.p(scores) + (1.0 - share) * fleet.p(scores)


def cauchy(ps: Mapping[str, Numbers], weights: Mapping[str, float]) -> Numbers:
    """One p-value of several that may depend on each other (ACAT: Liu and Xie, JASA 115(529), 2020)."""
    total = sum(weights[name] for name in ps)
    mean: Numbers = np.zeros(len(next(iter(ps.values()))))
    for name, p in ps.items():
        mean = mean + weights[name] / total * np.tan((0.5 - np.clip(p, 1e-12, 1 - 1e-12)) * math.pi)
    near = np.clip(0.5 - np.arctan(mean) / math.pi, 1e-15, 1.0)
    # For large values 0.5 - atan(x)/pi loses all digits; 1/(pi x) is its limit.
    return np.where(mean > 1e9, 1.0 / (math.pi * np.maximum(mean, 1.0)), near)
