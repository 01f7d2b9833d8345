"""How likely a tool is for a request, learnt from benign sessions alone: which tools did like requests take?"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from baseline.scoring.past import Like, Past
from baseline.scoring.words import named

SIGNS: Final = ("words", "association", "near_used", "near_unused", "usual", "whole")
_LEAST_PAIRS: Final = 20
_MOST_ODDS: Final = 4.0
"""A few dozen tasks cannot prove more than 50 to 1."""
_SAME_START: Final = 4
"""Letters: `info` and `inform(ation)` are one word."""
_MOST_REMEMBERED: Final = 1 << 14

Nearest = list[Like]


@lru_cache(maxsize=1 << 12)
def _starts(asked: frozenset[str]) -> frozenset[str]:
    return frozenset(a[:n] for a in asked for n in range(_SAME_START, len(a)))


@lru_cache(maxsize=1 << 14)
def _beginnings(word: str) -> frozenset[str]:
    return frozenset((word, *(word[:n] for n in range(_SAME_START, len(word)))))


def words_asked(tool: str, asked: frozenset[str]) -> float:
    """The share of the tool's words that the request holds: one that begins with the other's letters is the same."""
    words, starts = named(tool), _starts(asked)
    return sum([w in starts or not asked.isdisjoint(_beginnings(w)) for w in words]) / max(1, len(words))


def _signs(
    asked: frozenset[str], agent: str, tool: str, past: Past, near: Nearest, lift: float, own: int
) -> list[float]:
    """What speaks for this tool; `own` is 1 where the agent's task itself is among the counts, and took it."""
    used = unused = None
    for like, _, _, tools in near:
        if tool in tools:
            used = like if used is None else used
        else:
            unused = like if unused is None else unused
        if used is not None and unused is not None:
            break
    share = words_asked(tool, asked)
    usual = (past.changing_tasks.get((agent, tool), 0) - own + 0.5) / (len(near) + 1)
    return [share, lift, used or 0.0, unused or 0.0, math.log(usual), float(share == 1.0)]


@dataclass
class Relevance:
    """A logistic regression over (task, changing tool) pairs of benign sessions."""

    past: Past
    centre: NDArray[np.float64] | None = None
    slope: NDArray[np.float64] | None = None
    offset: float = 0.0
    _known: dict[tuple[str, frozenset[str]], Odds] = field(default_factory=dict)

    def of(self, agent: str, asked: frozenset[str]) -> Odds:
        """Every changing tool of the agent, for this request."""
        found = self._known.get((agent, asked))
        if found is None:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            near = self.past.nearest(agent, asked)
            tools = self.past.agent_tools.get(agent, frozenset())
            found = self._known[agent, asked] = Odds(self, agent, asked, near, tools)
        return found

    def odds(self, signs: list[float]) -> float:
        """Log-odds that a benign session takes a tool for which these signs speak."""
        if self.centre is None or self.slope is None:
            return signs[0] + signs[1] + signs[2] - 1.5
        raw = float((np.array(signs) - self.centre) @ self.slope) + self.offset
        return min(_MOST_ODDS, max(-_MOST_ODDS, raw))


class Fitting(NamedTuple):
    """How well a tool fits a request."""

    asked: float
    """The share of the tool's words that the request holds."""
    lift: float
    """Log-lift of the request's words with the tool."""
    odds: float
    """Log-odds that a benign session takes it."""


class Odds:
    """How likely each changing tool is for one request of one agent."""

    def __init__(
        self, model: Relevance, agent: str, asked: frozenset[str], near: Nearest, tools: Iterable[str]
    ) -> None:
        self.near = near
        self._model, self._agent, self._asked = model, agent, asked
        self._tools: dict[str, Fitting] = {}
        self.best = max((self.tool(tool).odds for tool in sorted(tools)), default=0.0)

    def tool(self, tool: str) -> Fitting:
        """Of any tool, one that the agent never took too."""
        found = self._tools.get(tool)
        if found is None:
            past = self._model.past
            lift = past.association(self._asked, tool)
            signs = _signs(self._asked, self._agent, tool, past, self.near, lift, 0)
            found = self._tools[tool] = Fitting(signs[0], lift, self._model.odds(signs))
        return found


def relevance_of(past: Past) -> Relevance:
    """Fit on each task of the past, judged by the other tasks only."""
    rows: list[list[float]] = []
    used: list[int] = []
    for agent in sorted(past.requests):
        tools = sorted(past.agent_tools.get(agent, ()))
        for number, (asked, taken) in enumerate(past.requests[agent]):
            near = past.nearest(agent, asked, number)
            for tool in tools:
                lift = past.association(asked, tool, taken)
                rows.append(_signs(asked, agent, tool, past, near, lift, int(tool in taken)))
                used.append(int(tool in taken))
    if len(rows) < _LEAST_PAIRS or len(set(used)) < 2:
        return Relevance(past)
    scale = StandardScaler().fit(np.array(rows))
    model = LogisticRegression(C=0.3, max_iter=1000).fit(scale.transform(np.array(rows)), used)
    return Relevance(past, scale.mean_, model.coef_[0] / scale.scale_, float(model.intercept_[0]))
