"""How often a person said yes: a share that borrows from the peers, and how surprising so few are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from baseline.models.answer import Chance
from baseline.models.levels import concentration


@dataclass(frozen=True)
class Approved:
    """A Beta distribution over the share of privileged calls that were approved."""

    yes: float
    no: float
    rests_on: int

    @property
    def share(self) -> float:
        return self.yes / (self.yes + self.no)

    def at_most(self, yes: int, calls: int) -> Chance:
        """P(at most so many approved of the next calls): beta-binomial."""
        p = sum(_pmf(k, calls, self.yes, self.no) for k in range(yes + 1))
        return Chance(min(1.0, p), yes, calls)


def approved(yes: int, calls: int, peers: Sequence[tuple[int, int]]) -> Approved:
    """(approved, privileged calls) of the agent and of each peer; the prior is the peers', as strong as they agree."""
    every = [(yes, calls), *peers]
    total = sum(n for _, n in every)
    mean = (sum(k for k, _ in every) + 0.5) / (total + 1)
    strength = concentration([{"yes": k, "no": n - k} for k, n in every if n])
    return Approved(strength * mean + yes, strength * (1 - mean) + calls - yes, calls)


def _pmf(k: int, n: int, a: float, b: float) -> float:
    choose = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return math.exp(choose + _log_beta(k + a, n - k + b) - _log_beta(a, b))


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
