"""Where in the answers an order for a call could stand: the passage that holds most of what the call took from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    for number, answer in answers:
        present = [w for w in needles if w in answer.words]
        if not present or sum([needles[w] for w in present]) <= most:
            continue
        places = _places(answer.folded, present)
        for first, (start, word) in enumerate(places):
            seen = {word}
            end, weight = start + len(word), needles[word]
            for at, other in places[first + 1 :]:
                if at - start > _WINDOW:
                    break
                if other not in seen:
                    seen.add(other)
                    end = at + len(other)
                    weight += needles[other]
            if weight > most:
                most = weight
                best = Span(number, answer.folded[max(0, start - _MARGIN) : end + _MARGIN], weight)
    return best


def _places(text: str, words: Sequence[str]) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for word in words:
        at = text.find(word)
        seen = 0
        while at >= 0 and seen < _MOST_PLACES:
            if at == 0 or not text[at - 1].isalnum():
                found.append((at, word))
                seen += 1
            at = text.find(word, at + len(word))
    found.sort()
    return found
