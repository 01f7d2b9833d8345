"""Scores, and what they were made of: kept so that a score can say why when somebody asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from baseline.scoring.combine import Numbers, cauchy
from baseline.scoring.reasons import VOICES, Explanation, Reason, reasons_of, without
from baseline.scoring.sessions import Session
from baseline.scoring.traits import Measured

if TYPE_CHECKING:
    from baseline.scoring.score import Model

WEIGHTS: Final[dict[str, float]] = {"orders": 0.985, "sequence": 0.005, "origins": 0.005, "shape": 0.005}
"""How much each voice counts. `orders` already weighs sequence and origins together with the request; the others
speak alone only where they are far more certain."""


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
    _seen: Seen | None = field(default=None, compare=False, repr=False)
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
class Seen:
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
