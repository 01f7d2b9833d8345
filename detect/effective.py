"""What the registries say of a step: who acts, and which grant on the way does not allow it.

Effective authority = the human's grant ∩ the parent's authority ∩ the delegated scope ∩ the agent's registration
(after DelegationBench). The delegated scope is what the log states (`detect/authority.py`); here are the other three.
Of a parent, targets and capabilities bind; the tools are each agent's own means.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from detect.authority import Delegation
from detect.handed_out import role_of
from detect.memory import Habits
from detect.registries import Entry, Part
from detect.registry import Registry, refused
from detect.step import Step

_OWN: Final[tuple[Part, ...]] = ("principals", "capabilities", "tools", "targets")
_HANDED_DOWN: Final[tuple[Part, ...]] = ("capabilities", "targets")


class Outside(msgspec.Struct, frozen=True):
    """What a grant does not allow."""

    whose: Entry
    part: Part
    value: str

    @property
    def allowed(self) -> str:
        """What is allowed instead, in words."""
        return ", ".join(getattr(self.whose, self.part) or ()) or "nothing"


class Standing(msgspec.Struct, frozen=True):
    """Where a step stands before the registries."""

    agent: Entry | None
    """None: no registry knows who acts."""
    outside: Outside | None
    """The first grant on the way that does not allow the step: the agent's own, the parents', the human's."""
    other_human: str | None
    """The person on whose behalf it acts, who is neither its registered human nor its owner."""
    known_beside: int
    """Agents of the same source that a registry knows, on the days before."""
    unknown_beside: int

    def is_over(self, step: Step) -> bool:
        """Whether the agent's registration was over when it acted."""
        ended = self.agent.ended_ns if self.agent is not None else None
        return ended is not None and step.at_ns is not None and step.at_ns > ended


def standing(registry: Registry, step: Step, delegation: Delegation | None, habits: Habits) -> Standing | None:
    """What the registries say of a privileged step; None without any."""
    if not registry:
        return None
    agent = registry.agent(step.agent_id, step.principal)
    source = _source(step)
    habits.note(step.session_id, _KNOWN if agent is not None else _UNKNOWN, source, step.agent_id)
    beside_known, beside_unknown = habits.distinct(_KNOWN, source), habits.distinct(_UNKNOWN, source)
    if agent is None and habits.seen(_UNKNOWN, source, step.agent_id):
        beside_unknown -= 1
    return Standing(
        agent,
        next(_outside(registry, agent, step, delegation), None),
        _other_human(agent, step),
        beside_known,
        beside_unknown,
    )


_KNOWN: Final = "registered"
_UNKNOWN: Final = "not registered"


def _outside(registry: Registry, agent: Entry | None, step: Step, delegation: Delegation | None) -> Iterator[Outside]:
    if agent is not None:
        yield from _beyond(agent, _OWN, step)
    handoffs = delegation.handoffs if delegation is not None else ()
    for handoff in reversed(handoffs):
        giver = registry.agent(handoff.agent_id, handoff.principal)
        if giver is not None and giver is not agent:
            yield from _beyond(giver, _HANDED_DOWN, step)
    people = dict.fromkeys(p for p in (step.on_behalf_of, *(h.on_behalf_of for h in handoffs)) if p)
    for person in people:
        if (grant := registry.human(person)) is not None:
            yield from _beyond(grant, ("capabilities", "tools", "targets"), step)


def _beyond(entry: Entry, parts: tuple[Part, ...], step: Step) -> Iterator[Outside]:
    """The parts of a grant that do not allow the step; what the step does not state is not held against it."""
    principal = step.principal
    values: dict[Part, tuple[str | None, ...]] = {
        "principals": (principal, role_of(principal), principal.rpartition("/")[2]) if principal else (),
        "capabilities": (step.capability,),
        "tools": (step.tool, step.tool.rpartition("__")[2] if step.tool else None),
        "targets": (step.target,),
    }
    for part in parts:
        if (value := refused(entry, part, *values[part])) is not None:
            yield Outside(entry, part, value)


def _other_human(agent: Entry | None, step: Step) -> str | None:
    if agent is None or agent.humans is None or not step.on_behalf_of:
        return None
    if agent.owner is not None and agent.owner.casefold() == step.on_behalf_of.casefold():
        return None
    return refused(agent, "humans", step.on_behalf_of)


def _source(step: Step) -> str:
    """Which log the step comes from: files of one folder and kind are one."""
    file = step.source.rpartition(":")[0] or step.source
    folder, _, name = file.rpartition("/")
    return f"{folder}/{name.rpartition('.')[2]}"
