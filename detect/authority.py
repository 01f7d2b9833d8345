"""Under whose authority an agent works: hand-offs, the scope that each states, and what is left of it down the line.

Effective authority = the human's grant ∩ the parent's authority ∩ the delegated scope, as DelegationBench states it.
"""

from __future__ import annotations

from typing import Final

import msgspec

from detect.memory import remember
from detect.step import Step, within
from ingest.arguments import scalars_in

SCOPE_KEYS: Final = frozenset(
    {
        "scope",
        "scopes",
        "allowedtools",
        "allowedtargets",
        "allowed",
        "permissions",
        "capabilities",
        "tools",
        "targets",
        "mode",
    }
)
_PARENT_KEYS: Final = ("parentworkflowid", "parentsessionid", "parentsession", "parentrunid", "parenttraceid")
_CHILD_KEYS: Final = ("sessionid", "childsessionid", "runid", "workflowid", "threadid", "taskid", "conversationid")
_SOON_S: Final = 300
_AT_ONCE_S: Final = 30
_MOST_BEGUN: Final = 20_000
_MOST_HANDOFFS: Final = 8


class Delegation(msgspec.Struct, frozen=True):
    """The hand-offs under which an agent works, the first one first."""

    handoffs: tuple[Step, ...]
    scope: frozenset[str] | None
    """What all of them allow together; None where none states a scope."""
    added: frozenset[str]
    """What the last one allows although the ones above it do not."""

    @property
    def handoff(self) -> Step:
        return self.handoffs[-1]

    @property
    def is_stated(self) -> bool:
        return self.scope is not None


class Begun(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """When a session of an agent began, and for whom."""

    at_ns: int | None
    on_behalf_of: str | None


class Delegations(msgspec.Struct):
    """(session, agent) -> the delegation that it works under."""

    under: dict[tuple[str, str], Delegation] = {}
    begun: dict[tuple[str, str], Begun] = {}
    """(session, agent) -> its first step there, once there was any hand-off."""
    lately: dict[str, Delegation] = {}
    """Agent -> the last hand-off to it, for logs that share no session with the hand-off."""

    def take(self, step: Step) -> Delegation | None:
        """A hand-off: what it delegates, with what its own giver had been delegated."""
        if not step.target:
            return None
        above = self.of(step)
        if above is not None and any(h.agent_id == step.target for h in above.handoffs):
            above = None
        values = scalars_in(step.arguments)
        stated = frozenset(value for key, value in values if key in SCOPE_KEYS)
        held = above.scope if above is not None else None
        before = above.handoffs if above is not None else ()
        scope = (stated & held if held is not None else stated) if stated else held
        added = stated - held if stated and held is not None else frozenset()
        delegation = Delegation((*before, step.without_payload())[-_MOST_HANDOFFS:], scope, added)
        remember(self.under, (step.session_id, step.target), delegation)
        remember(self.lately, step.target, delegation)
        for key, value in values:
            if key in _CHILD_KEYS and value != step.session_id:
                remember(self.under, (value, step.target), delegation)
        return delegation

    def join_to_parent(self, start: Step) -> None:
        """A run that another run started in a session of its own works under that session's hand-off."""
        said = dict(scalars_in(start.arguments))
        parent = next((said[key] for key in _PARENT_KEYS if key in said), None)
        above = self.under.get((parent, start.agent_id)) if parent else None
        if above is not None:
            remember(self.under, (start.session_id, start.agent_id), above)

    def begin(self, step: Step) -> None:
        """Remember when a session of an agent began; every tool call passes here."""
        key = (step.session_id, step.agent_id)
        if self.lately and key not in self.begun:
            remember(self.begun, key, Begun(step.at_ns, step.on_behalf_of), _MOST_BEGUN)

    def of(self, step: Step) -> Delegation | None:
        """The delegation that the step's agent works under in this session."""
        delegation = self.under.get((step.session_id, step.agent_id))
        if delegation is not None or not self.lately:
            return delegation
        if "/" not in step.agent_id:
            return self._begun_after(step)
        return self._of_role(step)

    def _begun_after(self, step: Step) -> Delegation | None:
        """A hand-off with a scope right before the session began, for the same person: a task with its own session."""
        lately, first = self.lately.get(step.agent_id), self.begun.get((step.session_id, step.agent_id))
        if first is None or lately is None or not lately.is_stated:
            return None
        if first.on_behalf_of is None or first.on_behalf_of != lately.handoff.on_behalf_of:
            return None
        began = msgspec.structs.replace(step, at_ns=first.at_ns)
        return lately if within(lately.handoff, began, _AT_ONCE_S) else None

    def _of_role(self, step: Step) -> Delegation | None:
        # A cloud's own log knows the agent by its role, and no session of the agent's.
        role = step.agent_id.rpartition("/")[2]
        for name in (role, *(role.split("-", n)[n] for n in (1,) if "-" in role)):
            lately = self.lately.get(name)
            if lately is not None and lately.is_stated and within(lately.handoff, step, _SOON_S):
                return lately
        return None
