"""What the log says in favour of a step that no person approved: a change in force that it cites, a policy that has let
such steps through before.

Neither is a person's yes, so neither covers a step. What is found of it weighs less (`detect/evidence.py`), since benign
work leaves these traces and an attacker has to forge them.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from detect.approvals import Coverage
from detect.memory import Habits, remember
from detect.step import IN_FORCE, Step
from ingest.arguments import scalars_in

_IN_FORCE: Final = re.compile(IN_FORCE)
_MOST_SESSIONS: Final = 2_000
_SHORTEST: Final = 5
_CHANGE: Final = 0.3
_POLICY: Final = 0.5


class Excuse(msgspec.Struct, frozen=True):
    """What speaks for a step."""

    words: str
    weight: float
    """0..1: how much of a finding's evidence is left."""


class Excuses(msgspec.Struct):
    """The change records that the open sessions looked up."""

    looked_up: dict[str, dict[str, str]] = {}
    """Session -> what it asked by -> the state that it was told."""

    def take(self, step: Step) -> None:
        """Remember a record that was looked up and found to be in force."""
        if not step.result or step.is_privileged or not step.is_done:
            return
        state = _IN_FORCE.search(step.result)
        if state is None:
            return
        numbered = [v for _, v in scalars_in(step.arguments) if len(v) >= _SHORTEST and any(c.isdigit() for c in v)]
        known = self.looked_up.get(step.session_id, {})
        remember(self.looked_up, step.session_id, known | dict.fromkeys(numbered, state[1]), _MOST_SESSIONS)

    def of(self, step: Step, coverage: Coverage, habits: Habits) -> Excuse | None:
        """What speaks for a privileged step; None where nothing does."""
        found: list[Excuse] = []
        known = self.looked_up.get(step.session_id)
        if known:
            cited = next((v for _, v in scalars_in(step.arguments) if v in known and v != step.target), None)
            if cited is not None:
                found.append(Excuse(f"cites {cited}, which the session had looked up ({known[cited]})", _CHANGE))
        if coverage.cover == "automatic":
            policy, tool = coverage.approver or "", step.tool or ""
            before = habits.seen("let through", policy, tool)
            habits.note(step.session_id, "let through", policy, tool)
            if before:
                found.append(Excuse(f"the policy let this tool through in {before:,} earlier sessions", _POLICY))
        return min(found, key=lambda excuse: excuse.weight, default=None)
