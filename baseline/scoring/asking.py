"""Does a text ask for something, or does it tell? Learnt from what agents were asked and what tools answered."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Final, NamedTuple

import numpy as np

from baseline.scoring.words import in_order, named, stem, tokens

_PRIOR_WORDS: Final = 200.0
_FEW_TASKS: Final = 2.0
"""A word that one task alone used says little of how requests are put."""
_SHORT: Final = 8.0
_MOST_OF_ONE_TEXT: Final = 3
_WINDOW: Final = 24
"""Words of a passage: one or two sentences."""
_STRIDE: Final = 6
_APART: Final = _WINDOW // _STRIDE
"""Strides from a window to the next that shares no word with it."""
_MOST_PASSAGES: Final = 3
_MOST_REMEMBERED: Final = 1 << 12


class Lifts(NamedTuple):
    """Word of a request -> its log-lift with a tool; and the largest of these, at least 0."""

    of: Mapping[str, float]
    strongest: float


class Fit(NamedTuple):
    """How a passage fits a tool: the share of the words of the tool's name that it holds, and its log-lift with it."""

    named: float
    lift: float


@dataclass(slots=True)
class Passage:
    """A part of an answer that asks for something: how much, and its words."""

    asks: float
    words: frozenset[str]
    _fits: dict[str, Fit] = field(default_factory=dict, compare=False, repr=False)

    def fit(self, tool: str, lifts: Lifts) -> Fit:
        found = self._fits.get(tool)
        if found is None:
            name, stems = named(tool), frozenset(map(stem, self.words))
            share = len(name & stems) / max(1, len(name))
            found = self._fits[tool] = Fit(share, max(map(lifts.of.get, stems, repeat(0.0)), default=0.0))
        return found


@dataclass(frozen=True)
class Asking:
    """The log-odds of each word to stand in a request rather than in an answer (multinomial naive Bayes)."""

    odds: Mapping[str, float]
    _known: dict[str, Sequence[Passage]] = field(default_factory=dict, compare=False, repr=False)

    def passages(self, text: str) -> Sequence[Passage]:
        """The passages of an answer that ask most, the strongest first; none overlaps another one."""
        found = self._known.get(text)
        if found is None:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            found = self._known[text] = self._passages(text)
        return found

    def _passages(self, text: str) -> Sequence[Passage]:
        words = in_order(text)
        count = len(words)
        sums = np.zeros(count + 1)
        np.fromiter(map(self.odds.get, words, repeat(0.0)), np.float64, count).cumsum(out=sums[1:])
        starts = np.arange(0, max(1, count - _WINDOW + _STRIDE), _STRIDE)
        totals = sums[np.minimum(starts + _WINDOW, count)] - sums[starts]
        found: list[Passage] = []
        while len(found) < _MOST_PASSAGES:
            # The strongest that is left, the earliest of equals.
            at = int(totals.argmax())
            if (most := float(totals[at])) <= 0.0:
                break
            start = at * _STRIDE
            part = frozenset(words[max(0, start - _STRIDE) : start + _WINDOW + _STRIDE])
            found.append(Passage(most / (min(_WINDOW, count - start) + _SHORT), part))
            totals[max(0, at - _APART + 1) : at + _APART] = 0.0
        return found

    def of(self, words: Sequence[str]) -> float:
        """The mean log-odds of the words of a text, short texts pulled to 0."""
        return sum(map(self.odds.get, words, repeat(0.0))) / (len(words) + _SHORT)


def asking_of(asked: Counter[str], answered: Counter[str], tasks: Mapping[str, int]) -> Asking:
    """From word counts of the requests and of the answers, and the number of tasks that each word stood in."""
    both = asked + answered
    total, requests, answers = both.total(), asked.total(), answered.total()
    odds: dict[str, float] = {}
    for word, count in both.items():
        prior = _PRIOR_WORDS * count / total
        told = math.log((answered[word] + prior) / (answers + _PRIOR_WORDS))
        raw = math.log((asked[word] + prior) / (requests + _PRIOR_WORDS)) - told
        seen = tasks.get(word, 0)
        odds[word] = raw * seen / (seen + _FEW_TASKS)
    return Asking(odds)


def counted(text: str) -> Counter[str]:
    """Word counts of one text; a word that it repeats without end counts a few times."""
    return Counter({w: min(n, _MOST_OF_ONE_TEXT) for w, n in Counter(tokens(text)).items()})


def order_of(
    passages: Sequence[Passage], tool: str, lifts: Lifts, needles: Mapping[str, float], total: float
) -> tuple[float, float, float, float]:
    """The passage that most looks like the order for a call: (how much it asks, the share of the values' weight that
    it holds, the share of the words of the tool's name, its log-lift with the tool).

    `needles` are the words that the call took from answers, with their weights out of `total`.
    """
    found, most = (0.0, 0.0, 0.0, 0.0), -1.0
    wanted, enough = needles.keys(), 2.3 + 0.2 * lifts.strongest
    for passage in passages:
        if passage.asks * enough < most:
            continue
        held = passage.words
        covers = sum([w for n, w in needles.items() if n in held]) / total if not held.isdisjoint(wanted) else 0.0
        share, lift = passage.fit(tool, lifts)
        score = passage.asks * (0.2 + covers + share + 0.2 * lift)
        if score > most:
            found, most = (passage.asks, covers, share, lift), score
    return found
