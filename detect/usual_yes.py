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

LEAST_SESSIONS: Final = 10
"""Sessions with a yes before its lack says anything."""


class MissingYes(msgspec.Struct, frozen=True):
    """A call that nobody approved, of a tool for which a person has approved the agent's calls."""

    approved: int
    """Sessions of the agent in which a person approved this tool."""
    called: int
    """Sessions of the agent that called it since one first was."""
    stretched_by_all: int = 0
    """Sessions of the fleet in which an unprivileged call had a yes for the same tool with other arguments alone."""
    approved_by_all: int = 0
    """Sessions of the fleet in which a call had the yes that its agent has for it as a rule."""


def missing_yes(step: Step, approvals: Approvals, habits: Habits) -> MissingYes | None:
    """What went before where this call lacks a yes that the tool had from this agent; what it has is remembered."""
    if step.tool is None or not step.is_done or step.approval == "cannot_record":
        return None
    agent, tool, session = step.agent_id, step.tool, step.session_id
    approved = habits.seen("with a yes", agent, tool)
    if not approved and step.approval != "approved" and session not in approvals.decided:
        return None
    coverage = approvals.covering(step)
    called = habits.seen("asked for", agent, tool)
    if approved or coverage.is_covered:
        habits.note(session, "asked for", agent, tool)
    if coverage.is_covered:
        habits.note(session, "with a yes", agent, tool)
        habits.note(session, "with a yes")
        return None
    stretched = coverage.cover == "other_arguments" and not step.is_privileged and _is_for(coverage.approval, tool)
    by_all, of_all = habits.seen("stretched"), habits.seen("with a yes")
    if stretched:
        habits.note(session, "stretched")
    if approved < LEAST_SESSIONS and not stretched:
        return None
    return MissingYes(approved, called, by_all, of_all)


def _is_for(approval: Step | None, tool: str) -> bool:
    return approval is not None and approval.tool == tool
