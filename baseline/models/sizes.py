"""How large a session is: calls, or things touched. An agent that never varies is surprised by the first that does."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass

from baseline.models.answer import Chance
from baseline.models.rates import Rate, dispersed


@dataclass(frozen=True)
class Sizes:
    """The sizes of all sessions in order, and a negative binomial for what lies beyond the largest."""

    ordered: tuple[int, ...]
    beyond: Rate

    def at_least(self, size: int) -> Chance:
        """P(a session at least so large): conformal; beyond the largest seen, the tail if that says less.

        n sessions never say less than 1 / (n + 1)^3: what a tail means far outside of a few of them is a guess.
        """
        n = len(self.ordered)
        as_large = n - bisect_left(self.ordered, size)
        p = (1 + as_large) / (n + 1)
        return Chance(p if as_large or not n else min(p, max(self.beyond.at_least(size).p, (n + 1) ** -3)), as_large, n)

    def quantile(self, share: float) -> int:
        """The smallest size that this share of the sessions does not exceed; 0 where there are none."""
        if not self.ordered:
            return 0
        return self.ordered[min(len(self.ordered) - 1, int(share * len(self.ordered)))]


def sizes(sessions_by_size: Mapping[int, int]) -> Sizes:
    """Of how many sessions had each size."""
    ordered = tuple(size for size, n in sorted(sessions_by_size.items()) for _ in range(n))
    return Sizes(ordered, dispersed(ordered))
