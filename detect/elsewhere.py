"""A person's yes that stands in another log: a change workflow, a chat, the agent's own trace.

A cloud's log has no place for approvals. What a person approved elsewhere covers its steps as well, if it names this
very thing and this very action, for who acts or a few minutes before; the same yes says nothing of any other step.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

import msgspec

from detect.approvals import EXPIRES_AFTER_S, Approval, Coverage, action_of
from detect.memory import remember
from detect.step import Step, within

_AT_ONCE_S: Final = 900.0
"""Seconds in which an approved action is done that does not say by whom."""
_MOST_VALUES: Final = 400
_MOST_THINGS: Final = 200
_MOST_OF_ONE: Final = 8
_SHORTEST: Final = 5
_SHORTEST_ACTION: Final = 6


class Yes(msgspec.Struct, frozen=True):
    """A person's decision, and every value that it names."""

    step: Step
    named: tuple[str, ...]
    ends_ns: int | None


class Elsewhere(msgspec.Struct):
    """What people decided, and what it names."""

    said: dict[str, Yes] = {}
    """The event of a decision -> the decision."""
    about: dict[str, list[str]] = {}
    """Thing -> the events of the latest decisions that name it."""

    def take(self, approval: Approval) -> None:
        """Remember what a person approved."""
        named = tuple(sorted(approval.named))[:_MOST_VALUES]
        event = approval.step.event_id
        remember(self.said, event, Yes(approval.step, named, approval.ends_ns))
        for thing in [value for value in named if len(value) >= _SHORTEST and " " not in value][:_MOST_THINGS]:
            remember(self.about, thing, [*self.about.get(thing, ()), event][-_MOST_OF_ONE:])

    def covering(self, step: Step, actors: Collection[str]) -> Coverage | None:
        """The yes to just this step, by whomever of `actors` it is done: all names of who acts, and for whom."""
        if step.target is None:
            return None
        for event in reversed(self.about.get(step.target, ())):
            yes = self.said.get(event)
            if yes is None or not within(yes.step, step, self._lasts_s(yes)) or not _does(yes, step):
                continue
            named = {name.lower() for name in (*yes.named, yes.step.agent_id)}
            if within(yes.step, step, _AT_ONCE_S) or any(actor.lower() in named for actor in actors):
                return Coverage("covered", yes.step.approver, yes.step)
        return None

    def _lasts_s(self, yes: Yes) -> float:
        if yes.ends_ns is None or yes.step.at_ns is None:
            return EXPIRES_AFTER_S
        return (yes.ends_ns - yes.step.at_ns) / 1_000_000_000


def _does(yes: Yes, step: Step) -> bool:
    """Whether the yes is for this action, as either log writes it: `aws_iam_put_role_policy`, `iam:PutRolePolicy`; what
    its text says of an action is for readers."""
    action = action_of(step.tool or "")
    said = (action_of(name) for name in (yes.step.tool or "", *yes.named) if " " not in name)
    return len(action) >= _SHORTEST_ACTION and any(name.endswith(action) for name in said)


def names_of_actors(steps: Iterable[Step]) -> list[str]:
    """The names under which whoever did the steps may be written: the agent, its role, and these without their path."""
    names: dict[str, None] = {}
    for step in steps:
        for whole in (step.agent_id, step.principal or ""):
            names.update(dict.fromkeys(name for name in (whole, whole.rpartition("/")[2]) if len(name) >= _SHORTEST))
    return list(names)
