"""The shape of a session: how long, how many changes, how many failures. One voice, and a quiet one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest
from sklearn.tree._tree import Tree

from baseline.scoring.sessions import Session

FEATURES: Final = ("calls", "changes", "tools", "failures", "longest_run", "value_characters", "answer_characters")
_TREES: Final = 40


def features_of(session: Session) -> list[float]:
    """`FEATURES` of a session, counts on a log scale."""
    steps = session.steps
    run = longest = changes = failures = written = read = 0
    before = None
    for step in steps:
        run = run + 1 if step.tool == before else 1
        before = step.tool
        if run > longest:
            longest = run
        changes += step.changes
        failures += not step.ok
        read += len(step.result)
        for value in step.values:
            written += len(value.text)
    counts = (len(steps), changes, len({s.tool for s in steps}), failures, longest, written, read)
    return [math.log1p(c) for c in counts]


@dataclass(frozen=True)
class Forest:
    """An isolation forest, with how deep each node of each tree counts; -depth to the unit is the oddness."""

    trees: tuple[tuple[Tree, NDArray[np.float64]], ...]
    unit: float

    def oddness(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of each row of `FEATURES`; larger is odder."""
        rows = features.astype(np.float32)
        depth = np.zeros(len(rows))
        for tree, depths in self.trees:
            depth += depths[tree.apply(rows)]
        found: NDArray[np.float64] = 2.0 ** (-depth / self.unit)
        return found


def forest_of(features: NDArray[np.float64], seed: int) -> Forest:
    """Fitted on the rows of benign sessions (Liu, Ting and Zhou, Isolation Forest, ICDM 2008)."""
    forest = IsolationForest(n_estimators=_TREES, random_state=seed).fit(features)
    trees = tuple((e.tree_, _depths(e.tree_)) for e in forest.estimators_)
    return Forest(trees, max(1.0, len(trees) * float(_mean_depth(np.array([forest.max_samples_]))[0])))


def _depths(tree: Tree) -> NDArray[np.float64]:
    """Splits above each node, and those that the sessions in it would still need."""
    above = np.zeros(tree.node_count)
    for node, (left, right) in enumerate(zip(tree.children_left, tree.children_right, strict=True)):
        if left >= 0:
            above[[left, right]] = above[node] + 1.0
    return above + _mean_depth(tree.n_node_samples)


def _mean_depth(samples: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean depth of an unsuccessful search in a binary tree of so many."""
    n = samples.astype(np.float64)
    many = np.maximum(n, 3.0)
    deep = 2.0 * (np.log(many - 1.0) + np.euler_gamma) - 2.0 * (many - 1.0) / many
    found: NDArray[np.float64] = np.where(n > 2, deep, np.where(n == 2, 1.0, 0.0))
    return found
