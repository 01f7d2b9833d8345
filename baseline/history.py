"""What was seen before: counts added up, day by day, for each agent, for its peers and for the fleet.

Nothing here decides; it answers "how often" with the history that the answer rests on. An agent with too little of its
own is judged by agents with a like set of tools, and where there are none by the fleet (`Basis`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final, Literal, NamedTuple

import msgspec

from baseline.models.answer import Chance
from baseline.models.new_link import Links, links, new_to_all
from baseline.models.peers import peer_groups

LEAST_SESSIONS: Final = 20
"""Below this an agent has not enough history: a tool that 1 session in 7 uses would still be unseen in
5 % of agents after 20 sessions."""
LEAST_AGENTS: Final = 5
"""With fewer agents of enough history a fleet says nothing of a new one: how much agents differ is not known."""

CHANGE_WINDOW: Final = timedelta(days=1)
"""The day on which a new version is first seen and the next: what is only new says little then."""

SERVED: Final = frozenset((
    "session", "version", "tool", "transition", "capability", "principal", "credential", "target", "tool_target",
    "source_target", "role_role", "delegated_capability", "approval",
))  # fmt: skip
"""The aspects that a judgement asks for while it walks the days; the others are for profiles."""

CountRow = tuple[date | None, str, str, str, str, str, int, int]
"""(day, agent_id, agent_version, aspect, context, value, steps, sessions): a row of `counts`."""

Level = Literal["own", "peers", "fleet", "nobody"]


class Seen(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """How often something was seen."""

    steps: int
    sessions: int


class Basis(NamedTuple):
    """Whose history an agent is judged by: so many `agents` (itself not among them) with so many `sessions`."""

    level: Level
    own: int
    agents: tuple[str, ...] = ()
    sessions: int = 0

    def __str__(self) -> str:
        own = f"{self.own:,} of {LEAST_SESSIONS} sessions of its own"
        if self.level == "peers":
            some = "1 peer" if len(self.agents) == 1 else f"{len(self.agents):,} peers"
            return f"judged by {some} ({self.sessions:,} sessions): it has {own}"
        if self.level == "fleet":
            return f"judged by the fleet ({self.sessions:,} sessions of {len(self.agents):,} agents): it has {own}"
        return "judged by its own history" if self.level == "own" else f"not enough history: {own}"


_NEVER: Final = Seen(0, 0)


class _Context:
    """What an agent showed of one aspect in one context."""

    __slots__ = ("agents", "distinct", "sessions", "steps", "values")

    def __init__(self, sessions: dict[str, int], agents: dict[str, int]) -> None:
        self.values: dict[str, Seen] = {}
        self.steps = 0
        self.distinct = 0
        self.sessions, self.agents = sessions, agents
        """Value -> sessions, and agents, of the whole fleet."""


class _Counted(msgspec.Struct, array_like=True):
    """A history as it is written down."""

    shown: dict[tuple[str, str, str], tuple[dict[str, Seen], int, int]]
    fleet_sessions: dict[tuple[str, str], dict[str, int]]
    fleet_agents: dict[tuple[str, str], dict[str, int]]
    sessions: dict[str, int]
    version_since: dict[tuple[str, str], date]


class History:
    """The counts of the days before. `add` a day once it may be learnt from, never before it was judged."""

    def __init__(self) -> None:
        self._shown: dict[tuple[str, str, str], _Context] = {}
        """(agent, aspect, context) -> what was shown."""
        self._fleet_sessions: dict[tuple[str, str], dict[str, int]] = {}
        self._fleet_agents: dict[tuple[str, str], dict[str, int]] = {}
        """(aspect, context) -> value -> sessions, and agents."""
        self._sessions: dict[str, int] = {}
        self._version_since: dict[tuple[str, str], date] = {}
        self._groups: dict[str, tuple[str, ...]] | None = None
        self._bases: dict[str, Basis] = {}
        self._fitted: dict[tuple[str, str, str, Level], Links] = {}
        self._borrowed: dict[tuple[str, str, str, str], Seen] = {}

    def add(self, rows: Iterable[CountRow], sign: int = 1) -> None:
        """Add the rows of a day; with `sign=-1` take rows off again (sessions that must not be learnt from).

        They are added fastest where those of one agent, aspect and context come one behind the other.
        """
        self._fitted.clear()
        self._bases.clear()
        self._borrowed.clear()
        at: tuple[str, str, str] | None = None
        for day, agent, version, aspect, context, value, steps, sessions in rows:
            if aspect not in SERVED:
                continue
            if at != (kind := (agent, aspect, context)):
                at, shown = kind, self._context(kind)
            before = shown.values.get(value, _NEVER)
            now = Seen(before.steps + sign * steps, before.sessions + sign * sessions)
            if now == _NEVER:
                shown.values.pop(value, None)
            else:
                shown.values[value] = now
            shown.steps += sign * steps
            shown.sessions[value] = shown.sessions.get(value, 0) + sign * sessions
            if change := (now.steps > 0) - (before.steps > 0):
                shown.distinct += change
                shown.agents[value] = shown.agents.get(value, 0) + change
            if aspect == "session":
                self._sessions[agent] = now.sessions if now.steps else 0
                if change or (before.sessions >= LEAST_SESSIONS) != (now.sessions >= LEAST_SESSIONS):
                    self._groups = None
            elif aspect == "tool" and change:
                self._groups = None
            elif aspect == "version" and day is not None and sign > 0:
                self._version_since.setdefault((agent, version), day)

    def state(self) -> bytes:
        """All that was added and not taken off again; a history resumed from it goes on as this one would."""
        shown = {kind: (of.values, of.steps, of.distinct) for kind, of in self._shown.items() if of.values}
        sessions, agents = (
            {kind: left for kind, of in some.items() if (left := {value: n for value, n in of.items() if n})}
            for some in (self._fleet_sessions, self._fleet_agents)
        )
        return msgspec.msgpack.encode(_Counted(shown, sessions, agents, self._sessions, self._version_since))

    @classmethod
    def resumed(cls, state: bytes) -> History:
        """A history that goes on where another one stood."""
        counted = msgspec.msgpack.decode(state, type=_Counted)
        history = cls()
        history._fleet_sessions, history._fleet_agents = counted.fleet_sessions, counted.fleet_agents
        history._sessions, history._version_since = counted.sessions, counted.version_since
        for kind, (values, steps, distinct) in counted.shown.items():
            shown = history._context(kind)
            shown.values, shown.steps, shown.distinct = values, steps, distinct
        return history

    def _context(self, kind: tuple[str, str, str]) -> _Context:
        shown = self._shown.get(kind)
        if shown is None:
            fleet = (sessions.setdefault(kind[1:], {}) for sessions in (self._fleet_sessions, self._fleet_agents))
            shown = self._shown[kind] = _Context(*fleet)
        return shown

    def _values(self, agent: str, aspect: str, context: str = "") -> dict[str, Seen]:
        shown = self._shown.get((agent, aspect, context))
        return shown.values if shown is not None else {}

    def seen(self, agent: str, aspect: str, value: str, context: str = "") -> Seen:
        """How often the agent showed this value of the aspect in this context; what is new to an agent with too
        little history counts as often as those that it is judged by (`basis`) showed it."""
        own = self.seen_itself(agent, aspect, value, context)
        if own.steps or self.sessions(agent) >= LEAST_SESSIONS:
            return own
        key = (agent, aspect, context, value)
        if key not in self._borrowed:
            self._borrowed[key] = self._lent(self.basis(agent), aspect, value, context)
        return self._borrowed[key]

    def seen_itself(self, agent: str, aspect: str, value: str, context: str = "") -> Seen:
        """How often the agent itself showed it."""
        shown = self._shown.get((agent, aspect, context))
        seen = shown.values.get(value, _NEVER) if shown is not None else _NEVER
        return seen if seen.steps else _NEVER

    def steps_in(self, agent: str, aspect: str, context: str = "") -> int:
        """How many steps the agent had in this context, whatever the value."""
        shown = self._shown.get((agent, aspect, context))
        return shown.steps if shown is not None else 0

    def values_in(self, agent: str, aspect: str, context: str = "") -> int:
        """How many distinct values the agent showed in this context."""
        shown = self._shown.get((agent, aspect, context))
        return shown.distinct if shown is not None else 0

    def sessions(self, agent: str) -> int:
        """How many sessions of the agent this history rests on."""
        return self._sessions.get(agent, 0)

    def is_enough(self, agent: str) -> bool:
        """Whether anything may be said about this agent at all."""
        return self.sessions(agent) >= LEAST_SESSIONS or self.basis(agent).level != "nobody"

    def basis(self, agent: str) -> Basis:
        """Its own history where that is enough, else that of its peers, else that of the fleet, else nobody's."""
        own = self.sessions(agent)
        if own >= LEAST_SESSIONS:
            return Basis("own", own)
        if agent not in self._bases:
            self._bases[agent] = self._others(agent, own)
        return self._bases[agent]

    def _others(self, agent: str, own: int) -> Basis:
        peers = tuple(other for other in self._group_of().get(agent, ()) if other != agent)
        if (sessions := sum(map(self.sessions, peers))) >= LEAST_SESSIONS:
            return Basis("peers", own, peers, sessions)
        fleet = tuple(a for a in self._group_of() if a != agent and self.sessions(a) >= LEAST_SESSIONS)
        if len(fleet) >= LEAST_AGENTS:
            return Basis("fleet", own, fleet, sum(map(self.sessions, fleet)))
        return Basis("nobody", own)

    def peers(self, agent: str, aspect: str, value: str, context: str = "") -> tuple[int, int]:
        """(sessions of all other agents that showed it, all their sessions)."""
        mine = self.seen_itself(agent, aspect, value, context).sessions
        showed = self._fleet_sessions.get((aspect, context), {}).get(value, 0) - mine
        return showed, self._fleet_sessions.get(("session", ""), {}).get("", 0) - self.sessions(agent)

    def link(self, agent: str, aspect: str, value: str, context: str = "") -> Chance:
        """P(the agent's next session shows a link at most as usual as this one), never 0; `seen` of `of` sessions.

        A hierarchy of Pitman-Yor processes (Teh, 2006, with one table a dish): what is new to the agent is drawn from
        its peers, what is new to them from the fleet, whose customers are agents.
        """
        own = self._fit(agent, aspect, context, "own")
        rest = own.p(value)
        if not rest.seen:
            levels = [self._fit(agent, aspect, context, level) for level in ("peers", "fleet")]
            rest = Chance(own.p_new * new_to_all(value, levels), 0, rest.of)
        return rest

    def version_since(self, agent: str, version: str) -> date | None:
        """The first day on which this version of the agent was seen, or None where it is new."""
        return self._version_since.get((agent, version))

    def probability(self, agent: str, aspect: str, value: str, context: str = "") -> float:
        """P(value | context), never 0: Witten-Bell, backing off to the value without its context.

        With n steps and T distinct values in the context: (count + T * shorter) / (n + T) (Witten and Bell,
        IEEE Transactions on Information Theory 37(4), 1991, method C). An unseen context is the shorter
        one alone; under it every value has at least 1 / (steps + 1).
        """
        single = "tool" if aspect == "transition" else aspect
        order_0 = self.seen_itself(agent, single, value).steps
        total = self.steps_in(agent, single)
        shorter = (order_0 + 1) / (total + self.values_in(agent, "tool") + 1)
        steps, distinct = self.steps_in(agent, aspect, context), self.values_in(agent, aspect, context)
        if not steps:
            return shorter
        return (self.seen_itself(agent, aspect, value, context).steps + distinct * shorter) / (steps + distinct)

    def _lent(self, basis: Basis, aspect: str, value: str, context: str) -> Seen:
        if not self._fleet_agents.get((aspect, context), {}).get(value):
            return _NEVER
        lent = [self.seen_itself(other, aspect, value, context) for other in basis.agents]
        return Seen(sum(s.steps for s in lent), sum(s.sessions for s in lent))

    def _group_of(self) -> dict[str, tuple[str, ...]]:
        """The groups of like agents, by what their history says today."""
        if self._groups is None:
            agents = [agent for agent, aspect, _ in self._shown if aspect == "session" and self.sessions(agent)]
            tools = {a: frozenset(v for v, s in self._values(a, "tool").items() if s.steps > 0) for a in agents}
            thin = {agent for agent in agents if self.sessions(agent) < LEAST_SESSIONS}
            self._groups = peer_groups(tools, thin)
        return self._groups

    def _fit(self, agent: str, aspect: str, context: str, level: Level) -> Links:
        """The fitted process of the agent's sessions, or of how many agents of its group, or of all, showed what."""
        group = self._group_of().get(agent, (agent,)) if level == "peers" else ()
        key = (group[0] if group else agent if level == "own" else "", aspect, context, level)
        if key not in self._fitted:
            if level == "own":
                shown = self._values(agent, aspect, context)
                counts = {value: seen.sessions for value, seen in shown.items() if seen.sessions > 0}
            elif level == "peers":
                counts = Counter(
                    value
                    for other in group
                    for value, seen in self._values(other, aspect, context).items()
                    if seen.steps > 0
                )
            else:
                counts = {v: n for v, n in self._fleet_agents.get((aspect, context), {}).items() if n > 0}
            self._fitted[key] = links(counts)
        return self._fitted[key]
