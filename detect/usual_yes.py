"""Whether a person usually says yes to what an agent does: where they always did, a call without a yes is news.

What a tool is worth is told by who has to be asked for it, whatever its class: a refund is no privileged action, and
somebody signs each one.
"""

from __future__ import annotations

from typing import Final

import msgspec

from detect.approvals import Approvals
from detect.memory import Habits
from detect.step import Step

_LEAST: Final = 10
"""Sessions with a yes before its lack says anything."""


class MissingYes(msgspec.Struct, frozen=True):
    """A call that nobody approved, of a tool for which a person has approved the agent's calls."""

    approved: int
    """Sessions of the agent in which a person approved this tool."""
    called: int
    """Sessions of the agent that called it since one first was."""


def missing_yes(step: Step, approvals: Approvals, habits: Habits) -> MissingYes | None:
    """What went before where this call lacks a yes that the tool had from this agent; what it has is remembered."""
    if step.tool is None or not step.is_done or step.approval == "cannot_record":
        return None
    agent, tool = step.agent_id, step.tool
    approved = habits.seen("with a yes", agent, tool)
    if not approved and step.approval != "approved" and step.session_id not in approvals.decided:
        return None
    is_covered = approvals.covering(step).is_covered
    called = habits.seen("asked for", agent, tool)
    if approved or is_covered:
        habits.note(step.session_id, "asked for", agent, tool)
    if is_covered:
        habits.note(step.session_id, "with a yes", agent, tool)
        return None
    return MissingYes(approved, called) if approved >= _LEAST else None
