"""What a call drew its values from: the request, the answers before it, or neither."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import TYPE_CHECKING, Final, NamedTuple

from baseline.scoring.provenance import origin, origin_surprisal
from baseline.scoring.sessions import Step, Value
from baseline.scoring.words import LONGEST_REMEMBERED, Text

if TYPE_CHECKING:
    from baseline.scoring.past import Past

_PROSE_WEIGHT: Final = 0.3
_MOST_NEEDLES: Final = 6
_MOST_REMEMBERED: Final = 1 << 16
_PLACE: Final = {"request": 0, "answer": 1, "nowhere": 2, "mixed": 2}


class Weighed(NamedTuple):
    """A value's words, its kind, how much a word of it counts, and what all of them weigh."""

    words: frozenset[str]
    kind: str
    factor: float
    weight: float


@dataclass(slots=True)
class Drawn:
    """Of all the values of one call."""

    key: list[int] = field(default_factory=lambda: [0, 0, 0])
    """Names and identifiers that came from the request, from answers, from neither or both."""
    prose: list[int] = field(default_factory=lambda: [0, 0, 0])
    """The same of longer texts."""
    oddest_origin: float = 0.0
    weight: float = 0.0
    from_request: float = 0.0
    """The part of the weight that stands in the request."""
    rarest: float = 0.0
    """The weight of the rarest word that a name or identifier took from an answer."""
    known: int = 0
    """Values that the agent's history shows for the same argument."""
    identifiers: int = 0
    """Identifiers that came from answers."""
    needles: dict[str, float] = field(default_factory=dict)
    """The words taken from answers with their weights, the rarest first."""
    new_words: int = 0
    """Of these, those that no task of the past showed."""


def drawn_of(step: Step, agent: str, asked: frozenset[str], answers: Sequence[tuple[int, Text]], past: Past) -> Drawn:
    """`answers` are those before the step, with their numbers."""
    found = Drawn()
    weights, unseen = past.weights.get, repeat(past.unseen)
    firm: set[str] = set()
    loose: set[str] = set()
    for value in step.values:
        words, kind, factor, weight = _weighed(value, past)
        found.weight += weight
        rest = words - asked
        if len(rest) < len(words):
            # Sums of what a set yields: exact ones, which no order of the set can change.
            found.from_request += factor * math.fsum(map(weights, words & asked, unseen))
        left = rest
        for _, answer in answers:
            if not left.isdisjoint(answer.words):
                left = left - answer.words
                if not left:
                    break
        answered = len(rest) - len(left)
        if answered:
            (loose if kind == "prose" else firm).update(rest - left)
        source = origin(len(words), len(words) - len(rest), answered)
        odd = _surprisal(past, agent, step.tool, value.name, source)
        if odd > found.oddest_origin:
            found.oddest_origin = odd
        (found.prose if kind == "prose" else found.key)[_PLACE[source]] += 1
        found.known += (agent, value.name, value.text) in past.values
        found.identifiers += kind == "identifier" and source == "answer"
    if firm or loose:
        _take(found, firm, loose - firm, past)
    return found


def _take(found: Drawn, firm: set[str], loose: set[str], past: Past) -> None:
    """The words taken from answers, by names and identifiers and by prose alone."""
    found.new_words = len(firm - past.seen) + len(loose - past.seen)
    weights, unseen = past.weights.get, past.unseen
    # A set's words come in any order: the rarest first, ties by the word.
    taken = [(-weights(word, unseen), word) for word in firm]
    if taken:
        found.rarest = -min(taken)[0]
    taken += [(-weights(word, unseen) * _PROSE_WEIGHT, word) for word in loose]
    taken.sort()
    found.needles = {word: -weight for weight, word in taken[:_MOST_NEEDLES]}


def _weighed(value: Value, past: Past) -> Weighed:
    found = past.weighed.get(value.text)
    if found is None:
        read = value.read
        factor = _PROSE_WEIGHT if read.kind == "prose" else 1.0
        weight = factor * math.fsum(map(past.weights.get, read.words, repeat(past.unseen)))
        found = Weighed(read.words, read.kind, factor, weight)
        if len(value.text) <= LONGEST_REMEMBERED:
            if len(past.weighed) >= _MOST_REMEMBERED:
                past.weighed.clear()
            past.weighed[value.text] = found
    return found


def _surprisal(past: Past, agent: str, tool: str, name: str, source: str) -> float:
    key = (agent, tool, name, source)
    found = past.origin_surprisals.get(key)
    if found is None:
        if len(past.origin_surprisals) >= _MOST_REMEMBERED:
            past.origin_surprisals.clear()
        found = past.origin_surprisals[key] = origin_surprisal(past.origins, agent, tool, name, source)
    return found
