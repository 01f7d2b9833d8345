"""What is measured of each changing call: who asked for it, the request or an answer?"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Final

import numpy as np
from numpy.typing import NDArray

from baseline.scoring.asking import Passage, order_of
from baseline.scoring.past import Past
from baseline.scoring.provenance import origin as origin_from
from baseline.scoring.provenance import origin_surprisal
from baseline.scoring.requests import Odds, Relevance, words_asked
from baseline.scoring.sequence import surprisal
from baseline.scoring.sessions import Session, Step, asked_of
from baseline.scoring.spans import span_of
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
_PROSE_WEIGHT: Final = 0.3
_MOST_NEEDLES: Final = 6
_MOST_REMEMBERED: Final = 1 << 13
_AGAINST: Final = tuple(list(TRAITS).index(t) for t in ("relevance", "request_covers"))

Rows = NDArray[np.float64]


@dataclass(slots=True)
class _Course:
    """What is known of the session before a call."""

    agent: str
    asked: frozenset[str]
    stems: frozenset[str]
    odds: Odds
    steps: Sequence[Step]
    answers: list[tuple[int, Text]] = field(default_factory=list)
    """The answers so far, one of those that are the same."""
    passages: list[Passage] = field(default_factory=list)
    most_asks: float = 0.0
    before: tuple[str, ...] = ()
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


def measured(sessions: Sequence[Session], past: Past, relevance: Relevance) -> Measured:
    """One row of `TRAITS` for each changing call of each session."""
    rows: list[list[float]] = []
    numbers: list[int] = []
    starts = [0]
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
    course = _Course(session.agent_id, asked.words, asked.stems, odds, session.steps)
    asking, steps = past.asking, session.steps
    results: set[str] = set()
    for number in range(last + 1):
        step = steps[number]
        if step.changes:
            course.before = tuple([s.tool if s.ok else f"{s.tool} failed" for s in steps[max(0, number - 2) : number]])
            call = (step.tool, *[v.text for v in step.values])
            rows.append(_row(number, step, past, course, course.calls[call]))
            numbers.append(number)
            course.calls[call] += 1
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


def _row(number: int, step: Step, past: Past, course: _Course, again: int) -> list[float]:
    agent, asked, tool = course.agent, course.asked, step.tool
    weigh, unseen = past.weights.get, repeat(past.unseen)
    key, prose = [0, 0, 0], [0, 0, 0]
    oddest_origin = rarest = from_request = total = 0.0
    known = identifiers = 0
    needles: dict[str, float] = {}
    for value in step.values:
        read = value.read
        is_prose = read.kind == "prose"
        factor = _PROSE_WEIGHT if is_prose else 1.0
        # Sums of what a set yields: exact ones, which no order of the set can change.
        words = read.words
        total += factor * math.fsum(map(weigh, words, unseen))
        requested = words & asked
        rest = words
        if requested:
            from_request += factor * math.fsum(map(weigh, requested, unseen))
            rest = words - requested
        answered = 0
        for _, answer in course.answers:
            if not rest:
                break
            if not rest.isdisjoint(answer.words):
                hit = rest & answer.words
                rest -= hit
                answered += len(hit)
                for word, weight in zip(hit, map(weigh, hit, unseen), strict=True):
                    if is_prose:
                        needles.setdefault(word, weight * factor)
                    else:
                        needles[word] = weight
                        if weight > rarest:
                            rarest = weight
        origin = origin_from(len(words), len(requested), answered)
        odd = _origin_surprisal(past, agent, tool, value.name, origin)
        if odd > oddest_origin:
            oddest_origin = odd
        (prose if is_prose else key)[0 if origin == "request" else 1 if origin == "answer" else 2] += 1
        known += (agent, value.name, value.text) in past.values
        identifiers += read.kind == "identifier" and origin == "answer"
    new_words = len(needles.keys() - past.seen)
    # A set's words come in any order: the rarest first, ties by the word.
    if len(needles) > 1:
        needles = dict(sorted(needles.items(), key=_rarest_first)[:_MOST_NEEDLES])
    keys, proses = max(1, sum(key)), max(1, sum(prose))
    name = named(tool)
    span = span_of(course.answers, needles)
    total = max(total, 1e-9)
    odds = course.odds.tool(tool)
    asks, tool_words, lift = _ordered(past, span.text, tool) if span.text else (0.0, 0.0, 0.0)
    order, *order_match = order_of(course.passages, past.lifts(tool), needles, name, total)
    return [
        words_asked(tool, course.stems),
        odds,
        course.odds.best - odds,
        course.odds.near[0][0] if course.odds.near else 0.0,
        (past.tool_tasks.get((agent, tool), 0) + 0.5) / (past.agent_tasks.get(agent, 0) + 1),
        surprisal(past, agent, course.before, tool),
        key[0] / keys,
        key[1] / keys,
        key[2] / keys,
        prose[0] / proses,
        prose[1] / proses,
        prose[2] / proses,
        oddest_origin,
        from_request / total,
        span.weight / total,
        (span.weight - from_request) / total,
        tool_words,
        asks,
        lift,
        lift - course.odds.lift(tool),
        order,
        *order_match,
        course.most_asks,
        _asked_for(course.steps[span.step], asked) if span.step >= 0 else 1.0,
        known / max(1, len(step.values)),
        rarest,
        float(course.changes),
        float(again),
        math.log1p(new_words),
        float(number - span.step) if span.step >= 0 else 0.0,
        float(identifiers),
        float(not step.values),
    ]


def _ordered(past: Past, passage: str, tool: str) -> tuple[float, float, float]:
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


def _rarest_first(needle: tuple[str, float]) -> tuple[float, str]:
    return (-needle[1], needle[0])


def _origin_surprisal(past: Past, agent: str, tool: str, name: str, origin: str) -> float:
    key = (agent, tool, name, origin)
    found = past.origin_surprisals.get(key)
    if found is None:
        if len(past.origin_surprisals) > 1 << 16:
            past.origin_surprisals.clear()
        found = past.origin_surprisals[key] = origin_surprisal(past.origins, agent, tool, name, origin)
    return found
