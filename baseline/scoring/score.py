"""Fit on agents' benign sessions, then score sessions: how likely is one like it among them?"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from sklearn.ensemble import IsolationForest

from baseline.history import LEAST_SESSIONS
from baseline.scoring.combine import Numbers, Tail, cauchy, shrunk, tail_of
from baseline.scoring.orders import CALIBRATION_FOLDS, GRAFTS, NO_CHANGE, Judge, folds_of, held_out, orders_of, unseen
from baseline.scoring.past import Task, past_of, tasks_of
from baseline.scoring.reasons import VOICES, Explanation, Reason, reasons_of, usual_of, without
from baseline.scoring.requests import relevance_of
from baseline.scoring.sessions import Session
from baseline.scoring.shape import forest_of, oddness
from baseline.scoring.tasks import groups_of
from baseline.scoring.traits import TRAITS, Measured, Rows, measured

NOT_ENOUGH: Final = "not enough history"
WEIGHTS: Final[dict[str, float]] = {"orders": 0.985, "sequence": 0.005, "origins": 0.005, "shape": 0.005}
"""How much each voice counts. `orders` already weighs sequence and origins together with the request; the others
speak alone only where they are far more certain."""
PRIOR_TASKS: Final = 300.0
"""An agent's own calibration counts half when it rests on as many tasks as this."""
_SEQUENCE, _ORIGINS = list(TRAITS).index("surprisal"), list(TRAITS).index("origin_surprisal")


@dataclass(frozen=True, slots=True)
class StepScore:
    """One changing call: its number in the session and its log-odds of carrying out a foreign order."""

    number: int
    event_id: str
    tool: str
    odds: float


@dataclass(frozen=True, slots=True)
class Score:
    """How surprising a session is. `p` is None where nothing can be said, and `why` says why."""

    session_id: str
    p: float | None
    """P(a benign session of this agent is at least as odd)."""
    odds: float
    """Log-odds of its heaviest call to carry out a foreign order, `NO_CHANGE` where nothing changes: what `p` mainly
    rests on, for ranking sessions under one model or several."""
    sessions: int
    """Of this agent, that the score rests on."""
    why: str = ""
    _seen: _Seen | None = field(default=None, compare=False, repr=False)
    _at: int = field(default=0, compare=False, repr=False)

    @property
    def p_by_voice(self) -> dict[str, float]:
        """Each voice's own probability."""
        if self._seen is None or self.p is None:
            return {}
        return {v: float(p[self._at]) for v, p in self._seen.ps.items()}

    @property
    def steps(self) -> tuple[StepScore, ...]:
        """The changing calls in their order."""
        return () if self._seen is None else self._seen.steps(self._at)

    @property
    def top_step(self) -> StepScore | None:
        """The call that weighs most; the first of equals."""
        return max(self.steps, key=lambda s: (s.odds, -s.number), default=None)

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """The three voices that weigh most, the strongest first."""
        found = self.explain()
        return () if found is None else found.reasons

    def explain(self, bar: float = 0.01) -> Explanation | None:
        """Why, and what would have to differ for `p` to be above the bar; None where nothing changed. Worked out
        when asked for, since few sessions are looked at."""
        return None if self._seen is None else self._seen.explain(self._at, bar)


