"""Whose order does a call carry out: the request's, or one that stood in an answer? Learnt from made hijacks."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from baseline.scoring.graft import grafts
from baseline.scoring.past import Past, past_of
from baseline.scoring.requests import Relevance, relevance_of
from baseline.scoring.sessions import Session
from baseline.scoring.traits import TRAITS, traits_of

ROUNDS: Final = 2
FOLDS: Final = 3
GRAFTS: Final = 800
"""Made sessions a fold: enough that another seed changes the learnt odds little."""

_MEMBERS: Final = 3
"""A few dozen tasks leave one model to chance; each member sees other traits first."""

Rows = NDArray[np.float64]


@dataclass
class Held:
    """What sessions looked like to a past that did not hold their tasks."""

    rows: list[Rows]
    groups: list[frozenset[str]]
    foreign: list[NDArray[np.bool_]]
    session: list[str | None]
    """The benign session's id; None for a made one."""

    def stacked(self, kept: Sequence[int]) -> tuple[Rows, NDArray[np.bool_]]:
        return np.vstack([self.rows[i] for i in kept]), np.concatenate([self.foreign[i] for i in kept])


def folds_of(sessions: Sequence[Session], seed: int) -> dict[str, int]:
    """Task -> fold, so that each agent's tasks are spread over all folds."""
    by_agent: dict[str, set[str]] = defaultdict(set)
    for session in sessions:
        by_agent[session.agent_id].add(session.group)
    found: dict[str, int] = {}
    for agent in sorted(by_agent):
        tasks = sorted(by_agent[agent])
        random.Random(f"{seed} {agent}").shuffle(tasks)
        found.update((task, i % FOLDS) for i, task in enumerate(tasks))
    return found


def held_out(sessions: Sequence[Session], seed: int, made: int) -> Held:
    """Every benign session, and made hijacks, judged by the other folds' sessions; several rounds of it."""
    held = Held([], [], [], [])
    for number in range(ROUNDS):
        fold = folds_of(sessions, seed + number)
        for k in range(FOLDS):
            past = past_of(s for s in sessions if fold[s.group] != k)
            relevance = relevance_of(past)
            inside = [s for s in sessions if fold[s.group] == k]
            for session in inside:
                _, rows = traits_of(session, past, relevance)
                held.rows.append(rows)
                held.groups.append(frozenset((session.group,)))
                held.foreign.append(np.zeros(len(rows), dtype=bool))
                held.session.append(session.session_id)
            for graft in grafts(inside, made, seed * 1000 + number * FOLDS + k):
                calls, rows = traits_of(graft.session, past, relevance)
                held.rows.append(rows)
                held.groups.append(graft.groups)
                held.foreign.append(np.array([c in graft.foreign for c in calls], dtype=bool))
                held.session.append(None)
    return held


@dataclass
class Orders:
    """Log-odds that a changing call carries out a foreign order."""

    models: tuple[HistGradientBoostingClassifier, ...]

    def of(self, rows: Rows) -> Rows:
        if not self.models or not len(rows):
            return np.zeros(len(rows))
        found: Rows = np.mean([m.decision_function(rows) for m in self.models], axis=0)
        return found


def orders_of(held: Held, kept: Sequence[int]) -> Orders:
    """Fit on these of the held-out sessions. A trait may speak in its own direction only."""
    if not kept:
        return Orders(())
    rows, foreign = held.stacked(kept)
    if len(rows) == 0 or foreign.all() or not foreign.any():
        return Orders(())
    return Orders(tuple(_boosted(number).fit(rows, foreign) for number in range(_MEMBERS)))


def _boosted(number: int) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(
        max_depth=4, max_iter=80, learning_rate=0.08, l2_regularization=5.0, min_samples_leaf=60, max_features=0.5,
        early_stopping=False, monotonic_cst=list(TRAITS.values()), random_state=number,
    )  # fmt: skip


def cross_fitted(held: Held, sessions: Sequence[Session], seed: int) -> dict[str, float]:
    """session -> its largest log-odds by models that saw neither its task nor a graft made of it."""
    fold = folds_of(sessions, seed + ROUNDS)
    found: dict[str, list[float]] = defaultdict(list)
    for k in range(FOLDS):
        model = orders_of(held, [i for i, g in enumerate(held.groups) if all(fold[x] != k for x in g)])
        mine = [i for i, s in enumerate(held.session) if s is not None and all(fold[x] == k for x in held.groups[i])]
        mine = [i for i in mine if len(held.rows[i])]
        if not mine:
            continue
        odds = model.of(np.vstack([held.rows[i] for i in mine]))
        start = 0
        for i in mine:
            end = start + len(held.rows[i])
            name = held.session[i]
            assert name is not None
            found[name].append(float(odds[start:end].max()))
            start = end
    return {name: sum(values) / len(values) for name, values in found.items()}


@dataclass
class Judge:
    """The past, the relevance and the orders, fitted on the same sessions."""

    past: Past
    relevance: Relevance
    orders: Orders
