"""What the log says in favour of a step that no person approved: a change in force that it cites, a policy that has let
such steps through before.

Neither is a person's yes, so neither covers a step. What is found of it weighs less (`detect/evidence.py`): benign work
leaves these traces, and an attacker has to forge them.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from detect.approvals import Coverage, named_session
from detect.containment import takes_away
from detect.memory import Habits, remember
from detect.step import IN_FORCE, Step
from ingest.arguments import scalars_in

_IN_FORCE: Final = re.compile(IN_FORCE)
_MOST_SESSIONS: Final = 2_000
_SHORTEST: Final = 5
_MOST_RECORDS: Final = 20_000
_LEAST_LET_THROUGH: Final = 10
_CHANGE: Final = 0.3
_LATER: Final = 0.4
_ELSEWHERE: Final = 0.5
_POLICY: Final = 0.5
_POLICY_ON_OTHERS: Final = 0.7
_CONTAINMENT: Final = 0.5


class Excuse(msgspec.Struct, frozen=True):
    """What speaks for a step."""

    words: str
    weight: float
    """0..1: how much of a finding's evidence is left."""


class Excuses(msgspec.Struct):
    """The change records that the open sessions looked up."""

    looked_up: dict[str, dict[str, str]] = {}
    """Session -> what it asked by -> the state that it was told."""
    anywhere: dict[str, str] = {}
    """The same of all sessions."""
    cited: dict[str, str] = {}
    """Session -> the record in force that a step of it cited last."""

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
        for record in numbered:
            remember(self.anywhere, record, state[1], _MOST_RECORDS)

    def of(self, step: Step, coverage: Coverage, habits: Habits) -> Excuse | None:
        """What speaks for a privileged step; None where nothing does."""
        answer = Excuse("takes access away rather than giving it", _CONTAINMENT) if takes_away(step) else None
        found = [e for e in (self._change(step), self._policy(step, coverage, habits), answer) if e is not None]
        return min(found, key=lambda excuse: excuse.weight, default=None)

    def _change(self, step: Step) -> Excuse | None:
        """A change in force: cited by the step, by one before it in the session, or looked up for whom it runs."""
        session, known = step.session_id, self.looked_up.get(step.session_id, {})
        if self.anywhere:
            values = [value for _, value in scalars_in(step.arguments) if value != step.target]
            if record := next((value for value in values if value in known), None):
                remember(self.cited, session, record, _MOST_SESSIONS)
                return Excuse(f"cites {record}, which the session had looked up ({known[record]})", _CHANGE)
            if record := next((value for value in values if value in self.anywhere), None):
                return Excuse(f"cites {record}, which was looked up before ({self.anywhere[record]})", _ELSEWHERE)
        if (record := self.cited.get(session)) is not None:
            return Excuse(f"follows a step that cites {record}", _LATER)
        runs_for = self.looked_up.get(named_session(step))
        if runs_for:
            record, state = next(iter(runs_for.items()))
            return Excuse(f"runs for a session that had looked up {record} ({state})", _CHANGE)
        return None

    def _policy(self, step: Step, coverage: Coverage, habits: Habits) -> Excuse | None:
        """A policy that let the step through, as it did before."""
        if coverage.cover != "automatic":
            return None
        policy, tool = coverage.approver or "", step.tool or ""
        of_tool, of_any = habits.seen("let through", policy, tool), habits.seen("let through", policy)
        for parts in ((policy,), (policy, tool)):
            habits.note(step.session_id, "let through", *parts)
        if of_tool:
            return Excuse(f"the policy let this tool through in {of_tool:,} earlier sessions", _POLICY)
        if of_any >= _LEAST_LET_THROUGH:
            return Excuse(f"the policy let steps through in {of_any:,} earlier sessions", _POLICY_ON_OTHERS)
        return None
