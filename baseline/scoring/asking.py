"""Does a text ask for something, or does it tell? Learnt from what agents were asked and what tools answered."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from baseline.scoring.words import tokens

_PRIOR_WORDS: Final = 200.0
_FEW_TASKS: Final = 2.0
"""A word that one task alone used says little of how requests are put."""
_SHORT: Final = 8.0
_MOST_OF_ONE_TEXT: Final = 3


@dataclass(frozen=True)
class Asking:
    """The log-odds of each word to stand in a request rather than in an answer (multinomial naive Bayes)."""

    odds: Mapping[str, float]

    def of(self, text: str) -> float:
        """The mean log-odds of its words, short texts pulled to 0."""
        words = tokens(text)
        get = self.odds.get
        return sum(get(w, 0.0) for w in words) / (len(words) + _SHORT)


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
