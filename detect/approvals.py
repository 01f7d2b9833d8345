"""Does a human's approval cover this step? Only one that came before it, names it, and has not expired."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from detect.recent import Recent
from detect.step import Step
from ingest.arguments import scalars_in

Cover = Literal["covered", "none", "denied", "automatic", "other_arguments", "expired", "by_the_agent", "cannot_record"]

EXPIRES_AFTER_S: Final = 8 * 3600
"""One shift: a yes given to yesterday's colleague is not a yes to this."""


class Coverage(msgspec.Struct, frozen=True):
    """What the approvals of a session say of one step."""

    cover: Cover
    approver: str | None = None
    approval_event_id: str | None = None

    @property
    def is_covered(self) -> bool:
        return self.cover == "covered"

    def __str__(self) -> str:
        return _WORDS[self.cover] + (f" ({self.approver})" if self.approver else "")


_WORDS: Final[dict[Cover, str]] = {
    "covered": "approved for this",
    "none": "no approval, though this source can record one",
    "denied": "done although it was denied",
    "automatic": "let through by a policy, not by a person",
    "other_arguments": "the approval names another target or action",
    "expired": "the approval had expired",
    "by_the_agent": "approved by the agent itself",
    "cannot_record": "this source cannot record approvals",
}
WORDS_OF_STATE: Final[dict[str, str]] = {
    "approved": "approved",
    "denied": "denied",
    "automatic": "let through by a policy",
    "pending": "approval pending",
    "not_recorded": "no approval recorded",
    "cannot_record": "this source cannot record approvals",
}
"""An event's own state of approval, in words."""
_WORST_LAST: Final[tuple[Cover, ...]] = ("expired", "automatic", "other_arguments", "by_the_agent", "denied")


class Approvals:
    """The decisions of every open session, in the order in which they came."""

    def __init__(self) -> None:
        self._decided: Recent[str, list[Step]] = Recent()
        self._spent: Recent[str, str] = Recent()

    def take(self, step: Step) -> None:
        """Remember a decision."""
        if step.approval in ("approved", "denied", "automatic"):
            self._decided[step.session_id] = [*(self._decided.get(step.session_id) or ()), step]

    def covering(self, step: Step) -> Coverage:
        """The best that can be said of a step; an approval that names nothing covers the next step only."""
        if step.approval == "automatic":
            return Coverage("automatic", step.approver)
        if step.approval in ("approved", "denied") and step.kind == "tool_call":
            if step.approver is not None and step.approver == step.agent_id:
                return Coverage("by_the_agent", step.approver)
            return Coverage("covered" if step.approval == "approved" else "denied", step.approver)
        decided = self._decided.get(step.session_id) or []
        if not decided and step.approval == "cannot_record":
            return Coverage("cannot_record")
        verdicts = [(self._weigh(approval, step), approval) for approval in reversed(decided)]
        for cover, approval in verdicts:
            if cover == "covered":
                return Coverage("covered", approval.approver, approval.event_id)
        for wanted in reversed(_WORST_LAST):
            for cover, approval in verdicts:
                if cover == wanted:
                    return Coverage(cover, approval.approver, approval.event_id)
        return Coverage("none")

    def _weigh(self, approval: Step, step: Step) -> Cover:
        if not self._names(approval, step):
            return "other_arguments"
        if approval.approval == "denied":
            return "denied"
        if approval.approval == "automatic":
            return "automatic"
        if approval.approver is not None and approval.approver == step.agent_id:
            return "by_the_agent"
        if approval.at_ns is None or step.at_ns is None:
            return "covered"
        return "expired" if step.at_ns - approval.at_ns > EXPIRES_AFTER_S * 1_000_000_000 else "covered"

    def _names(self, approval: Step, step: Step) -> bool:
        if approval.parent_event_id == step.event_id:
            return True
        named = {value for _, value in scalars_in(approval.arguments)} | {approval.target} - {None}
        if step.target is not None and step.target in named:
            return True
        if approval.target is not None:
            return False
        if approval.tool is not None:
            return approval.tool == step.tool and not _differs(approval.arguments, step.arguments)
        if self._spent.get(approval.event_id) not in (None, step.event_id) or not step.is_privileged:
            return False
        self._spent[approval.event_id] = step.event_id
        return True


def _differs(approved: str | None, done: str | None) -> bool:
    """Whether both name the same argument with another value."""
    granted = dict(scalars_in(approved))
    return any(key in granted and granted[key] != value for key, value in scalars_in(done))
