"""Whose order does a call carry out: the request's, or one that stood in an answer? Learnt from made hijacks."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

from baseline.scoring.graft import grafts
from baseline.scoring.past import Past, Task, past_of
from baseline.scoring.requests import Relevance, relevance_of
from baseline.scoring.sessions import Session
from baseline.scoring.traits import TRAITS, Measured, Rows, measured

ROUNDS: Final = 2
FOLDS: Final = 3
CALIBRATION_FOLDS: Final = 8
GRAFTS: Final = 800
"""Made sessions a fold: enough that another seed changes the learnt odds little."""
NO_CHANGE: Final = -20.0
"""The score of a session that changed nothing."""

_MEMBERS: Final = 6
"""A few dozen tasks leave one model to chance; each member sees other traits first."""
_DEPTH: Final = 2
"""Two traits together. Deeper trees learn the tasks that they were made of: at this many rounds, this depth found most
made hijacks of left-out tasks at 2 % of the others, and most labelled ones of `bench/quality.py`, seen before them."""


@dataclass
class Held:
    """Sessions, benign and made, as they looked to a past that did not hold their tasks: a row for each call."""

    rows: Rows
    foreign: NDArray[np.bool_]
    groups: list[frozenset[str]]
    """Of each row: the tasks that its session was made of."""

    def without(self, groups: frozenset[str]) -> Held:
        kept = np.array([not (g & groups) for g in self.groups], dtype=bool)
        return Held(self.rows[kept], self.foreign[kept], [g for g in self.groups if not (g & groups)])


def folds_of(tasks: Sequence[Task], folds: int, seed: int) -> dict[str, int]:
    """Task -> fold, so that each agent's tasks are spread over all folds."""
    by_agent: dict[str, list[str]] = defaultdict(list)
    for task in tasks:
        by_agent[task.agent].append(task.group)
    found: dict[str, int] = {}
    for agent in sorted(by_agent):
        mine = sorted(by_agent[agent])
        dice = random.Random(f"{seed} {agent}")
        dice.shuffle(mine)
        start = dice.randrange(folds)
        found.update((task, (start + i) % folds) for i, task in enumerate(mine))
    return found


def held_out(
    sessions: Sequence[Session], tasks: Sequence[Task], group: Mapping[str, str], seed: int, made: int
) -> Held:
    """Every benign session, and made hijacks, judged by the other folds' sessions; several rounds of it."""
    rows: list[Rows] = []
    foreign: list[bool] = []
    groups: list[frozenset[str]] = []
    for number in range(ROUNDS):
        fold = folds_of(tasks, FOLDS, seed + number)
        for k in range(FOLDS):
            past = past_of([t for t in tasks if fold[t.group] != k])
            inside = [s for s in sessions if fold[group[s.asked_key]] == k]
            mine = list(grafts(inside, group, made, seed * 1000 + number * FOLDS + k))
            found = measured([*inside, *(g.session for g in mine)], past, relevance_of(past))
            rows.append(found.rows)
            kinds = [(frozenset[int](), frozenset((group[s.asked_key],))) for s in inside] + [
                (g.foreign, g.groups) for g in mine
            ]
            for (taken, made_of), start, end in zip(kinds, found.starts[:-1], found.starts[1:], strict=True):
                foreign += [n in taken for n in found.numbers[start:end]]
                groups += [made_of] * (end - start)
    return Held(np.vstack(rows), np.array(foreign, dtype=bool), groups)


@lru_cache(maxsize=1)
def _threads() -> ThreadpoolController:
    return ThreadpoolController()


def one_thread() -> AbstractContextManager[object]:
    """Threads that wait for each other cost more than they save on so few rows, most of all on a busy machine."""
    limit: AbstractContextManager[object] = _threads().limit(limits=1, user_api="openmp")
    return limit


@dataclass
class Orders:
    """Log-odds that a changing call carries out a foreign order."""

    models: tuple[HistGradientBoostingClassifier, ...]

    def of(self, rows: Rows) -> Rows:
        if not self.models or not len(rows):
            return np.zeros(len(rows))
        with one_thread():
            found: Rows = np.mean([m.decision_function(rows) for m in self.models], axis=0)
        return found


def orders_of(held: Held, members: int = _MEMBERS) -> Orders:
    """Fit on these of the held-out sessions. A trait may speak in its own direction only."""
    if len(held.rows) == 0 or held.foreign.all() or not held.foreign.any():
        return Orders(())
    with one_thread():
        return Orders(tuple(_boosted(number, len(held.rows)).fit(held.rows, held.foreign) for number in range(members)))


def _boosted(number: int, rows: int) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(
        max_depth=_DEPTH, max_iter=80, learning_rate=0.08, l2_regularization=5.0, max_features=0.5,
        min_samples_leaf=min(60, max(5, rows // 40)), early_stopping=False, random_state=number,
        monotonic_cst=list(TRAITS.values()),
    )  # fmt: skip


def unseen(
    sessions: Sequence[Session], tasks: Sequence[Task], group: Mapping[str, str], held: Held, seed: int
) -> tuple[Measured, Rows, list[Session]]:
    """(rows, log-odds, sessions): benign sessions judged by all other folds.

    Many folds, so that each model knows nearly what the final one does and the scores are those of its own kind.
    """
    fold = folds_of(tasks, CALIBRATION_FOLDS, seed + ROUNDS)
    rows: list[Rows] = [np.zeros((0, len(TRAITS)))]
    odds: list[Rows] = [np.zeros(0)]
    starts, numbers, judged = [0], [], []
    for k in range(CALIBRATION_FOLDS):
        inside = [s for s in sessions if fold[group[s.asked_key]] == k]
        if not inside:
            continue
        past = past_of([t for t in tasks if fold[t.group] != k])
        model = orders_of(held.without(frozenset(group[s.asked_key] for s in inside)))
        seen = measured(inside, past, relevance_of(past))
        starts += [starts[-1] + end for end in seen.starts[1:]]
        numbers += seen.numbers
        judged += inside
        rows.append(seen.rows)
        odds.append(model.of(seen.rows))
    return Measured(np.vstack(rows), starts, numbers), np.concatenate(odds), judged


@dataclass
class Judge:
    """The past, the relevance and the orders, fitted on the same sessions."""

    past: Past
    relevance: Relevance
    orders: Orders