@dataclass
class _Seen:
    """Sessions as they were measured, so that a score can be explained later."""

    model: Model
    sessions: Sequence[Session]
    found: Measured
    odds: Numbers
    raw: dict[str, Numbers]
    ps: dict[str, Numbers]

    def steps(self, at: int) -> tuple[StepScore, ...]:
        steps = self.sessions[at].steps
        rows = range(self.found.starts[at], self.found.starts[at + 1])
        numbers = [self.found.numbers[i] for i in rows]
        return tuple(
            StepScore(n, steps[n].event_id, steps[n].tool, float(self.odds[i]))
            for n, i in zip(numbers, rows, strict=True)
        )

    def explain(self, at: int, bar: float) -> Explanation | None:
        start, end = self.found.starts[at], self.found.starts[at + 1]
        if start == end:
            return None
        session, past = self.sessions[at], self.model.judge.past
        top = int(np.argmax(self.odds[start:end]))
        now = float(self.odds[start + top])
        odds = {v: self._odds_without(start, end, (v,)) for v in VOICES}
        drops = {v: now - o for v, o in odds.items()}
        strongest = sorted(VOICES, key=lambda v: (-drops[v], v))
        quiet: tuple[str, ...] = ()
        for count in range(1, len(strongest) + 1):
            voices = tuple(strongest[:count])
            if self._p_at(at, self._odds_without(start, end, voices)) > bar:
                quiet = voices
                break
        number = self.found.numbers[start + top]
        near = past.nearest(session.agent_id, session.asked)
        like, task, _, tools = near[0] if near else (0.0, -1, frozenset[str](), frozenset[str]())
        example = past.examples[session.agent_id][task] if task >= 0 else None
        return Explanation(
            number, reasons_of(session, number, drops, past), example, like, tuple(sorted(tools)),
            {v: self._p_at(at, o) for v, o in odds.items()}, quiet,
        )  # fmt: skip

    def _odds_without(self, start: int, end: int, voices: tuple[str, ...]) -> float:
        rows = without(self.found.rows[start:end], self.model.usual, voices)
        return float(self.model.judge.orders.of(rows).max())

    def _p_at(self, at: int, odds: float) -> float:
        """The session's probability, had its heaviest call these odds."""
        raw = {v: values[at : at + 1].copy() for v, values in self.raw.items()} | {"orders": np.array([odds])}
        agents = [self.sessions[at].agent_id]
        return float(self.model.recalibrated(agents, cauchy(self.model.voices(agents, raw), WEIGHTS))[0])


@dataclass
class Model:
    """What was learnt from benign sessions of a fleet."""

    judge: Judge
    forests: dict[str, IsolationForest]
    usual: Rows
    """The traits of a usual benign call."""
    by_agent: dict[str, dict[str, Tail]] = field(default_factory=dict)
    fleet: dict[str, Tail] = field(default_factory=dict)
    combined: dict[str, Tail] = field(default_factory=dict)
    combined_fleet: Tail = field(default_factory=Tail)

    def score(self, session: Session) -> Score:
        """The session against its agent's history."""
        return self.score_all([session])[0]

    def score_all(self, sessions: Sequence[Session]) -> list[Score]:
        """Many sessions at once, in their order; each is judged alone."""
        known = self.judge.past.sessions
        found = measured(sessions, self.judge.past, self.judge.relevance)
        odds = self.judge.orders.of(found.rows)
        raw = raw_of(found, odds, _oddness(self.forests, sessions))
        agents = [s.agent_id for s in sessions]
        ps = self.voices(agents, raw)
        combined = self.recalibrated(agents, cauchy(ps, WEIGHTS)).tolist()
        seen = _Seen(self, sessions, found, odds, raw, ps)
        scores: list[Score] = []
        for at, (session, p, top) in enumerate(zip(sessions, combined, raw["orders"].tolist(), strict=True)):
            history = known.get(session.agent_id, 0)
            is_enough = history >= LEAST_SESSIONS
            why = "" if is_enough else f"{NOT_ENOUGH}: {history} of {LEAST_SESSIONS} sessions"
            scores.append(Score(session.session_id, p if is_enough else None, top, history, why, seen, at))
        return scores

    def voices(self, agents: Sequence[str], raw: dict[str, Numbers]) -> dict[str, Numbers]:
        """Each voice's probabilities, each session against its agent's history and the fleet's."""
        found = {v: np.ones(len(agents)) for v in WEIGHTS}
        for agent, at in _places(agents).items():
            own, tasks = self.by_agent.get(agent, {}), self.judge.past.agent_tasks.get(agent, 0)
            for v in WEIGHTS:
                found[v][at] = shrunk(own.get(v), tasks, self.fleet[v], raw[v][at], PRIOR_TASKS)
        return found

    def recalibrated(self, agents: Sequence[str], ps: Numbers) -> Numbers:
        """The combined probabilities against those of held-out benign sessions."""
        found = np.ones(len(agents))
        for agent, at in _places(agents).items():
            tasks = self.judge.past.agent_tasks.get(agent, 0)
            found[at] = shrunk(self.combined.get(agent), tasks, self.combined_fleet, -np.log(ps[at]), PRIOR_TASKS)
        return found


