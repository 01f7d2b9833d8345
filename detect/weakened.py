"""What a session weakened, and what it did then: a defence switched off, or a rule that governed the agent itself."""

from __future__ import annotations

from typing import Final

import msgspec

from baseline.history import History
from detect.memory import Habits, remember
from detect.step import Step, within

_SOON_S: Final = 3600
_MOST: Final = 5_000


class After(msgspec.Struct, frozen=True):
    """A privileged step that came soon after a weakening one, by the same hand."""

    weakened: Step
    is_own_rule: bool
    """Whether it was a rule that governs the agent, else a defence."""
    shown: int
    """Sessions of the agent that weakened something and went on to this class of action."""
    shown_by_all: int


class Weakened(msgspec.Struct):
    """Session -> the first uncovered step in it that weakened something, and whether that was the agent's own rule."""

    lately: dict[str, tuple[Step, bool]] = {}

    def take(self, step: Step, *, is_own_rule: bool) -> None:
        """Remember a step that weakened something."""
        if step.session_id not in self.lately:
            remember(self.lately, step.session_id, (step.without_payload(), is_own_rule), _MOST)

    def after(self, step: Step, habits: Habits) -> After | None:
        """What this session weakened shortly before this step."""
        before = self.lately.get(step.session_id)
        if before is None or not within(before[0], step, _SOON_S) or before[0].event_id == step.event_id:
            return None
        first, is_own_rule = before
        if step.capability == "defence_impairment" or (step.tool, step.target) == (first.tool, first.target):
            return None
        agent, does = step.agent_id, step.capability or ""
        shown = habits.seen("weakened", agent, does), habits.seen("weakened", "", does)
        for whose in (agent, ""):
            habits.note(step.session_id, "weakened", whose, does)
        return After(first, is_own_rule, *shown)


def weakens(step: Step, history: History, *, is_own_rule: bool) -> bool:
    """Whether the step weakens what holds others or its own agent back, and that is not its agent's habit."""
    if not is_own_rule and step.capability != "defence_impairment":
        return False
    return not history.seen(step.agent_id, "tool_target", step.target or "", step.tool or "").sessions
