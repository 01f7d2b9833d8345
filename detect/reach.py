"""What is new about where a step goes: to this agent, to its kind of target, to the person behind it, to its peers.

A step into something new says much where the agent hardly ever goes anywhere new, and nothing where it does every
day: the rate of new values in the agent's own history is the probability (Witten and Bell, 1991, method C).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import msgspec

from baseline.history import History
from detect.memory import Habits, remember
from detect.step import Step, within

_NUMBERED: Final = re.compile(r"[0-9a-f]{8,}|\d+", re.IGNORECASE)
_ACCOUNT: Final = re.compile(
    r"arn:aws[\w-]*:[\w-]*:[\w-]*:(\d{12}):|\bprojects/([\w-]+)|/subscriptions/([0-9a-f-]{36})", re.IGNORECASE
)
_ACCOUNT_ID: Final = re.compile(r"(?<![\d-])\d{12}(?![\d-])")
_MOST_NEW: Final = 64
_COMMON: Final = 0.005
"""The share of the other agents' sessions from which on a target is a common place."""
_FEW: Final = 10
HOUR_S: Final = 3600


class Reach(msgspec.Struct, frozen=True):
    """How new a target is, and how often this agent goes to something as new."""

    is_new: bool
    is_new_kind: bool
    """No session of this agent touched anything named like it: `db-7` is of the kind of `db-3`."""
    is_new_account: bool
    is_new_to_human: bool
    chance: float
    """Of a step of this agent going to something as new as this."""
    peers: int
    """Sessions of other agents that touched it."""
    is_common: bool = False
    """Whether it is where a good part of the fleet goes: an endpoint, an account, a gateway, no place of its own."""


class Stranger(msgspec.Struct, frozen=True):
    """An account that a step names and that its agent never named."""

    account: str
    is_new_to_all: bool
    named: int
    """Sessions of the agent whose privileged steps named any account; for one new to all, the accounts of the fleet."""


class Place(msgspec.Struct, frozen=True):
    """A place that a step goes out from, and from which nobody of the fleet ever acted."""

    sessions: int
    """Sessions of the identity of which the place is known."""
    distinct: int
    """Places that it acted from."""
    of_fleet: int
    """Places that anybody acted from."""
    is_first: bool = True
    """Whether it is the session's first step from there."""


