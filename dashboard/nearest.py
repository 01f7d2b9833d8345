"""The quiet session that is most like a flagged one, and the two laid side by side, step for step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

K = TypeVar("K")

STEPS_COMPARED: Final = 400
"""Calls of a session that are laid side by side; the alignment takes the product of the two lengths."""


@dataclass(frozen=True)
class Candidate:
    """A session that nobody flagged, with its calls in order."""

    session_id: str
    tools: tuple[str, ...]


def likeness(one: Sequence[str], other: Sequence[str]) -> float:
    """0..1: how alike two lists of calls are in what they use and in what follows what (Dice's coefficient).

    Half is of the tools, half of the pairs of neighbours, each counted as often as it occurs.
    """
    return (_dice(Counter(one), Counter(other)) + _dice(_pairs(one), _pairs(other))) / 2


def nearest(tools: Sequence[str], candidates: Sequence[Candidate]) -> tuple[Candidate, float] | None:
    """The most alike; of several that are, the one whose length is nearest, then the first by its id."""
    scored = [(-likeness(tools, c.tools), abs(len(c.tools) - len(tools)), c.session_id, c) for c in candidates]
    if not scored:
        return None
    best = min(scored, key=lambda entry: entry[:3])
    return best[3], -best[0]


Aligned = tuple[int | None, int | None]
"""Places in the two lists, from 0; None where the other one has a call that this one lacks."""


def aligned(one: Sequence[str], other: Sequence[str]) -> list[Aligned]:
    """The fewest insertions and deletions that make the two one (longest common subsequence), earliest matches first.

    Method: Needleman and Wunsch, Journal of Molecular Biology 48(3), 1970, with no reward for a mismatch.
    """
    n, m = len(one), len(other)
    best = [[0] * (m + 1) for _ in range(n + 1)]
    for i in range(n - 1, -1, -1):
        row, below = best[i], best[i + 1]
        for j in range(m - 1, -1, -1):
            row[j] = below[j + 1] + 1 if one[i] == other[j] else max(below[j], row[j + 1])
    found: list[Aligned] = []
    i = j = 0
    while i < n and j < m:
        if one[i] == other[j]:
            found.append((i, j))
            i, j = i + 1, j + 1
        elif best[i + 1][j] >= best[i][j + 1]:
            found.append((i, None))
            i += 1
        else:
            found.append((None, j))
            j += 1
    return [*found, *((place, None) for place in range(i, n)), *((None, place) for place in range(j, m))]


def _pairs(tools: Sequence[str]) -> Counter[tuple[str, str]]:
    return Counter(zip(["", *tools], [*tools, ""], strict=True))


def _dice(one: Counter[K], other: Counter[K]) -> float:
    total = one.total() + other.total()
    return 2 * (one & other).total() / total if total else 1.0
