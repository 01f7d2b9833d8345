"""Agent, peers, fleet: each borrows from the next in proportion to how little it has seen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

from baseline.models.answer import Chance

INHERITED: Final = 0.3
"""What a session of another version counts: an update changes some of what an agent does, hardly ever all."""
_LEAST, _MOST = 0.5, 500.0
"""Sessions that a level may lend: beyond, the data of a few agents say more than they can."""


def concentration(groups: Sequence[Mapping[str, float]]) -> float:
    """kappa: how many sessions the shares of all are worth for one that has none of its own, 0.5..500.

    Empirical Bayes by moments for a Dirichlet-multinomial: groups that agree lend much. For each value the groups'
    shares vary by p(1-p) (1/n_i + 1/(1+kappa)); solved for kappa over all values together (Weir and Hill, Annual
    Review of Genetics 36, 2002, as F = 1/(1+kappa)).
    """
    sized = [(sum(group.values()), group) for group in groups]
    sized = [(n, group) for n, group in sized if n > 1]
    total = sum(n for n, _ in sized)
    if len(sized) < 2:
        return _LEAST * 20
    between = within = 0.0
    for value in sorted({value for _, group in sized for value in group}):
        p = sum(group.get(value, 0) for _, group in sized) / total
        between += sum(n * (group.get(value, 0) / n - p) ** 2 for n, group in sized) / (len(sized) - 1)
        within += sum(group.get(value, 0) * (1 - group.get(value, 0) / n) for n, group in sized) / (total - len(sized))
    n_mean = (total - sum(n * n for n, _ in sized) / total) / (len(sized) - 1)
    if between + (n_mean - 1) * within <= 0:
        return _MOST
    f = max(1e-9, (between - within) / (between + (n_mean - 1) * within))
    return min(_MOST, max(_LEAST, 1.0 / f - 1.0))


def interval(share: float, of: float, z: float = 1.96) -> tuple[float, float]:
    """Wilson's interval of a share of so many."""
    if of <= 0:
        return 0.0, 1.0
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return max(0.0, middle - half), min(1.0, middle + half)


def chance_of(seen: float, of: float, peers: Chance, fleet: Chance, kappa: float) -> Chance:
    """The probability that a session shows this, never 0: n/(n+kappa) of the agent's own share, the rest the peers',
    who in turn borrow from the fleet."""
    least = 1.0 / (fleet.of + 2)
    above = (peers.seen + kappa * max(least, fleet.p)) / (peers.of + kappa)
    return Chance(max(least, (seen + kappa * above) / (of + kappa)), seen, of)


def log_odds(a: float, of_a: float, b: float, of_b: float, z: float = 1.96) -> tuple[float, float, float]:
    """(log-odds ratio, low, high) of two shares: Haldane and Anscombe's half, Woolf's interval."""
    cells = (a + 0.5, of_a - a + 0.5, b + 0.5, of_b - b + 0.5)
    ratio = math.log(cells[0] * cells[3] / (cells[1] * cells[2]))
    half = z * math.sqrt(sum(1 / cell for cell in cells))
    return ratio, ratio - half, ratio + half
