"""Temporary credentials taken with temporary credentials: how far from its root a step acts, and how usual that is."""

from __future__ import annotations

import msgspec

from detect.credentials import Credentials
from detect.handed_out import is_temporary
from detect.memory import Habits
from detect.step import Step
from detect.switch import LONGEST_PATH
from detect.taken import chain_to


class RoleChain(msgspec.Struct, frozen=True):
    """The steps that each took a temporary credential with the one before, the one in question last."""

    steps: tuple[Step, ...] = ()
    path: tuple[Step, ...] = ()
    """The same from where it leaves what its root may hold."""
    shown: int = 0
    """Sessions in which the root had one as long."""
    shown_by_all: int = 0
    """Sessions of the fleet that had one as long."""
    chance: float = 1.0
    """Of the root going from one role to another that it never went to from there; 0 where it did go there."""


_NONE = RoleChain()


def role_chain(step: Step, credentials: Credentials, habits: Habits, window_s: float) -> RoleChain:
    """The temporary credentials that led to this step, and how often their root went as far."""
    taken, way = chain_to(credentials, step, window_s)
    if not taken:
        return _NONE
    steps = (*taken, step.without_payload()) if step.gives and is_temporary(step) else taken
    if len(steps) < 2 or steps[-2].target == steps[-1].target:
        return _NONE
    root, links = taken[0].agent_id, str(len(steps))
    edge = f"{steps[-2].target} {steps[-1].target}"
    before, edges = habits.seen("chain", root), habits.distinct("chain edge", root)
    chance = 0.0 if habits.seen("chain edge", root, edge) else (edges + 1) / (before + edges + 2)
    for parts in ((), (links,)):
        habits.note(step.session_id, "chain", root, *parts)
    habits.note(step.session_id, "chain edge", root, edge)
    habits.note(step.session_id, "chain", "", links)
    shown = sum(habits.seen("chain", root, str(number)) for number in range(len(steps), LONGEST_PATH + 2))
    return RoleChain(steps, (*way, step), shown, habits.seen("chain", "", links), chance)