class Reaches(msgspec.Struct):
    """The new targets of every agent in the last hour, and of the whole fleet how many are usual."""

    new: dict[str, list[Step]] = {}
    """Agent -> its steps to new targets, the latest last."""
    touched: dict[str, list[Step]] = {}
    """Target -> the uncovered privileged steps on it to which it was new, the latest last."""

    def of(self, step: Step, history: History, habits: Habits) -> Reach:
        """How new the target of a step is."""
        target, agent = step.target, step.agent_id
        if target is None or self._is_known(agent, target, history, habits):
            return _OLD
        kind, account = kind_of(target), account_of(target)
        is_new_kind = not habits.seen("kind", agent, kind)
        is_new_account = account is not None and not habits.seen("account", agent, account)
        human = step.on_behalf_of
        is_new_to_human = human is None or not habits.seen("human", human, target)
        sessions = history.sessions(agent)
        if is_new_kind:
            distinct = habits.distinct("kind", agent)
            chance = min(1.0, (distinct + 1) / (sessions + distinct + 2))
        else:
            chance = history.link(agent, "target", target).p
        tool = step.tool or ""
        if with_tool := history.steps_in(agent, "tool_target", tool):
            chance = max(chance, history.values_in(agent, "tool_target", tool) / (with_tool + 2))
        peers, peer_sessions = history.peers(agent, "target", target)
        is_common = peers > max(_FEW, _COMMON * peer_sessions)
        return Reach(True, is_new_kind, is_new_account, is_new_to_human, chance, peers, is_common)

    def _is_known(self, agent: str, target: str, history: History, habits: Habits) -> bool:
        """Whether the agent acted on the target before; to have read about it is not enough.

        An agent with too little history knows what those know that it is judged by.
        """
        if not history.seen_itself(agent, "target", target).sessions:
            return history.seen(agent, "target", target).sessions > 0
        return not habits.seen("reached", agent) or habits.seen("reached", agent, target) > 0

    def is_new_to(self, root: str, target: str | None, history: History, habits: Habits) -> bool:
        """Whether the target is new to an agent other than the one that acts: the root of a path."""
        return target is not None and not self._is_known(root, target, history, habits)

    def note(self, step: Step, habits: Habits) -> None:
        """Remember what the step touched, as a habit of its agent and of the person behind it."""
        target, agent, session = step.target, step.agent_id, step.session_id
        if target is None:
            return
        habits.note(session, "kind", agent, kind_of(target))
        if step.is_privileged:
            habits.note(session, "reached", agent)
            habits.note(session, "reached", agent, target)
        if (account := account_of(target)) is not None:
            habits.note(session, "account", agent, account)
            habits.note(session, "names", "", account)
        if step.on_behalf_of is not None:
            habits.note(session, "human", step.on_behalf_of, target)

    def place(self, step: Step, habits: Habits) -> Place | None:
        """The place that a step goes out from, where it is new to the whole fleet."""
        host, agent = step.source_host, step.agent_id
        if host is None:
            return None
        is_new = not habits.seen("from", "", host)
        found = None
        if is_new:
            is_first = not habits.is_noted(step.session_id, "from", "", host)
            known = (habits.seen("from", agent), habits.distinct("from", agent), habits.distinct("from", ""))
            found = Place(*known, is_first)
        for parts in ((agent,), (agent, host), ("", host)):
            habits.note(step.session_id, "from", *parts)
        return found

    def stranger(self, step: Step, habits: Habits) -> Stranger | None:
        """The first account in the arguments of a step that gives permissions which is new to the agent."""
        if step.capability != "permission" or step.arguments is None:
            return None
        agent, found = step.agent_id, None
        for account in dict.fromkeys(_ACCOUNT_ID.findall(step.arguments)):
            if (
                found is None
                and account != account_of(step.principal or "")
                and not habits.seen("names", agent, account)
            ):
                is_new_to_all = not habits.seen("names", "", account)
                named = habits.distinct("names", "") if is_new_to_all else habits.seen("names", agent)
                found = Stranger(account, is_new_to_all, named)
            for parts in ((agent, account), ("", account), (agent,)):
                habits.note(step.session_id, "names", *parts)
        return found

    def remember(self, step: Step) -> None:
        """Remember an uncovered privileged step to a new target."""
        slim = step.without_payload()
        recent = [s for s in self.new.get(step.agent_id, ()) if within(s, step, HOUR_S)]
        remember(self.new, step.agent_id, [*recent, slim][-_MOST_NEW:])
        if step.target is not None:
            remember(self.touched, step.target, [*self.touched.get(step.target, ()), slim][-_MOST_NEW:])

    def fan(self, step: Step, habits: Habits) -> tuple[tuple[Step, ...], tuple[int, int], int]:
        """The new targets of the last hour, one step each, and in how many sessions there were as many before."""
        earlier = [
            s for s in self.new.get(step.agent_id, ()) if s.capability == step.capability and within(s, step, HOUR_S)
        ]
        by_target = {s.target: s for s in (*earlier, step.without_payload())}
        number = str(len(by_target))
        habits.note(step.session_id, "fan", step.agent_id, number)
        habits.note(step.session_id, "fan", "", number)
        shown = (habits.seen("fan", step.agent_id, number), habits.seen("fan", "", number))
        return tuple(by_target.values()), shown, habits.seen("fan", "", "1")

    def came_by(self, step: Step, window_s: float) -> Step | None:
        """Who reached the place that this step goes out from, shortly before."""
        touched = self.touched.get(step.source_host or "", ())
        return next((s for s in reversed(touched) if within(s, step, window_s) and s.target != step.target), None)


_OLD: Final = Reach(False, False, False, False, 1.0, 0)


@lru_cache(maxsize=1 << 15)
def kind_of(target: str) -> str:
    """A target's name without its numbers: what an estate names alike serves the same end."""
    return _NUMBERED.sub("#", target.lower())


@lru_cache(maxsize=1 << 15)
def account_of(target: str) -> str | None:
    """The account, project or subscription that a target names."""
    found = _ACCOUNT.search(target) if len(target) > 12 else None
    return next((group for group in found.groups() if group), None) if found else None
