"""What is measured of each changing call: who asked for it, the request or an answer?"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from baseline.scoring.past import Past
from baseline.scoring.provenance import kind_of, origin_of, origin_surprisal
from baseline.scoring.requests import Nearest, Relevance, signs_of, words_asked
from baseline.scoring.sequence import surprisal
from baseline.scoring.sessions import Session, Step
from baseline.scoring.words import named, stem

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
_WINDOW: Final = 30
"""Words: about two sentences, as far as an order and its particulars stand apart."""

Place = tuple[int, int]


@dataclass
class _Answers:
    """Where each word stood in the answers so far: (number of the step, window). Windows overlap by half."""

    first: dict[str, int] = field(default_factory=dict)
    words: dict[str, set[Place]] = field(default_factory=lambda: defaultdict(set))
    stems: dict[str, set[Place]] = field(default_factory=lambda: defaultdict(set))

    def add(self, number: int, words: tuple[str, ...]) -> None:
        for at, word in enumerate(words):
            self.first.setdefault(word, number)
            window = at // (_WINDOW // 2)
            places = ((number, window), (number, window - 1))
            self.words[word].update(places)
            self.stems[stem(word)].update(places)


@dataclass
class _Course:
    """What is known of the session before a call."""

    near: Nearest
    best_relevance: float
    answers: _Answers = field(default_factory=_Answers)
    before: tuple[str, ...] = ()
    calls: Counter[tuple[str, ...]] = field(default_factory=Counter)
    changes: int = 0
    sources_asked: list[float] = field(default_factory=list)


def traits_of(session: Session, past: Past, relevance: Relevance) -> tuple[list[int], NDArray[np.float64]]:
    """(numbers of the changing calls, one row of `TRAITS` each)."""
    numbers = [n for n, s in enumerate(session.steps) if s.changes]
    if not numbers:
        return [], np.zeros((0, len(TRAITS)))
    agent, asked = session.agent_id, session.asked
    near = past.nearest(agent, asked)
    tools = sorted(past.tools(agent) | {session.steps[n].tool for n in numbers})
    odds = dict(zip(tools, relevance.of([signs_of(asked, agent, t, past, near) for t in tools]), strict=True))
    course = _Course(near, max(odds.values()))
    rows: list[list[float]] = []
    for number, step in enumerate(session.steps):
        if step.changes:
            rows.append(_row(session, number, step, past, course, float(odds[step.tool])))
            course.changes += 1
        course.calls[_call(step)] += 1
        course.sources_asked.append(_asked_for(step, session))
        course.answers.add(number, step.result_tokens)
        course.before = (*course.before, step.tool if step.ok else f"{step.tool} failed")[-2:]
    _against_the_others(rows)
    return numbers, np.array(rows, dtype=np.float64)


def _against_the_others(rows: list[list[float]]) -> None:
    """A call stands out more where another call of the session is plainly what was asked."""
    for at in (list(TRAITS).index("relevance"), list(TRAITS).index("request_covers")):
        own = [row[at] for row in rows]
        for number, row in enumerate(rows):
            row.append(max([0.0, *(other - own[number] for other in own)]))


def _call(step: Step) -> tuple[str, ...]:
    return (step.tool, *(v.text for v in step.values))


def _asked_for(step: Step, session: Session) -> float:
    words = [w for v in step.values for w in v.tokens]
    return sum(w in session.asked_tokens for w in words) / len(words) if words else 0.5


def _row(session: Session, number: int, step: Step, past: Past, course: _Course, odds: float) -> list[float]:
    agent, asked, answers = session.agent_id, session.asked_tokens, course.answers
    shares = {"key": [0, 0, 0, 0], "prose": [0, 0, 0, 0]}
    oddest_origin = rarest = from_request = total = 0.0
    known = new_words = identifiers = 0
    sources: list[int] = []
    covered: dict[Place, float] = defaultdict(float)
    for value in step.values:
        kind = kind_of(value)
        origin = origin_of(value, asked, answers.first)
        oddest_origin = max(oddest_origin, origin_surprisal(past.origins, agent, step.tool, value.name, origin))
        share = shares["prose" if kind == "prose" else "key"]
        share[3] += 1
        share[{"request": 0, "answer": 1}.get(origin, 2)] += 1
        known += past.values.get((agent, value.name, value.text), 0) > 0
        identifiers += kind == "identifier" and origin == "answer"
        for word in dict.fromkeys(value.tokens):
            weight = max(0.0, past.weight(word)) * (0.3 if kind == "prose" else 1.0)
            total += weight
            if word in asked:
                from_request += weight
            elif word in answers.first:
                new_words += past.token_tasks.get(word, 0) == 0
                if kind != "prose":
                    rarest = max(rarest, weight)
                    sources.append(answers.first[word])
            for place in answers.words.get(word, ()):
                covered[place] += weight
    place, from_answer = max(covered.items(), key=lambda c: (c[1], c[0]), default=((-1, 0), 0.0))
    around = {place, (place[0], place[1] - 1), (place[0], place[1] + 1)}
    name = named(step.tool)
    total = max(total, 1e-9)
    key, prose = shares["key"], shares["prose"]
    return [
        words_asked(step.tool, session.asked),
        odds,
        course.best_relevance - odds,
        course.near[0][0] if course.near else 0.0,
        (past.tool_tasks.get((agent, step.tool), 0) + 0.5) / (past.agent_tasks.get(agent, 0) + 1),
        surprisal(past, agent, course.before, step.tool),
        *(key[i] / max(1, key[3]) for i in range(3)),
        *(prose[i] / max(1, prose[3]) for i in range(3)),
        oddest_origin,
        from_request / total,
        from_answer / total,
        (from_answer - from_request) / total,
        sum(bool(answers.stems.get(w, _NONE) & around) for w in name) / max(1, len(name)),
        min((course.sources_asked[s] for s in sources), default=1.0),
        known / max(1, len(step.values)),
        rarest,
        float(course.changes),
        float(course.calls[_call(step)]),
        math.log1p(new_words),
        float(min((number - s for s in sources), default=0)),
        float(identifiers),
        float(not step.values),
    ]


_NONE: Final[set[Place]] = set()