def fit(sessions: Sequence[Session], seed: int = 1, made: int = GRAFTS) -> Model:
    """Learn from benign sessions only; the order in which they come changes nothing.

    `made` hijacks are grafted in each fold; fewer are faster and rougher.
    """
    ordered = sorted(sessions, key=lambda s: (s.agent_id, s.session_id))
    if not ordered:
        raise ValueError("fit needs at least one session")
    group = groups_of(ordered)
    tasks = tasks_of(ordered, group)
    held = held_out(ordered, tasks, group, seed, made)
    past = past_of(tasks)
    judge = Judge(past, relevance_of(past), orders_of(held))
    seen, odds, judged = unseen(ordered, tasks, group, held, seed)
    model = Model(judge, _forests(ordered, seed), usual_of(seen.rows))
    raw = raw_of(seen, odds, _held_oddness(judged, tasks, group, seed))
    agents = [s.agent_id for s in judged]
    places = _places(agents)
    model.fleet = {v: tail_of(raw[v]) for v in WEIGHTS}
    model.by_agent = {a: {v: tail_of(raw[v][at]) for v in WEIGHTS} for a, at in places.items()}
    combined = -np.log(cauchy(model.voices(agents, raw), WEIGHTS))
    model.combined_fleet = tail_of(combined)
    model.combined = {a: tail_of(combined[at]) for a, at in places.items()}
    return model


def raw_of(found: Measured, odds: Numbers, odd: Numbers) -> dict[str, Numbers]:
    """Each voice's score of each session, larger is odder."""
    raw = {"orders": np.full(len(odd), NO_CHANGE), "sequence": np.zeros(len(odd)), "origins": np.zeros(len(odd))}
    starts, ends = np.array(found.starts[:-1], dtype=int), np.array(found.starts[1:], dtype=int)
    some = ends > starts
    if some.any():
        for voice, values in (
            ("orders", odds), ("sequence", found.rows[:, _SEQUENCE]), ("origins", found.rows[:, _ORIGINS]),
        ):  # fmt: skip
            raw[voice][some] = np.maximum.reduceat(values, starts[some])
    return raw | {"shape": odd}


def _places(agents: Sequence[str]) -> dict[str, Rows]:
    found: dict[str, list[int]] = defaultdict(list)
    for at, agent in enumerate(agents):
        found[agent].append(at)
    return {agent: np.array(found[agent]) for agent in sorted(found)}


def _held_oddness(sessions: Sequence[Session], tasks: Sequence[Task], group: Mapping[str, str], seed: int) -> Numbers:
    """Each session's shape against sessions of other tasks."""
    fold = folds_of(tasks, CALIBRATION_FOLDS, seed)
    count = Counter(t.agent for t in tasks)
    odd = np.zeros(len(sessions))
    for k in range(CALIBRATION_FOLDS):
        # Of an agent with a single task nothing can be held out.
        others = [s for s in sessions if fold[group[s.asked_key]] != k or count[s.agent_id] == 1]
        mine = [i for i, s in enumerate(sessions) if fold[group[s.asked_key]] == k]
        if mine and others:
            odd[mine] = _oddness(_forests(others, seed), [sessions[i] for i in mine])
    return odd


def _forests(sessions: Sequence[Session], seed: int) -> dict[str, IsolationForest]:
    by_agent: dict[str, list[Session]] = defaultdict(list)
    for session in sessions:
        by_agent[session.agent_id].append(session)
    return {agent: forest_of(mine, seed) for agent, mine in sorted(by_agent.items())}


def _oddness(forests: dict[str, IsolationForest], sessions: Sequence[Session]) -> Numbers:
    found = np.zeros(len(sessions))
    for agent, at in _places([s.agent_id for s in sessions]).items():
        if forest := forests.get(agent):
            found[at] = oddness(forest, [sessions[i] for i in at])
    return found
