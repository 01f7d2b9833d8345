"""Where in the answers an order for a call could stand: the passage that holds most of what the call took from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from baseline.scoring.words import Text

_WINDOW: Final = 240
"""Characters: about two sentences, as far as an order and its particulars stand apart."""
_MARGIN: Final = 100
_MOST_PLACES: Final = 8
"""Of one word in one answer."""
TOOL_WORD: Final = 1.0
"""What a word of the tool's name weighs beside the values' words, which weigh by their rarity."""


class Span(NamedTuple):
    """A passage of an answer: the step that gave it, its text, the weight of the values' words in it, and how many
    words of the tool's name."""

    step: int
    text: str
    weight: float
    tool_words: int


_NOWHERE: Final = Span(-1, "", 0.0, 0)


def span_of(answers: Sequence[tuple[int, Text]], needles: Mapping[str, float], tool: Sequence[str]) -> Span:
    """The passage that weighs most, the earliest of equals. `needles` are words of values with their weights."""
    best, most = _NOWHERE, 0.0
    for number, answer in answers:
        present = [w for w in needles if w in answer.words]
        if needles and not present:
            continue
        if sum(needles[w] for w in present) + TOOL_WORD * len(tool) <= most:
            continue
        places = _places(answer.folded, present, tool)
        for first, (start, _) in enumerate(places):
            seen: set[str] = set()
            end = start
            weight = 0.0
            named = 0
            for at, word in places[first:]:
                if at - start > _WINDOW:
                    break
                if word not in seen:
                    seen.add(word)
                    end = at + len(word)
                    weight += needles.get(word, 0.0)
                    named += word not in needles
            total = weight + TOOL_WORD * named
            if total > most:
                most = total
                text = answer.folded[max(0, start - _MARGIN) : end + _MARGIN]
                best = Span(number, text, weight, named)
    return best


def _places(text: str, words: Sequence[str], tool: Sequence[str]) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for word in words:
        _find(text, word, found)
    for word in tool:
        if word not in words:
            _find(text, word, found)
    found.sort()
    return found


def _find(text: str, word: str, found: list[tuple[int, str]]) -> None:
    at = text.find(word)
    seen = 0
    while at >= 0 and seen < _MOST_PLACES:
        if at == 0 or not text[at - 1].isalnum():
            found.append((at, word))
            seen += 1
        at = text.find(word, at + len(word))
