"""Where a value came from: the request, an earlier tool's answer only, or nowhere."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Set
from typing import Final, Literal

from baseline.scoring.sessions import Session, Step
from baseline.scoring.words import text_of

Origin = Literal["request", "answer", "nowhere", "mixed"]
_MOSTLY: Final = 0.75
"""Share of a value's words that one source must hold to be its source."""
_ORIGINS: Final = 4
_PRIOR_TASKS: Final = 2.0


def origin_of(words: frozenset[str], asked: frozenset[str], answered: Set[str]) -> Origin:
    """The first source that holds most of the value's words."""
    return origin(len(words), len(words & asked), len((words - asked) & answered))


def origin(words: int, in_request: int, in_answers: int) -> Origin:
    """Of a value of so many words, of which so many stand in the request, and so many in an answer only."""
    most = _MOSTLY * words
    if words and in_request >= most:
        return "request"
    if words and in_request + in_answers >= most:
        return "answer"
    return "mixed" if in_request or in_answers else "nowhere"


def origins_of(session: Session) -> Iterator[tuple[Step, str, Origin]]:
    """(call, argument, origin) of each value of the changing calls."""
    answered: set[str] = set()
    asked = session.asked_tokens
    for step in session.steps:
        if step.changes:
            for value in step.values:
                yield step, value.name, origin_of(value.read.words, asked, answered)
        answered |= text_of(step.result).words


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
