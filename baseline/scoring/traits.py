"""What is measured of each changing call: who asked for it, the request or an answer?"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from baseline.scoring.past import Past
from baseline.scoring.provenance import origin as origin_from
from baseline.scoring.provenance import origin_surprisal
from baseline.scoring.requests import Odds, Relevance, words_asked
from baseline.scoring.sequence import surprisal
from baseline.scoring.sessions import Session, Step
from baseline.scoring.spans import span_of
from baseline.scoring.words import Text, named, text_of, told

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
    "source_asked": 0,
    "values_known": 0,
    "rarest_answer_word": 0,
    "changes_before": 0,
    "again": 0,
    "new_words": 0,
    "steps_since_source": 0,
    "identifiers_answered": 0,
    "no_values": 0,
    "unserved": 0,
    "other_relevance": 1,
    "other_covered": 1,
}
"""Each with the direction in which it may only speak for a hijack: 1 more, -1 less, 0 either."""
_PROSE_WEIGHT: Final = 0.3
_MOST_NEEDLES: Final = 6
_MOST_WANTED: Final = 8
_AGAINST: Final = tuple(list(TRAITS).index(t) for t in ("relevance", "request_covers"))

Rows = NDArray[np.float64]


@dataclass
class _Course:
    """What is known of the session before a call."""

    agent: str
    asked: frozenset[str]
    stems: frozenset[str]
    odds: Odds
    unserved: float
    answers: list[tuple[int, Text]] = field(default_factory=list)
    """The answers so far, one of those that are the same."""
    answered: set[str] = field(default_factory=set)
    first: dict[str, int] = field(default_factory=dict)
    before: tuple[str, ...] = ()
    calls: Counter[tuple[str, ...]] = field(default_factory=Counter)
    changes: int = 0
    sources_asked: list[float] = field(default_factory=list)


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
    stems, asked = session.asked, session.asked_tokens
    odds = relevance.of(session.agent_id, stems)
    course = _Course(session.agent_id, asked, stems, odds, _unserved(session, asked, past))
    results: set[str] = set()
    for number, step in enumerate(session.steps[: last + 1]):
        call = (step.tool, *[v.text for v in step.values])
        if step.changes:
            rows.append(_row(number, step, past, course, course.calls[call]))
            numbers.append(number)
            course.changes += 1
        course.calls[call] += 1
        course.sources_asked.append(_asked_for(step, asked))
        if step.result not in results:
            results.add(step.result)
            course.answers.append((number, text_of(step.result)))
        course.before = (*course.before, step.tool if step.ok else f"{step.tool} failed")[-2:]
    mine = rows[start:]
    for at in _AGAINST:
        # A call stands out more where another call of the session is plainly what was asked.
        most = max(row[at] for row in mine)
        for row in mine:
            row.append(most - row[at])


def _unserved(session: Session, asked: frozenset[str], past: Past) -> float:
    """The share of the request's rarest words that no call used."""
    weights, unseen = past.weights, past.unseen
    wanted = sorted(asked, key=lambda w: (-weights.get(w, unseen), w))[:_MOST_WANTED]
    used: set[str] = set()
    for step in session.steps:
        for value in step.values:
            used.update(value.read.words)
    return sum(w not in used for w in wanted) / max(1, len(wanted))


def _asked_for(step: Step, asked: frozenset[str]) -> float:
    total = found = 0
    for value in step.values:
        words = value.read.words
        total += len(words)
        found += sum([w in asked for w in words])
    return found / total if total else 0.5


def _row(number: int, step: Step, past: Past, course: _Course, again: int) -> list[float]:
    agent, asked, tool = course.agent, course.asked, step.tool
    weights, unseen, seen = past.weights, past.unseen, past.token_tasks
    key = [0, 0, 0, 0]
    prose = [0, 0, 0, 0]
    oddest_origin = rarest = from_request = total = 0.0
    known = new_words = identifiers = 0
    needles: dict[str, float] = {}
    sets = [(n, a.words) for n, a in course.answers]
    first = course.first
    for value in step.values:
        read = value.read
        is_prose = read.kind == "prose"
        factor = _PROSE_WEIGHT if is_prose else 1.0
        in_request = in_answers = 0
        for word in read.words:
            weight = weights.get(word, unseen) * factor
            total += weight
            if word in asked:
                from_request += weight
                in_request += 1
            else:
                source = first.get(word, -1)
                if source < 0:
                    source = next((n for n, words in sets if word in words), -1)
                if source >= 0:
                    first[word] = source
                    in_answers += 1
                    new_words += word not in seen
                    needles[word] = max(weight, needles.get(word, 0.0))
                    if not is_prose:
                        rarest = max(rarest, weight)
        origin = origin_from(len(read.words), in_request, in_answers)
        oddest_origin = max(oddest_origin, _origin_surprisal(past, agent, tool, value.name, origin))
        share = prose if is_prose else key
        share[3] += 1
        share[0 if origin == "request" else 1 if origin == "answer" else 2] += 1
        known += (agent, value.name, value.text) in past.values
        identifiers += read.kind == "identifier" and origin == "answer"
    if len(needles) > _MOST_NEEDLES:
        needles = dict(sorted(needles.items(), key=lambda n: (-n[1], n[0]))[:_MOST_NEEDLES])
    name = sorted(named(tool))
    span = span_of(course.answers, needles, name)
    total = max(total, 1e-9)
    odds = course.odds.tool(tool)
    lift = asks = 0.0
    if span.text:
        asks = past.asking.of(span.text)
        lift = past.association(told(span.text), tool)
    sources = [first[w] for w in needles]
    source_asked = course.sources_asked
    return [
        words_asked(tool, course.stems),
        odds,
        course.odds.best - odds,
        course.odds.near[0][0] if course.odds.near else 0.0,
        (past.tool_tasks.get((agent, tool), 0) + 0.5) / (past.agent_tasks.get(agent, 0) + 1),
        surprisal(past, agent, course.before, tool),
        *[n / max(1, key[3]) for n in key[:3]],
        *[n / max(1, prose[3]) for n in prose[:3]],
        oddest_origin,
        from_request / total,
        span.weight / total,
        (span.weight - from_request) / total,
        span.tool_words / max(1, len(name)),
        asks,
        lift,
        lift - past.association(course.stems, tool),
        source_asked[span.step] if span.step >= 0 else 1.0,
        known / max(1, len(step.values)),
        rarest,
        float(course.changes),
        float(again),
        math.log1p(new_words),
        float(number - span.step) if span.step >= 0 else 0.0,
        float(identifiers),
        float(not step.values),
        course.unserved,
    ]


def _origin_surprisal(past: Past, agent: str, tool: str, name: str, origin: str) -> float:
    key = (agent, tool, name, origin)
    found = past.origin_surprisals.get(key)
    if found is None:
        if len(past.origin_surprisals) > 1 << 16:
            past.origin_surprisals.clear()
        found = past.origin_surprisals[key] = origin_surprisal(past.origins, agent, tool, name, origin)
    return found
