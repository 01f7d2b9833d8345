"""An identity that steps out of another agent's place, just after a secret was read there.

A cloud's log never shows the secret that a call returned. That a key changed hands shows in where it is used: the
identity, which never acted from there, acts from the very place whose agent had just read what it never read.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from detect.gift import is_own
from detect.memory import Habits, remember
from detect.step import Step, within

_MOST_PLACES: Final = 5_000
_SHORTEST: Final = 5


class Neighbour(msgspec.Struct, frozen=True):
    """Who acts from another agent's place."""

    read: Step
    """The other agent's step that took a secret there."""
    sessions: int
    """Sessions of the identity of which the place is known."""
    distinct: int
    """Places that it acted from."""
    is_named: bool
    """Whether the secret is named after the identity: `crm/deploy-19` is that of `user/deploy-19`."""


class ReadHere(msgspec.Struct):
    """Place -> the last step from there that took, with nobody's approval, what its agent had never taken."""

    read: dict[str, Step] = {}

    def take(self, step: Step) -> None:
        """Remember an uncovered step that took something new."""
        if step.source_host is not None and step.capability == "credential":
            remember(self.read, step.source_host, step.without_payload(), _MOST_PLACES)

    def neighbour(self, step: Step, habits: Habits, window_s: float) -> Neighbour | None:
        """The taking after which this step's identity acts from there for the first time."""
        host, agent = step.source_host, step.agent_id
        read = self.read.get(host) if self.read and host is not None else None
        if read is None or host is None or read.agent_id == agent or read.session_id == step.session_id:
            return None
        if not within(read, step, window_s) or habits.seen("from", agent, host) or is_own(read.target or "", step):
            return None
        name = agent.rpartition("/")[2]
        is_named = len(name) >= _SHORTEST and name in re.split(r"[/:]", read.target or "")
        return Neighbour(read, habits.seen("from", agent), habits.distinct("from", agent), is_named)
