"""Does a text ask for something, or does it tell? Learnt from what agents were asked and what tools answered."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain, repeat
from operator import sub
from typing import Final, NamedTuple

from baseline.scoring.words import in_order, stem, tokens

_PRIOR_WORDS: Final = 200.0
_FEW_TASKS: Final = 2.0
"""A word that one task alone used says little of how requests are put."""
_SHORT: Final = 8.0
_MOST_OF_ONE_TEXT: Final = 3
_WINDOW: Final = 24
"""Words of a passage: one or two sentences."""
_STRIDE: Final = 6
_MOST_PASSAGES: Final = 3
_MOST_REMEMBERED: Final = 1 << 12


class Passage(NamedTuple):
    """A part of an answer that asks for something: how much, and its words and their stems."""

    asks: float
    words: frozenset[str]
    stems: frozenset[str]


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
        sums = [0.0, *accumulate(map(self.odds.get, words, repeat(0.0)))]
        last = max(1, len(words) - _WINDOW + _STRIDE)
        ends = chain(sums[_WINDOW::_STRIDE], repeat(sums[-1]))
        totals = map(sub, ends, sums[:last:_STRIDE])
        windows = [(-total, number * _STRIDE) for number, total in enumerate(totals) if total > 0]
        windows.sort()
        found: list[Passage] = []
        taken: list[int] = []
        for negative, start in windows:
            total = -negative
            if len(found) == _MOST_PASSAGES:
                break
            if all(abs(start - t) >= _WINDOW for t in taken):
                taken.append(start)
                part = frozenset(words[max(0, start - _STRIDE) : start + _WINDOW + _STRIDE])
                size = min(_WINDOW, len(words) - start)
                found.append(Passage(total / (size + _SHORT), part, frozenset(map(stem, part))))
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
    passages: Sequence[Passage],
    lifts: Mapping[str, float],
    needles: Mapping[str, float],
    tool_words: frozenset[str],
    total: float,
) -> tuple[float, float, float, float]:
    """The passage that most looks like the order for a call: (how much it asks, the share of the values' weight that
    it holds, the share of the words of the tool's name, its log-lift with the tool).

    `lifts` are the tool's words in requests; `needles` the words that the call took from answers, with their weights
    out of `total`.
    """
    found, most = (0.0, 0.0, 0.0, 0.0), -1.0
    names, wanted, nothing = max(1, len(tool_words)), needles.keys(), repeat(0.0)
    for asks, held, stems in passages:
        covers = sum([w for n, w in needles.items() if n in held]) / total if not held.isdisjoint(wanted) else 0.0
        named = len(tool_words & stems) / names
        lift = max(map(lifts.get, stems, nothing), default=0.0)
        score = asks * (0.2 + covers + named + 0.2 * lift)
        if score > most:
            found, most = (asks, covers, named, lift), score
    return found
