"""How likely a tool is for a request, learnt from benign sessions alone: which tools did like requests take?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from baseline.scoring.past import Past
from baseline.scoring.words import named

SIGNS: Final = ("words", "association", "near_used", "near_unused", "usual", "whole")
_LEAST_PAIRS: Final = 20
_MOST_ODDS: Final = 4.0
"""A few dozen tasks cannot prove more than 50 to 1."""
_SAME_START: Final = 4
"""Letters: `info` and `inform(ation)` are one word."""

Nearest = list[tuple[float, frozenset[str], frozenset[str]]]


@lru_cache(maxsize=1 << 15)
def _asks(word: str, asked: frozenset[str]) -> bool:
    if word in asked:
        return True
    return len(word) >= _SAME_START and any(
        a.startswith(word) or (len(a) >= _SAME_START and word.startswith(a)) for a in asked
    )


def words_asked(tool: str, asked: frozenset[str]) -> float:
    """The share of the tool's words that the request holds."""
    words = named(tool)
    return sum(_asks(w, asked) for w in words) / max(1, len(words))


def signs_of(asked: frozenset[str], agent: str, tool: str, past: Past, near: Nearest) -> list[float]:
    """What speaks for this tool."""
    used = max((like for like, _, tools in near if tool in tools), default=0.0)
    unused = max((like for like, _, tools in near if tool not in tools), default=0.0)
    share = words_asked(tool, asked)
    usual = (past.changing_tasks.get((agent, tool), 0) + 0.5) / (past.agent_tasks.get(agent, 0) + 1)
    return [
        share,
        past.association(asked, tool),
        used,
        unused,
        math.log(usual),
        float(share == 1.0),
    ]


@dataclass
class Relevance:
    """A logistic regression over (task, changing tool) pairs of benign sessions."""

    scale: StandardScaler | None
    model: LogisticRegression | None

    def of(self, signs: list[list[float]]) -> NDArray[np.float64]:
        """Log-odds that a benign session with this request takes the tool."""
        rows = np.array(signs, dtype=np.float64).reshape(len(signs), len(SIGNS))
        if self.model is None or self.scale is None:
            return rows[:, 0] + rows[:, 1] + rows[:, 2] - 1.5
        odds: NDArray[np.float64] = self.model.decision_function(self.scale.transform(rows))
        return odds.clip(-_MOST_ODDS, _MOST_ODDS)


def relevance_of(past: Past) -> Relevance:
    """Fit on each task of the past, judged by the other tasks only."""
    rows: list[list[float]] = []
    used: list[int] = []
    for agent in sorted(past.requests):
        tools = sorted(past.tools(agent))
        for number, (asked, taken) in enumerate(past.requests[agent]):
            rest = past.without(agent, number)
            near = rest.nearest(agent, asked)
            for tool in tools:
                rows.append(signs_of(asked, agent, tool, rest, near))
                used.append(int(tool in taken))
    if len(rows) < _LEAST_PAIRS or len(set(used)) < 2:
        return Relevance(None, None)
    scale = StandardScaler().fit(np.array(rows))
    model = LogisticRegression(C=0.3, max_iter=1000).fit(scale.transform(np.array(rows)), used)
    return Relevance(scale, model)
