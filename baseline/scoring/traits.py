"""What is measured of each changing call: who asked for it, the request or an answer?"""

from __future__ import annotations

import gc
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from baseline.scoring.asking import Passage, order_of
from baseline.scoring.drawn import Drawn, drawn_of
from baseline.scoring.past import Past
from baseline.scoring.requests import Odds, Relevance
from baseline.scoring.sequence import surprisal
from baseline.scoring.sessions import Session, Step, asked_of
from baseline.scoring.spans import Span, span_of
from baseline.scoring.words import Text, named, stem, text_of, tokens

TRAITS: Final[dict[str, int]] = {
    "tool_words_asked": -1,
    "relevance": -1,
    "relevance_behind": 1,
    "near_like": 0,
    "tool_tasks": 0,
    "surprisal": 1,
    "key_request": -1,
    "key_answer": 1,
    "key_nowhere": 0,
    "prose_request": -1,
    "prose_answer": 1,
    "prose_nowhere": 0,
    "origin_surprisal": 1,
    "request_covers": -1,
    "answer_covers": 1,
    "answer_over_request": 1,
    "answer_tool_words": 1,
    "answer_asks": 1,
    "answer_lift": 1,
    "lift_over_request": 1,
    "order_asks": 1,
    "order_covers": 1,
    "order_tool_words": 1,
    "order_lift": 1,
    "most_asks": 0,
    "source_asked": 0,
    "values_known": 0,
    "rarest_answer_word": 0,
    "changes_before": 0,
    "again": 0,
    "new_words": 0,
    "steps_since_source": 0,
    "identifiers_answered": 0,
    "no_values": 0,
    "other_relevance": 1,
    "other_covered": 1,
}
"""Each with the direction in which it may only speak for a hijack: 1 more, -1 less, 0 either."""
_MOST_REMEMBERED: Final = 1 << 13
_AGAINST: Final = tuple(list(TRAITS).index(t) for t in ("relevance", "request_covers"))

Rows = NDArray[np.float64]


@dataclass(slots=True)
class _Course:
    """What is known of the session before a call."""

    agent: str
    asked: frozenset[str]
    odds: Odds
    steps: Sequence[Step]
    answers: list[tuple[int, Text]] = field(default_factory=list)
    """The answers so far, one of those that are the same."""
    passages: list[Passage] = field(default_factory=list)
    most_asks: float = 0.0
    calls: Counter[tuple[str, ...]] = field(default_factory=Counter)
    changes: int = 0


@dataclass
class Measured:
    """The changing calls of sessions, one after the other."""

    rows: Rows
    starts: list[int]
    """Session i has the rows from starts[i] to starts[i + 1]."""
    numbers: list[int]
    """Each row's number of the call in its session."""


