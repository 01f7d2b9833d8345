"""New links: how surprising is it that an agent touches this thing, given all that it touched?

The Pitman-Yor process on one recipient's sources (Sanna Passino and Heard, "Modelling dynamic network evolution as a
Pitman-Yor process", Foundations of Data Science 1(3), 2019). With K things seen n_1..n_K times, n in all, the next one
is new with probability (a + d K) / (a + n) and the j-th with (n_j - d) / (a + n).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from baseline.models.answer import Chance

_DISCOUNTS: Final = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_STRENGTHS: Final = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)


@dataclass(frozen=True)
class Links:
    """A fitted process: `strength` is a, `discount` is d."""

    counts: Mapping[str, int]
    strength: float
    discount: float
    n: int

    @property
    def p_new(self) -> float:
        """The probability that the next link is a new one; 1 where nothing was seen."""
        if not self.n:
            return 1.0
        return (self.strength + self.discount * len(self.counts)) / (self.strength + self.n)

    def p(self, thing: str) -> Chance:
        """P(a link at most as usual as this one), by counts; a new one is the least usual of all."""
        seen = self.counts.get(thing, 0)
        if not seen:
            return Chance(self.p_new, 0, self.n)
        # Whole numbers first, so that the order in which things came to be known changes no digit.
        rarer = [n for n in self.counts.values() if n <= seen]
        weight = sum(rarer) - len(rarer) * self.discount
        return Chance(min(1.0, self.p_new + weight / (self.strength + self.n)), seen, self.n)


def new_to_all(thing: str, levels: Sequence[Links]) -> float:
    """P(a link at most as usual as this one) for what is new one level below, from the nearest level to the farthest.

    A level that saw nothing passes the question on; so does one to which the thing is new, times its own p_new.
    """
    p = 1.0
    for level in levels:
        seen = level.p(thing)
        p *= seen.p
        if seen.seen:
            break
    return p


def links(counts: Mapping[str, int]) -> Links:
    """Fit both parameters by maximum likelihood of the partition, on a grid; ties to the smaller discount."""
    n = sum(counts.values())
    if not n:
        return Links(counts, 1.0, 0.0, 0)
    strength, discount = _fitted(tuple(sorted(Counter(counts.values()).items())))
    return Links(counts, strength, discount, n)


@lru_cache(maxsize=1 << 14)
def _fitted(sizes: tuple[tuple[int, int], ...]) -> tuple[float, float]:
    """(strength, discount) for so many things seen so often; most that agents show is the same the next day."""
    n, distinct = sum(size * times for size, times in sizes), sum(times for _, times in sizes)
    closed = {a: _log_rising(a + 1, n - 1) for a in _STRENGTHS}
    best = (-math.inf, 0.0, 0.0)
    for d in _DISCOUNTS:
        inside = sum(times * (math.lgamma(size - d) - math.lgamma(1 - d)) for size, times in sizes)
        for a in _STRENGTHS:
            opened = (
                _log_rising(a / d + 1, distinct - 1) + (distinct - 1) * math.log(d)
                if d
                else ((distinct - 1) * math.log(a))
            )
            # log P(partition) (Pitman, Combinatorial Stochastic Processes, 2006, theorem 3.2)
            best = max(best, (opened + inside - closed[a], -d, -a))
    return -best[2], -best[1]


def _log_rising(start: float, factors: int) -> float:
    return math.lgamma(start + factors) - math.lgamma(start)
