"""Fit on agents' benign sessions, then score sessions: how likely is one like it among them?"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from baseline.history import LEAST_SESSIONS
from baseline.scoring.combine import Numbers, Tail, cauchy, shrunk, tail_of
from baseline.scoring.orders import CALIBRATION_FOLDS, GRAFTS, NO_CHANGE, Judge, folds_of, held_out, orders_of, unseen
from baseline.scoring.past import Task, past_of, tasks_of
from baseline.scoring.reasons import usual_of
from baseline.scoring.requests import relevance_of
from baseline.scoring.scored import WEIGHTS, Score, Seen
from baseline.scoring.sessions import Session
from baseline.scoring.shape import FEATURES, Forest, features_of, forest_of
from baseline.scoring.tasks import groups_of
from baseline.scoring.traits import TRAITS, Measured, Rows, measured, no_collection

__all__ = ["NOT_ENOUGH", "NO_CHANGE", "Model", "Score", "fit"]

NOT_ENOUGH: Final = "not enough history"
PRIOR_TASKS: Final = 300.0
"""An agent's own calibration counts half when it rests on as many tasks as this."""
_SEQUENCE, _ORIGINS = list(TRAITS).index("surprisal"), list(TRAITS).index("origin_surprisal")


@dataclass
class Model:
    """What was learnt from benign sessions of a fleet."""

    judge: Judge
    forests: dict[str, Forest]
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
        with no_collection():
            return self._score_all(sessions)

    def _score_all(self, sessions: Sequence[Session]) -> list[Score]:
        known = self.judge.past.sessions
        found = measured(sessions, self.judge.past, self.judge.relevance)
        odds = self.judge.orders.of(found.rows)
        raw = raw_of(found, odds, _oddness(self.forests, [s.agent_id for s in sessions], _shapes(sessions)))
        agents = [s.agent_id for s in sessions]
        ps = self.voices(agents, raw)
        combined = self.recalibrated(agents, cauchy(ps, WEIGHTS)).tolist()
        seen = Seen(self, sessions, found, odds, raw, ps)
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
    model = Model(judge, _forests([s.agent_id for s in ordered], _shapes(ordered), seed), usual_of(seen.rows))
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
    agents, shapes = [s.agent_id for s in sessions], _shapes(sessions)
    odd = np.zeros(len(sessions))
    for k in range(CALIBRATION_FOLDS):
        # Of an agent with a single task nothing can be held out.
        mine = [i for i, s in enumerate(sessions) if fold[group[s.asked_key]] == k]
        others = [i for i, s in enumerate(sessions) if fold[group[s.asked_key]] != k or count[s.agent_id] == 1]
        if mine and others:
            forests = _forests([agents[i] for i in others], shapes[others], seed)
            odd[mine] = _oddness(forests, [agents[i] for i in mine], shapes[mine])
    return odd


def _shapes(sessions: Sequence[Session]) -> Rows:
    return np.array([features_of(s) for s in sessions], dtype=np.float64).reshape(len(sessions), len(FEATURES))


def _forests(agents: Sequence[str], shapes: Rows, seed: int) -> dict[str, Forest]:
    return {agent: forest_of(shapes[at], seed) for agent, at in _places(agents).items()}


def _oddness(forests: dict[str, Forest], agents: Sequence[str], shapes: Rows) -> Numbers:
    found = np.zeros(len(agents))
    for agent, at in _places(agents).items():
        if forest := forests.get(agent):
            found[at] = forest.oddness(shapes[at])
    return found