@contextmanager
def no_collection() -> Iterator[None]:
    """Nothing that is measured makes a cycle, and looking for cycles among all that is remembered costs a third."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def measured(sessions: Sequence[Session], past: Past, relevance: Relevance) -> Measured:
    """One row of `TRAITS` for each changing call of each session."""
    rows: list[list[float]] = []
    numbers: list[int] = []
    starts = [0]
    with no_collection():
        for session in sessions:
            last = -1
            for number, step in enumerate(session.steps):
                if step.changes:
                    last = number
            if last >= 0:
                _measure(session, last, past, relevance, rows, numbers)
            starts.append(len(rows))
    return Measured(np.array(rows, dtype=np.float64).reshape(len(rows), len(TRAITS)), starts, numbers)


def _measure(
    session: Session, last: int, past: Past, relevance: Relevance, rows: list[list[float]], numbers: list[int]
) -> None:
    start = len(rows)
    asked = asked_of(session.requests)
    odds = relevance.of(session.agent_id, asked.stems)
    course = _Course(session.agent_id, asked.words, odds, session.steps)
    asking, steps = past.asking, session.steps
    results: set[str] = set()
    for number in range(last + 1):
        step = steps[number]
        if step.changes:
            rows.append(_row(number, step, past, course))
            numbers.append(number)
            course.changes += 1
        if number < last and step.result not in results:
            results.add(step.result)
            course.answers.append((number, text_of(step.result)))
            if found := asking.passages(step.result):
                course.passages.extend(found)
                course.most_asks = max(course.most_asks, found[0].asks)
    mine = rows[start:]
    for at in _AGAINST:
        # A call stands out more where another call of the session is plainly what was asked.
        most = max([row[at] for row in mine])
        for row in mine:
            row.append(most - row[at])


def _asked_for(step: Step, asked: frozenset[str]) -> float:
    words = [v.read.words for v in step.values]
    total = sum(map(len, words))
    return sum([len(w & asked) for w in words]) / total if total else 0.5


def _row(number: int, step: Step, past: Past, course: _Course) -> list[float]:
    """All but the last two of `TRAITS`, in their order."""
    drawn = drawn_of(step, course.agent, course.asked, course.answers, past)
    span = span_of(course.answers, drawn.needles)
    call = (step.tool, *[v.text for v in step.values])
    again = course.calls[call]
    course.calls[call] += 1
    return [
        *_expected(number, step.tool, past, course),
        *_sources(drawn),
        *_ordered(step.tool, past, course, drawn, span),
        _asked_for(course.steps[span.step], course.asked) if span.step >= 0 else 1.0,
        drawn.known / max(1, len(step.values)),
        drawn.rarest,
        float(course.changes),
        float(again),
        math.log1p(drawn.new_words),
        float(number - span.step) if span.step >= 0 else 0.0,
        float(drawn.identifiers),
        float(not step.values),
    ]


def _expected(number: int, tool: str, past: Past, course: _Course) -> tuple[float, ...]:
    """From `tool_words_asked` to `surprisal`: whether the request, and the calls before, lead to this tool."""
    agent, odds = course.agent, course.odds
    before = tuple([s.tool if s.ok else f"{s.tool} failed" for s in course.steps[max(0, number - 2) : number]])
    fitting = odds.tool(tool)
    return (
        fitting.asked,
        fitting.odds,
        odds.best - fitting.odds,
        odds.near[0][0] if odds.near else 0.0,
        (past.tool_tasks.get((agent, tool), 0) + 0.5) / (past.agent_tasks.get(agent, 0) + 1),
        surprisal(past, agent, before, tool),
    )


def _sources(drawn: Drawn) -> tuple[float, ...]:
    """From `key_request` to `origin_surprisal`: the share of the values that came from each source."""
    key, prose = drawn.key, drawn.prose
    keys, proses = max(1, sum(key)), max(1, sum(prose))
    return (
        key[0] / keys, key[1] / keys, key[2] / keys, prose[0] / proses, prose[1] / proses, prose[2] / proses,
        drawn.oddest_origin,
    )  # fmt: skip


def _ordered(tool: str, past: Past, course: _Course, drawn: Drawn, span: Span) -> tuple[float, ...]:
    """From `request_covers` to `most_asks`: what stands for the request's order, and what for an answer's."""
    total = max(drawn.weight, 1e-9)
    asks, tool_words, lift = _said(past, span.text, tool) if span.text else (0.0, 0.0, 0.0)
    return (
        drawn.from_request / total,
        span.weight / total,
        (span.weight - drawn.from_request) / total,
        tool_words,
        asks,
        lift,
        lift - course.odds.tool(tool).lift,
        *order_of(course.passages, tool, past.lifts(tool), drawn.needles, total),
        course.most_asks,
    )


def _said(past: Past, passage: str, tool: str) -> tuple[float, float, float]:
    """How much a passage asks, the share of the words of the tool's name that it holds, its log-lift with the tool."""
    found = past.ordered.get((passage, tool))
    if found is None:
        if len(past.ordered) >= _MOST_REMEMBERED:
            past.ordered.clear()
        words, name = tokens(passage), named(tool)
        stems = frozenset(map(stem, words))
        share = len(name & stems) / max(1, len(name))
        found = past.ordered[passage, tool] = (past.asking.of(words), share, past.association(stems, tool))
    return found
