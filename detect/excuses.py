"""What the log says in favour of a step that no person approved: a change in force that is for it, a person's request
that names its target, a policy that has let such steps through before.

None of it is a person's yes, so none covers a step. What is found of it weighs less (`detect/evidence.py`): benign work
leaves these traces, and an attacker has to forge them.
"""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Final

import msgspec

from detect.approvals import Coverage
from detect.changes import Change, change_of
from detect.containment import takes_away
from detect.memory import Habits, remember
from detect.named_next import is_place
from detect.run_names import role_session
from detect.step import IN_FORCE, LED, VOID, Step
from ingest.arguments import scalars_in

_IN_FORCE: Final = re.compile(IN_FORCE)
_VOID: Final = re.compile(VOID)
_STATED: Final = re.compile(r'(?i)"(?:state|status|phase|stage|approval)"\s*:\s*"[^"]{4}')
"""A sieve for the three: most results say no more of a state than that it is ok."""
_LED: Final = re.compile(LED)
_MOST_SESSIONS: Final = 2_000
_SHORTEST: Final = 5
_LONGEST_REQUEST: Final = 2_000
_NUMBER: Final = re.compile(r"(?<![\w-])[A-Za-z]{2,8}-?\d{3,12}(?![\w-])")
"""The number of a record, as service desks write them."""
_MOST_RECORDS: Final = 20_000
_LEAST_LET_THROUGH: Final = 10
_CHANGE: Final = 0.3
_LATER: Final = 0.4
_ELSEWHERE: Final = 0.5
_ON_OTHERS: Final = 0.6
_ASKED: Final = 0.5
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

    looked_up: dict[str, dict[str, Change]] = {}
    """Session -> what it asked by -> the record that it was told, in force."""
    anywhere: dict[str, Change] = {}
    """The same of all sessions."""
    cited: dict[str, str] = {}
    """Session -> the record in force that a step of it cited last."""
    void: dict[str, dict[str, Change]] = {}
    """Session -> the records that it looked up and that are not, or no longer, in force."""
    about: dict[str, str] = {}
    """A place -> the latest record in force that names it and says who is to carry it out."""

    def take(self, step: Step) -> bool:
        """Remember a record that was looked up and found to be in force; whether it was."""
        if not step.result or step.is_privileged or not step.is_done or _STATED.search(step.result) is None:
            return False
        state = _IN_FORCE.search(step.result)
        is_incident = state is None
        if state is None:
            state = _LED.search(step.result)
        if state is None:
            self._take_void(step)
            return False
        numbered = [v for _, v in scalars_in(step.arguments) if len(v) >= _SHORTEST and any(c.isdigit() for c in v)]
        changes = {number: change_of(number, state[1], step.result, must_name=is_incident) for number in numbered}
        remember(self.looked_up, step.session_id, self.looked_up.get(step.session_id, {}) | changes, _MOST_SESSIONS)
        for number, change in changes.items():
            remember(self.anywhere, number, change, _MOST_RECORDS)
            if change.who:
                for name in change.named:
                    if is_place(name):
                        remember(self.about, name, number, _MOST_RECORDS)
        return True

    def _take_void(self, step: Step) -> None:
        state = _VOID.search(step.result or "")
        if state is None:
            return
        numbers = [v for _, v in scalars_in(step.arguments) if _NUMBER.fullmatch(v)]
        if numbers:
            changes = {number: change_of(number, state[1].lower(), step.result or "") for number in numbers}
            known = self.void.get(step.session_id, {}) | changes
            remember(self.void, step.session_id, known, _MOST_SESSIONS)

    def of(
        self, step: Step, run: str, coverage: Coverage, habits: Habits, agents: Container[str], request: str = ""
    ) -> Excuse | None:
        """What speaks for a privileged step; None where nothing does.

        `run`: the session of the same run in another log; `agents`: who is known to act as one; `request`: what a
        person asked the session's first agent.
        """
        answer = Excuse("takes access away rather than giving it", _CONTAINMENT) if takes_away(step) else None
        target = step.target or ""
        is_named = len(target) >= _SHORTEST and target in request
        asked = Excuse(f"the request names {target}", _ASKED) if is_named else None
        said = (self._change(step, run, agents, request), self._policy(step, coverage, habits), answer, asked)
        found = [excuse for excuse in said if excuse is not None]
        return min(found, key=lambda excuse: excuse.weight, default=None)

    def _change(self, step: Step, run: str, agents: Container[str], request: str) -> Excuse | None:
        """A change in force that is for this step: cited by it, by one before it in the session, or looked up there
        and about just this thing, or looked up for whom it runs."""
        if not self.anywhere:
            return None
        session = step.session_id
        for number in _NUMBER.findall(request[:_LONGEST_REQUEST]):
            change = self.anywhere.get(number)
            if change is not None and change.is_for(step, agents):
                told = f"the request cites {number} ({_said(change, step)})"
                return Excuse(told, _weight(change, step, _CHANGE))
        for number in _NUMBER.findall(role_session(step)):
            change = self.anywhere.get(number)
            if change is not None and change.is_for(step, agents):
                told = f"the role's session is named after {number} ({_said(change, step)})"
                return Excuse(told, _weight(change, step, _ELSEWHERE))
        known = self.looked_up.get(session) or self.looked_up.get(run, {})
        values = dict.fromkeys(value for _, value in scalars_in(step.arguments) if value != step.target)
        for number in values:
            change = known.get(number) or self.anywhere.get(number)
            if change is not None and change.is_for(step, agents):
                remember(self.cited, session, number, _MOST_SESSIONS)
                who, weight = ("the session had", _CHANGE) if number in known else ("was", _ELSEWHERE)
                told = f"cites {number}, which {who} looked up ({_said(change, step)})"
                return Excuse(told, _weight(change, step, weight))
        for change in known.values():
            if change.names(step) and change.is_for(step, agents):
                return Excuse(f"the session had looked up {change.number} ({_said(change, step)})", _CHANGE)
        before = self.anywhere.get(self.cited.get(session) or self.cited.get(run, ""))
        if before is not None and before.is_for(step, agents):
            return Excuse(f"follows a step that cites {before.number}", _weight(before, step, _LATER))
        planned = self.anywhere.get(self.about.get(step.target or "", ""))
        if planned is not None and step.agent_id in planned.who and planned.is_for(step, agents):
            return Excuse(f"{planned.number} names {step.agent_id} and {step.target} ({planned.state})", _LATER)
        if session not in self.looked_up:
            for change in known.values():
                if change.is_for(step, agents):
                    told = f"runs for a session that had looked up {change.number} ({_said(change, step)})"
                    return Excuse(told, _weight(change, step, _CHANGE))
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


def _weight(change: Change, step: Step, weight: float) -> float:
    """A record that names other things, and not this one, says less for it."""
    return max(weight, _ON_OTHERS) if change.has_places and not change.names(step) else weight


def _said(change: Change, step: Step) -> str:
    return f"{change.state}, for {step.target}" if change.names(step) and step.target else change.state
