"""The shape of a session: how long, how many changes, how many failures. One voice, and a quiet one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest

from baseline.scoring.sessions import Session

FEATURES: Final = ("calls", "changes", "tools", "failures", "longest_run", "value_characters", "answer_characters")
_TREES: Final = 40


def features_of(session: Session) -> list[float]:
    """`FEATURES` of a session, counts on a log scale."""
    steps = session.steps
    run = longest = 0
    before = None
    for step in steps:
        run = run + 1 if step.tool == before else 1
        before = step.tool
        if run > longest:
            longest = run
    counts = (
        len(steps),
        sum([s.changes for s in steps]),
        len({s.tool for s in steps}),
        sum([not s.ok for s in steps]),
        longest,
        sum([len(v.text) for s in steps for v in s.values]),
        sum([len(s.result) for s in steps]),
    )
    return [math.log1p(c) for c in counts]


def forest_of(sessions: Sequence[Session], seed: int) -> IsolationForest:
    """Fitted on benign sessions."""
    return IsolationForest(n_estimators=_TREES, random_state=seed).fit(np.array([features_of(s) for s in sessions]))


def oddness(forest: IsolationForest, sessions: Sequence[Session]) -> NDArray[np.float64]:
    """Larger is odder."""
    found: NDArray[np.float64] = -forest.score_samples(np.array([features_of(s) for s in sessions]))
    return found
