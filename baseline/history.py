"""What was seen before: counts added up, day by day, for each agent and for its peers.

Nothing here decides; it answers "how often" with the history that the answer rests on.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final, NamedTuple

LEAST_SESSIONS: Final = 20
"""Below this an agent has not enough history: a tool that 1 session in 7 uses would still be unseen in
5 % of agents after 20 sessions."""

SERVED: Final = frozenset((
    "session", "version", "tool", "transition", "capability", "principal", "credential", "target", "tool_target",
    "source_target", "role_role", "delegated_capability", "approval",
))  # fmt: skip
"""The aspects that a judgement asks for while it walks the days; the others are for profiles."""

CountRow = tuple[date | None, str, str, str, str, str, int, int]
"""(day, agent_id, agent_version, aspect, context, value, steps, sessions): a row of `counts`."""


class Seen(NamedTuple):
    """How often something was seen."""

    steps: int
    sessions: int


_NEVER: Final = Seen(0, 0)


class _Context:
    """The values that an agent showed of one aspect in one context."""

    __slots__ = ("distinct", "fleet", "steps", "values")

    def __init__(self, fleet: dict[str, int]) -> None:
        self.values: dict[str, tuple[int, int]] = {}
        """Value -> (steps, sessions)."""
        self.steps = 0
        self.distinct = 0
        self.fleet = fleet
        """Value -> sessions of all agents."""


class History:
    """The counts of the days before. `add` a day once it may be learnt from, never before it was judged."""

    def __init__(self) -> None:
        self._contexts: dict[tuple[str, str, str], _Context] = {}
        """(agent, aspect, context) -> what was shown."""
        self._fleet: dict[tuple[str, str], dict[str, int]] = {}
        """(aspect, context) -> value -> sessions of all agents."""
        self._version_since: dict[tuple[str, str], date] = {}

    def add(self, rows: Iterable[CountRow], sign: int = 1) -> None:
        """Add the rows of a day; with `sign=-1` take rows off again (sessions that must not be learnt from).

        Rows of one agent, aspect and context are added fastest one behind the other.
        """
        at: tuple[str, str, str] | None = None
        for day, agent, version, aspect, context, value, steps, sessions in rows:
            if aspect not in SERVED:
                continue
            if at != (key := (agent, aspect, context)):
                at, shown = key, self._context(key)
            before, in_sessions = shown.values.get(value, _NEVER)
            now = before + sign * steps
            shown.values[value] = (now, in_sessions + sign * sessions)
            shown.steps += sign * steps
            shown.distinct += (now > 0) - (before > 0)
            shown.fleet[value] = shown.fleet.get(value, 0) + sign * sessions
            if aspect == "version" and day is not None and sign > 0:
                self._version_since.setdefault((agent, version), day)

    def _context(self, key: tuple[str, str, str]) -> _Context:
        shown = self._contexts.get(key)
        if shown is None:
            shown = self._contexts[key] = _Context(self._fleet.setdefault(key[1:], {}))
        return shown

    def _shown(self, agent: str, aspect: str, value: str, context: str = "") -> tuple[int, int]:
        shown = self._contexts.get((agent, aspect, context))
        return shown.values.get(value, _NEVER) if shown is not None else _NEVER

    def seen(self, agent: str, aspect: str, value: str, context: str = "") -> Seen:
        """How often the agent showed this value of the aspect in this context."""
        steps, sessions = self._shown(agent, aspect, value, context)
        return Seen(steps, sessions) if steps else _NEVER

    def steps_in(self, agent: str, aspect: str, context: str = "") -> int:
        """How many steps the agent had in this context, whatever the value."""
        shown = self._contexts.get((agent, aspect, context))
        return shown.steps if shown is not None else 0

    def values_in(self, agent: str, aspect: str, context: str = "") -> int:
        """How many distinct values the agent showed in this context."""
        shown = self._contexts.get((agent, aspect, context))
        return shown.distinct if shown is not None else 0

    def sessions(self, agent: str) -> int:
        """How many sessions of the agent this history rests on."""
        return self._shown(agent, "session", "")[1]

    def is_enough(self, agent: str) -> bool:
        """Whether anything may be said about this agent at all."""
        return self.sessions(agent) >= LEAST_SESSIONS

    def peers(self, agent: str, aspect: str, value: str, context: str = "") -> tuple[int, int]:
        """(sessions of all other agents that showed it, all their sessions)."""
        mine = self._shown(agent, aspect, value, context)[1]
        showed = self._fleet.get((aspect, context), {}).get(value, 0) - mine
        return showed, self._fleet.get(("session", ""), {}).get("", 0) - self.sessions(agent)

    def version_since(self, agent: str, version: str) -> date | None:
        """The first day on which this version of the agent was seen, or None where it is new."""
        return self._version_since.get((agent, version))

    def probability(self, agent: str, aspect: str, value: str, context: str = "") -> float:
        """P(value | context), never 0: Witten-Bell, backing off to the value without its context.

        With n steps and T distinct values in the context: (count + T * shorter) / (n + T) (Witten and Bell,
        IEEE Transactions on Information Theory 37(4), 1991, method C). An unseen context is the shorter
        one alone; under it every value has at least 1 / (steps + 1).
        """
        order_0 = self._shown(agent, "tool" if aspect == "transition" else aspect, value)[0]
        total = self.steps_in(agent, "tool" if aspect == "transition" else aspect)
        shorter = (order_0 + 1) / (total + self.values_in(agent, "tool") + 1)
        steps, distinct = self.steps_in(agent, aspect, context), self.values_in(agent, aspect, context)
        if not steps:
            return shorter
        return (self._shown(agent, aspect, value, context)[0] + distinct * shorter) / (steps + distinct)
