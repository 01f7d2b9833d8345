"""Where a value came from: the request, an earlier tool's answer only, or nowhere."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Final, Literal

from baseline.scoring.sessions import Session, Step, Value
from baseline.scoring.words import is_identifier

Origin = Literal["request", "answer", "nowhere", "mixed"]
_MOSTLY: Final = 0.75
"""Share of a value's words that one source must hold to be its source."""
PROSE_WORDS: Final = 8
_ORIGINS: Final = 4
_PRIOR_TASKS: Final = 2.0


def kind_of(value: Value) -> str:
    """`identifier`, `name` (a few words) or `prose`."""
    if is_identifier(value.text):
        return "identifier"
    return "name" if len(value.tokens) <= PROSE_WORDS else "prose"


def origin_of(value: Value, asked: frozenset[str], answered: set[str] | dict[str, int]) -> Origin:
    """The first source that holds most of the value's words."""
    words = value.tokens
    if not words:
        return "nowhere"
    if sum(w in asked for w in words) >= _MOSTLY * len(words):
        return "request"
    if sum(w in answered for w in words) >= _MOSTLY * len(words):
        return "answer"
    return "mixed" if any(w in asked or w in answered for w in words) else "nowhere"


def origins_of(session: Session) -> Iterator[tuple[Step, str, Origin]]:
    """(call, argument, origin) of each value of the changing calls."""
    answered: set[str] = set()
    for step in session.steps:
        if step.changes:
            for value in step.values:
                yield step, value.name, origin_of(value, session.asked_tokens, answered)
        answered.update(step.result_tokens)


def origin_surprisal(
    origins: Mapping[tuple[str, ...], Mapping[str, float]], agent: str, tool: str, name: str, origin: str
) -> float:
    """-log P(origin | agent, tool, argument), shrunk towards all agents' tool, the argument, any argument."""
    p = 1.0 / _ORIGINS
    for key in ((), (name,), (tool, name), (agent, tool, name)):
        counts = origins.get(key)
        if counts:
            p = (counts.get(origin, 0.0) + _PRIOR_TASKS * p) / (sum(counts.values()) + _PRIOR_TASKS)
    return -math.log(p)
