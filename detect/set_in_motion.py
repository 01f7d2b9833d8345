"""A role that an agent gave to something that runs by itself, and that then acts: a pipeline, a function, a schedule.

Who takes the role is then a service, and no log tells of it. What tells is who named the role, where it never had.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from detect.memory import Habits, remember
from detect.step import Step, within

_ROLE: Final = re.compile(r"arn:aws[\w-]*:iam::\d{12}:role/[\w+=,.@/-]+")
_MOST_NAMED: Final = 5_000


class Motion(msgspec.Struct):
    """Role -> the last uncovered step of an agent that gave it to something and had never named it."""

    named: dict[str, Step] = {}

    def take(self, step: Step, habits: Habits, *, is_covered: bool) -> None:
        """Remember the roles that a step names for the first time; those of who acts are none."""
        for role in dict.fromkeys(_ROLE.findall(step.arguments or "")):
            is_usual = habits.seen("names role", step.agent_id, role) > 0
            habits.note(step.session_id, "names role", step.agent_id, role)
            if not is_usual and not is_covered and role != step.agent_id:
                remember(self.named, role, step.without_payload(), _MOST_NAMED)

    def of(self, step: Step, window_s: float) -> Step | None:
        """Who gave something the role that acts."""
        by = self.named.get(step.agent_id) if self.named else None
        return by if by is not None and by.agent_id != step.agent_id and within(by, step, window_s) else None


def names_a_role(step: Step) -> bool:
    """Whether the step gives a role to something; taking one or looking at it is no giving."""
    if step.capability in ("read", "credential") or step.gives or not step.is_done or step.arguments is None:
        return False
    return ":role/" in step.arguments
