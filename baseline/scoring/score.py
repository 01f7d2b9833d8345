"""Fit on an agent's benign sessions, then score a session: how likely is one like it among them?"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from sklearn.ensemble import IsolationForest

from baseline.history import LEAST_SESSIONS
from baseline.scoring.combine import Tail, cauchy, shrunk, tail_of
from baseline.scoring.orders import GRAFTS, Held, Judge, Rows, cross_fitted, folds_of, held_out, orders_of
from baseline.scoring.past import past_of
from baseline.scoring.reasons import Reason, reasons_of
from baseline.scoring.requests import relevance_of
from baseline.scoring.sessions import Session
from baseline.scoring.shape import forest_of, oddness
from baseline.scoring.traits import TRAITS, traits_of

NOT_ENOUGH: Final = "not enough history"
WEIGHTS: Final[dict[str, float]] = {"orders": 0.985, "sequence": 0.005, "origins": 0.005, "shape": 0.005}
"""How much each voice counts. `orders` already weighs sequence and origins together with the request; the others
speak alone only where they are far more certain."""
PRIOR_TASKS: Final = 80.0
"""An agent's own calibration counts half when it rests on as many tasks as this."""
_NO_CHANGE: Final = -20.0
"""The score of a session that changed nothing."""


@dataclass(frozen=True)
class StepScore:
    """One changing call: its number in the session and its log-odds of carrying out a foreign order."""

    number: int
    event_id: str
    tool: str
    odds: float


@dataclass(frozen=True)
class Score:
    """How surprising a session is. `p` is None where nothing can be said, and `why` says why."""

    session_id: str
    p: float | None
    p_by_voice: dict[str, float]
    steps: tuple[StepScore, ...]
    reasons: tuple[Reason, ...]
    sessions: int
    """Of this agent, that the score rests on."""
    why: str = ""

    @property
    def top_step(self) -> StepScore | None:
        """The call that weighs most; the first of equals."""
        return max(self.steps, key=lambda s: (s.odds, -s.number), default=None)


@dataclass
class Model:
    """What was learnt from benign sessions of a fleet."""

    judge: Judge
    forests: dict[str, IsolationForest]
    by_agent: dict[str, dict[str, Tail]]
    fleet: dict[str, Tail]
    combined: dict[str, Tail] = field(default_factory=dict)
    combined_fleet: Tail = field(default_factory=lambda: Tail(()))

    def score(self, session: Session) -> Score:
        """The session against its agent's history."""
        return self.score_all([session])[0]

    def score_all(self, sessions: Sequence[Session]) -> list[Score]:
        """Many sessions at once, in their order; each is judged alone."""
        enough = [s for s in sessions if self.judge.past.sessions.get(s.agent_id, 0) >= LEAST_SESSIONS]
        measured = [traits_of(s, self.judge.past, self.judge.relevance) for s in enough]
        odds = self.judge.orders.of(np.vstack([rows for _, rows in measured])) if enough else np.zeros(0)
        odd = _oddness(self.forests, enough)
        found: dict[str, Score] = {}
        start = 0
        for session, (numbers, rows) in zip(enough, measured, strict=True):
            end = start + len(numbers)
            found[session.session_id] = self._scored(session, numbers, rows, odds[start:end], odd[session.session_id])
            start = end
        return [found.get(s.session_id) or self._unknown(s) for s in sessions]

    def _unknown(self, session: Session) -> Score:
        seen = self.judge.past.sessions.get(session.agent_id, 0)
        why = f"{NOT_ENOUGH}: {seen} of {LEAST_SESSIONS} sessions"
        return Score(session.session_id, None, {}, (), (), seen, why)

    def _scored(self, session: Session, numbers: list[int], rows: Rows, odds: Rows, odd: float) -> Score:
        steps = tuple(
            StepScore(n, session.steps[n].event_id, session.steps[n].tool, float(o))
            for n, o in zip(numbers, odds, strict=True)
        )
        raw = _raw(float(odds.max()) if len(odds) else _NO_CHANGE, rows.tolist(), odd)
        ps = self._ps(session.agent_id, raw)
        p = self._recalibrated(session.agent_id, cauchy(ps, WEIGHTS))
        top = max(range(len(numbers)), key=lambda i: (odds[i], -i), default=None)
        reasons: tuple[Reason, ...] = ()
        if top is not None:
            measured = dict(zip(TRAITS, rows[top].tolist(), strict=True))
            reasons = reasons_of(session, numbers[top], measured, self.judge.past)
        seen = self.judge.past.sessions[session.agent_id]
        return Score(session.session_id, p, ps, steps, reasons, seen)

    def _ps(self, agent: str, raw: dict[str, float]) -> dict[str, float]:
        own = self.by_agent.get(agent, {})
        tasks = self.judge.past.agent_tasks.get(agent, 0)
        return {v: shrunk(own.get(v), tasks, self.fleet[v], raw[v], PRIOR_TASKS) for v in WEIGHTS}

    def _recalibrated(self, agent: str, p: float) -> float:
        tasks = self.judge.past.agent_tasks.get(agent, 0)
        return shrunk(self.combined.get(agent), tasks, self.combined_fleet, -math.log(p), PRIOR_TASKS)


