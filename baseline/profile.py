"""The profile of one agent: what is normal for it, what that rests on, and what is not known yet.

The face for people and pages: `profile(connection, agent)` gives plain dataclasses; nothing here decides.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import duckdb
import polars as pl

from baseline.capability import Capabilities
from baseline.count import LATENCIES_S
from baseline.drift import ASPECTS, drifts
from baseline.history import CHANGE_WINDOW, LEAST_AGENTS, LEAST_SESSIONS, Basis
from baseline.learnt import learnt
from baseline.models.answer import Chance
from baseline.models.approvals import approved
from baseline.models.drift import REFERENCE_DAYS
from baseline.models.levels import INHERITED, chance_of, concentration, interval
from baseline.models.markov import next_tool
from baseline.models.new_link import links
from baseline.models.peers import peer_groups
from baseline.models.rates import pooled
from baseline.models.sizes import sizes
from baseline.profile_parts import (
    ApprovalsSeen,
    ChangeWindow,
    Hour,
    Linked,
    Peers,
    Profile,
    RestsOn,
    Size,
    ToolUse,
    Transition,
    VersionSeen,
)

MOST_SHOWN: Final = 12
LINKS: Final = ("principal", "credential", "target", "source_target", "role_role")
OWN: Final = tuple(sorted({*ASPECTS, *LINKS, "session", "version", "next_1", "hour", "decision_latency", "approver"}))
"""What is looked at of the agent itself."""
FLEET: Final = ("tool", "session", "decided")
"""What is looked at of every agent."""


def profile(
    connection: duckdb.DuckDBPyConnection,
    agent: str,
    *,
    version: str | None = None,
    pin: str | None = None,
    capabilities: Capabilities | None = None,
) -> Profile | None:
    """The agent's profile, or None where nothing of it was counted.

    `version` keeps to one version of it; `pin` reads a frozen baseline instead of what is learnt today.
    """
    capabilities = capabilities or Capabilities.load()
    own = learnt(connection, capabilities, agents=[agent], aspects=list(OWN), pin=pin)
    if version is not None:
        own = own.filter(pl.col("agent_version") == version)
    if own.is_empty():
        return None
    return profile_from(agent, own, learnt(connection, capabilities, aspects=list(FLEET), pin=pin), capabilities)


def profile_from(agent: str, own: pl.DataFrame, fleet: pl.DataFrame, capabilities: Capabilities) -> Profile | None:
    """The same from what was learnt: of the agent the aspects `OWN`, of all agents the aspects `FLEET`."""
    return None if own.is_empty() else _Reading(agent, own, fleet, capabilities).profile()


class _Reading:
    """One agent's counts, and those of the fleet that it borrows from."""

    def __init__(self, agent: str, own: pl.DataFrame, fleet: pl.DataFrame, capabilities: Capabilities) -> None:
        self._agent, self._own, self._capabilities = agent, own, capabilities
        tools = fleet.filter(pl.col("aspect") == "tool").group_by("agent_id").agg(pl.col("value").unique())
        self._sessions_of = _sessions_of(fleet)
        thin = {name for name, n in self._sessions_of.items() if n < LEAST_SESSIONS}
        groups = peer_groups({name: set(values) for name, values in tools.iter_rows()}, thin)
        self._peers = tuple(name for name in groups.get(agent, (agent,)) if name != agent)
        self._fleet = _sessions_by_value(fleet)
        self._group = fleet.filter(pl.col("agent_id").is_in([agent, *self._peers]))
        self._rest = self._rests_on()

    def profile(self) -> Profile:
        versions = self._versions()
        peers, tools = self._compared()
        return Profile(
            agent_id=self._agent,
            rests_on=self._rest,
            versions=versions,
            change_window=_window(versions, self._rest.last_day),
            peers=peers,
            tools=tools,
            transitions=self._transitions(),
            links=tuple(self._linked(kind) for kind in LINKS if not self._of(kind).is_empty()),
            hours=self._hours(),
            sizes=tuple(self._size(kind) for kind in ("calls", "targets")),
            approvals=self._approvals(),
            origins=self._origins(),
            drift=drifts(self._own),
            not_enough=self._not_enough(),
        )

    def _of(self, aspect: str) -> pl.DataFrame:
        return self._own.filter(pl.col("aspect") == aspect)

    def _by_value(self, aspect: str, number: str = "steps") -> dict[str, int]:
        """Value -> how often, the most frequent first; ties by value."""
        summed = self._of(aspect).group_by("value").agg(pl.col(number).sum())
        return dict(summed.sort(number, "value", descending=[True, False]).iter_rows())

    def _rests_on(self) -> RestsOn:
        sessions = self._of("session")
        count, calls = int(sessions["sessions"].sum()), int(sessions["steps"].sum())
        versions = self._versions()
        current = versions[-1].sessions if versions else count
        days = sessions["day"].drop_nulls()
        return RestsOn(
            count, calls, days.n_unique(), _day(days.min()), _day(days.max()),
            current + INHERITED * (count - current), count >= LEAST_SESSIONS,
        )  # fmt: skip

    def _versions(self) -> tuple[VersionSeen, ...]:
        """In the order in which they were first seen."""
        seen = self._of("version").group_by("value").agg(
            pl.col("sessions").sum(), pl.col("day").min().alias("first"), pl.col("day").max().alias("last")
        )  # fmt: skip
        return tuple(VersionSeen(*row) for row in seen.sort("first", "last", "value").iter_rows())

    def _compared(self) -> tuple[Peers, tuple[ToolUse, ...]]:
        """The tools beside the peers' use of them; kappa is what the group's own agreement makes it."""
        used = (
            self._group.filter(pl.col("aspect") == "tool").group_by("agent_id", "value").agg(pl.col("sessions").sum())
        )
        sessions = self._group.filter(pl.col("aspect") == "session").group_by("agent_id").agg(pl.col("sessions").sum())
        by_agent: dict[str, dict[str, float]] = {}
        for name, tool, n in used.sort("agent_id", "value").iter_rows():
            by_agent.setdefault(name, {})[tool] = n
        kappa = concentration([by_agent[name] for name in sorted(by_agent)])
        of = dict(sessions.iter_rows())
        mine, theirs = self._rest.sessions, sum(of.get(name, 0) for name in self._peers)
        rows = []
        for tool, n in self._by_value("tool", "sessions").items():
            others = sum(by_agent.get(name, {}).get(tool, 0) for name in self._peers)
            peers_share = others / theirs if theirs else None
            all_used, all_sessions = self._fleet.get(("tool", tool), 0), self._fleet["session", ""]
            everyone = Chance(all_used / all_sessions, all_used, all_sessions)
            expected = chance_of(n, mine, Chance(peers_share or 0.0, others, theirs), everyone, kappa).p
            low, high = interval(n / mine, mine)
            capability = self._capabilities.classify(tool).capability
            rows.append(ToolUse(tool, capability, n, mine, n / mine, low, high, peers_share, expected))
        weight = mine / (mine + kappa) if self._peers else 1.0
        return Peers(self._peers, theirs, kappa, weight, self._said(weight)), tuple(rows)

    def _said(self, own_weight: float) -> str:
        """By whom it is judged: as `History.basis` decides, in the words of a profile."""
        own = f"{self._rest.sessions:,} sessions of its own"
        if self._rest.is_enough and not self._peers:
            return f"no other agent has a like set of tools: judged by its {own} alone"
        if self._rest.is_enough:
            return f"judged by its {own}; its tools' shares borrow {1 - own_weight:.0%} from {len(self._peers)} peers"
        grown = [n for name, n in self._sessions_of.items() if name != self._agent and n >= LEAST_SESSIONS]
        theirs = sum(self._sessions_of.get(name, 0) for name in self._peers)
        peers = self._peers if theirs >= LEAST_SESSIONS else ()
        agents = len(grown) if len(grown) >= LEAST_AGENTS else 0
        return str(
            Basis("peers", self._rest.sessions, peers, theirs)
            if peers
            else Basis("fleet" if agents else "nobody", self._rest.sessions, ("",) * agents, sum(grown))
        )

    def _transitions(self) -> tuple[Transition, ...]:
        steps = self._of("next_1").group_by("context", "value").agg(pl.col("steps").sum())
        tools = {tool: float(n) for tool, n in self._by_value("tool").items()}
        follows: dict[str, dict[str, float]] = {}
        for before, tool, n in steps.sort("context", "value").iter_rows():
            follows.setdefault(before, {})[tool] = n
        top = steps.sort("steps", "context", "value", descending=[True, False, False]).head(MOST_SHOWN)
        return tuple(
            Transition(before, tool, n, int(sum(follows[before].values())), next_tool(tool, [follows[before]], tools).p)
            for before, tool, n in top.iter_rows()
        )

    def _linked(self, kind: str) -> Linked:
        value = pl.col("value") if kind in LINKS[:3] else pl.col("context") + " → " + pl.col("value")
        counts = self._of(kind).group_by(value.alias("value")).agg(pl.col("steps").sum())
        counts = counts.sort("steps", "value", descending=[True, False])
        fitted = links(dict(counts.iter_rows()))
        return Linked(kind, counts.height, fitted.n, fitted.p_new, tuple(counts.head(MOST_SHOWN).iter_rows()))

    def _hours(self) -> tuple[Hour, ...]:
        """The hours of the week in which it works, Monday first; rates borrow from each other."""
        rows = self._of("hour").filter(pl.col("day").is_not_null())
        steps = rows.group_by("context", "value").agg(pl.col("steps").sum())
        days = self._of("session")["day"].drop_nulls()
        first, last = _day(days.min()), _day(days.max())
        if first is None or last is None:
            return ()
        each = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        weeks = {name: sum(day.strftime("%a") == name for day in each) for name in _WEEK}
        totals = {(weekday, int(hour)): n for weekday, hour, n in steps.iter_rows()}
        slots = [(weekday, hour) for weekday in _WEEK for hour in range(24) if weeks[weekday]]
        prior = pooled([totals.get(slot, 0) for slot in slots], [weeks[weekday] for weekday, _ in slots])
        hours = []
        for weekday, hour in slots:
            if (weekday, hour) not in totals:
                continue
            rate = prior.seen(totals[weekday, hour], weeks[weekday])
            most = int(rate.mean)
            while rate.at_least(most + 1).p >= 0.01:
                most += max(1, most // 20)
            hours.append(Hour(weekday, hour, rate.mean, most))
        return tuple(hours)

    def _size(self, kind: str) -> Size:
        seen = {int(value): n for value, n in self._by_value(f"{kind}_a_session", "sessions").items()}
        fitted = sizes(seen)
        most = max(seen, default=0)
        return Size(kind, fitted.quantile(0.5), fitted.quantile(0.95), most, fitted.at_least(most + 1).p)

    def _approvals(self) -> ApprovalsSeen:
        rows = (
            self._group.filter(pl.col("aspect") == "decided").group_by("agent_id", "value").agg(pl.col("steps").sum())
        )
        by_agent: dict[str, dict[str, int]] = {}
        for name, state, n in rows.sort("agent_id", "value").iter_rows():
            by_agent.setdefault(name, {})[state] = n
        own = by_agent.pop(self._agent, {})
        calls, yes = _recordable(own), own.get("approved", 0)
        theirs = [(states.get("approved", 0), _recordable(states)) for states in by_agent.values()]
        low, high = interval(yes / calls if calls else 0.0, calls)
        latency = self._by_value("decision_latency")
        whom = self._of("approver").filter(pl.col("context") == "approved").group_by("value").agg(pl.col("steps").sum())
        return ApprovalsSeen(
            privileged_calls=sum(own.values()),
            recordable=calls,
            by_state=own,
            share=yes / calls if calls else 0.0,
            low=low,
            high=high,
            expected=approved(yes, calls, theirs).share,
            by_whom=dict(whom.sort("steps", "value", descending=[True, False]).iter_rows()),
            latency={_WITHIN[int(bucket)]: latency[bucket] for bucket in sorted(latency)},
        )

    def _origins(self) -> dict[str, dict[str, int]]:
        """Argument of a changing call -> where its values came from."""
        rows = self._of("origin").group_by("context", "value").agg(pl.col("steps").sum())
        found: dict[str, dict[str, int]] = {}
        for argument, origin, n in rows.sort("context", "value").iter_rows():
            found.setdefault(argument, {})[origin] = n
        return found

    def _not_enough(self) -> tuple[str, ...]:
        rest, lacking = self._rest, []
        if not rest.is_enough:
            lacking.append(f"any judgement by its own history: {rest.sessions} of {LEAST_SESSIONS} sessions")
        if rest.first_day is None:
            lacking.append("hours and drift: its log carries no times")
        else:
            if rest.days <= REFERENCE_DAYS:
                lacking.append(f"drift: {rest.days} of {REFERENCE_DAYS + 1} days")
            if rest.last_day and (rest.last_day - rest.first_day).days < 13:
                lacking.append("hours of the week: less than two weeks")
        if self._of("approver").is_empty():
            lacking.append("who approves: no decision of a person was recorded")
        if self._of("decision_latency").is_empty():
            lacking.append("how long approvals take: no request and answer were recorded together")
        if self._of("credential").is_empty():
            lacking.append("credentials: none was recorded")
        return tuple(lacking)


_WEEK: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WITHIN: Final = (*(f"under {bound} s" for bound in LATENCIES_S), f"{LATENCIES_S[-1]} s or more")


def _sessions_of(fleet: pl.DataFrame) -> dict[str, int]:
    summed = fleet.filter(pl.col("aspect") == "session").group_by("agent_id").agg(pl.col("sessions").sum())
    return {str(agent): n for agent, n in summed.sort("agent_id").iter_rows()}


def _recordable(states: dict[str, int]) -> int:
    return sum(n for state, n in states.items() if state != "cannot_record")


def _sessions_by_value(counts: pl.DataFrame) -> dict[tuple[str, str], int]:
    summed = counts.group_by("aspect", "value").agg(pl.col("sessions").sum())
    return {(aspect, value): n for aspect, value, n in summed.iter_rows()}


def _day(value: object) -> date | None:
    return value if isinstance(value, date) else None


def _window(versions: tuple[VersionSeen, ...], last_day: date | None) -> ChangeWindow | None:
    """Open where the newest of several versions was first seen a day before the last day at most."""
    if len(versions) < 2 or last_day is None or (since := versions[-1].first_day) is None:
        return None
    until = since + CHANGE_WINDOW
    return ChangeWindow(versions[-1].version, since, until) if last_day <= until else None
