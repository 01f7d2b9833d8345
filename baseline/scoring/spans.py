"""Where in the answers an order for a call could stand: the passage that holds most of what the call took from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Final, NamedTuple

from baseline.scoring.words import Text

_WINDOW: Final = 240
"""Characters: about two sentences, as far as an order and its particulars stand apart."""
_MARGIN: Final = 80
_MOST_PLACES: Final = 4
"""Of one word in one answer."""


class Span(NamedTuple):
    """A passage of an answer: the step that gave it, its text, and the weight of the values' words in it."""

    step: int
    text: str
    weight: float


_NOWHERE: Final = Span(-1, "", 0.0)


def span_of(answers: Sequence[tuple[int, Text]], needles: Mapping[str, float]) -> Span:
    """The passage that weighs most, the earliest of equals. `needles` are words of values with their weights."""
    best, most = _NOWHERE, 0.0
    for number, answer in answers if needles else ():
        if answer.words.isdisjoint(needles):
            continue
        present = [needle for needle in needles.items() if needle[0] in answer.words]
        if sum([weight for _, weight in present]) <= most:
            continue
        text, weight = _heaviest(answer.folded, tuple(present))
        if weight > most:
            best, most = Span(number, text, weight), weight
    return best


@lru_cache(maxsize=1 << 12)
def _heaviest(text: str, present: tuple[tuple[str, float], ...]) -> tuple[str, float]:
    """The heaviest passage of one answer, and its weight."""
    needles = dict(present)
    # Of a single word every place weighs the same: the first one is it.
    places = _places(text, needles, 1 if len(needles) == 1 else _MOST_PLACES)
    best, most = (0, 0), 0.0
    for first, (start, word) in enumerate(places):
        seen = {word}
        end, weight = start + len(word), needles[word]
        for at, other in islice(places, first + 1, None):
            if at - start > _WINDOW:
                break
            if other not in seen:
                seen.add(other)
                end = at + len(other)
                weight += needles[other]
        if weight > most:
            best, most = (start, end), weight
    return text[max(0, best[0] - _MARGIN) : best[1] + _MARGIN] if most else "", most


def _places(text: str, words: Iterable[str], most: int) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for word in words:
        at = text.find(word)
        seen = 0
        while at >= 0:
            if at == 0 or not text[at - 1].isalnum():
                found.append((at, word))
                seen += 1
                if seen == most:
                    break
            at = text.find(word, at + len(word))
    found.sort()
    return found