def fit(sessions: Sequence[Session], seed: int = 1, made: int = GRAFTS) -> Model:
    """Learn from benign sessions only; the order in which they come changes nothing.

    `made` hijacks are grafted in each fold; fewer are faster and rougher.
    """
    ordered = sorted(sessions, key=lambda s: (s.agent_id, s.session_id))
    if not ordered:
        raise ValueError("fit needs at least one session")
    held = held_out(ordered, seed, made)
    orders = orders_of(held, range(len(held.rows)))
    past = past_of(ordered)
    model = Model(Judge(past, relevance_of(past), orders), _forests(ordered, seed), {}, {})

    raws = _held_raws(ordered, held, seed)
    agents = sorted({s.agent_id for s in ordered})
    model.fleet = {v: tail_of([raws[s.session_id][v] for s in ordered]) for v in WEIGHTS}
    for agent in agents:
        mine = [raws[s.session_id] for s in ordered if s.agent_id == agent]
        model.by_agent[agent] = {v: tail_of([r[v] for r in mine]) for v in WEIGHTS}
    combined = {s.session_id: -math.log(cauchy(model._ps(s.agent_id, raws[s.session_id]), WEIGHTS)) for s in ordered}
    model.combined_fleet = tail_of(list(combined.values()))
    model.combined = {a: tail_of([combined[s.session_id] for s in ordered if s.agent_id == a]) for a in agents}
    return model


def _held_raws(sessions: Sequence[Session], held: Held, seed: int) -> dict[str, dict[str, float]]:
    """Each voice's score of each benign session, by fits that did not see its task."""
    odds = cross_fitted(held, sessions, seed)
    rows: dict[str, list[list[float]]] = {}
    for name, found in zip(held.session, held.rows, strict=True):
        if name is not None:
            rows.setdefault(name, found.tolist())
    fold = folds_of(sessions, seed)
    tasks = Counter(agent for agent, _ in {(s.agent_id, s.group) for s in sessions})
    alone = {agent for agent, number in tasks.items() if number == 1}  # Nothing of it could be held out.
    odd: dict[str, float] = {}
    for k in sorted(set(fold.values())):
        others = [s for s in sessions if fold[s.group] != k or s.agent_id in alone]
        odd |= _oddness(_forests(others, seed), [s for s in sessions if fold[s.group] == k])
    return {
        s.session_id: _raw(odds.get(s.session_id, _NO_CHANGE), rows.get(s.session_id, []), odd[s.session_id])
        for s in sessions
    }


def _raw(odds: float, rows: list[list[float]], odd: float) -> dict[str, float]:
    names = list(TRAITS)
    sequence, origins = names.index("surprisal"), names.index("origin_surprisal")
    return {
        "orders": odds,
        "sequence": max((r[sequence] for r in rows), default=0.0),
        "origins": max((r[origins] for r in rows), default=0.0),
        "shape": odd,
    }


def _forests(sessions: Sequence[Session], seed: int) -> dict[str, IsolationForest]:
    by_agent: dict[str, list[Session]] = defaultdict(list)
    for session in sessions:
        by_agent[session.agent_id].append(session)
    return {agent: forest_of(mine, seed) for agent, mine in sorted(by_agent.items())}


def _oddness(forests: dict[str, IsolationForest], sessions: Sequence[Session]) -> dict[str, float]:
    by_agent: dict[str, list[Session]] = defaultdict(list)
    for session in sessions:
        by_agent[session.agent_id].append(session)
    found: dict[str, float] = {}
    for agent, mine in sorted(by_agent.items()):
        forest = forests.get(agent)
        values = [0.0] * len(mine) if forest is None else oddness(forest, mine).tolist()
        found.update(zip((s.session_id for s in mine), values, strict=True))
    return found
