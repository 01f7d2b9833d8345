"""What one agent's steps amount to together: phases of an attack, hops, work with others."""

from __future__ import annotations

from functools import cache
from typing import Final

import msgspec

from baseline.capability_table import CAPABILITIES
from detect.memory import Habits, remember
from detect.step import Step, within

_MOST_STEPS: Final = 32
_MOST_SESSIONS: Final = 20_000
"""Sessions that are followed at a time: a week of a fleet of a hundred agents."""
_HOPS_S: Final = 4 * 3600
_BIT: Final[dict[str, int]] = {capability: 1 << bit for bit, capability in enumerate(CAPABILITIES[2:])}


class Phases(msgspec.Struct, frozen=True):
    """Two or more privileged classes of a session, the first step of each, and how often the agent showed them."""

    steps: tuple[Step, ...]
    shown: int
    """Sessions of the agent that showed all of these classes."""
    shown_by_all: int


class Chains(msgspec.Struct):
    """What is under way: of each session the first uncovered step of each class."""

    phases: dict[str, dict[str, Step]] = {}
    hops: dict[str, list[Step]] = {}
    """Session -> its uncovered steps to new targets in classes that move."""
    on_target: dict[str, dict[str, Step]] = {}
    """Target -> the last privileged step on it of each agent."""

    def phase(self, step: Step, habits: Habits, *, is_covered: bool) -> Phases | None:
        """The classes of this session so far, where this step adds one."""
        session, agent, capability = step.session_id, step.agent_id, step.capability
        assert capability is not None
        so_far = self.phases.get(session) or {}
        if capability in so_far:
            return None
        mask = sum(_BIT[c] for c in (capability, *so_far))
        for whose in (agent, ""):
            habits.note(session, "phases", whose, str(mask))
        if is_covered:
            return None
        so_far = {**so_far, capability: step.without_payload()}
        remember(self.phases, session, so_far, _MOST_SESSIONS)
        if len(so_far) == 1:
            return None
        supersets = _supersets(mask)
        shown = habits.seen_among(supersets, "phases", agent)
        return Phases(tuple(so_far.values()), shown, habits.seen_among(supersets, "phases", ""))

    def hop(self, step: Step, habits: Habits) -> tuple[tuple[Step, ...], tuple[int, int]]:
        """The session's uncovered steps to new targets, this one last, and in how many sessions there were as many."""
        session, agent = step.session_id, step.agent_id
        before = [s for s in self.hops.get(session, ()) if s.target != step.target and within(s, step, _HOPS_S)]
        steps = [*before, step.without_payload()][-_MOST_STEPS:]
        remember(self.hops, session, steps, _MOST_SESSIONS)
        number = str(len(steps))
        habits.note(session, "hops", agent, number)
        habits.note(session, "hops", "", number)
        return tuple(steps), (habits.seen("hops", agent, number), habits.seen("hops", "", number))

    def others(self, step: Step, habits: Habits, window_s: float) -> tuple[Step, ...]:
        """The steps of other agents on the same target in the window, of those that hardly ever work with this one."""
        if step.target is None:
            return ()
        agents = {a: s for a, s in self.on_target.get(step.target, {}).items() if within(s, step, window_s)}
        strangers = []
        for agent, theirs in agents.items():
            if agent != step.agent_id:
                pair = "|".join(sorted((agent, step.agent_id)))
                if not habits.seen("together", pair):
                    strangers.append(theirs)
                habits.note(step.session_id, "together", pair)
        agents[step.agent_id] = step.without_payload()
        remember(self.on_target, step.target, dict(list(agents.items())[-_MOST_STEPS:]))
        return tuple(strangers)


@cache
def _supersets(mask: int) -> tuple[str, ...]:
    """Every set of classes that holds all of these."""
    return tuple(str(m) for m in range(mask, 64) if m & mask == mask)
