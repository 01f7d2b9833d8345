"""The baseline beside a step: how often the agent and its peers did this before that day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from functools import cache
from typing import Final, NamedTuple

import duckdb

from baseline.capability import Capabilities
from baseline.history import LEAST_SESSIONS
from ingest.database import ask

_COUNTS: Final = """
select day, agent_id, aspect, context, value, sum(sessions)::bigint as sessions, sum(steps)::bigint as steps
from counts
where aspect in ('tool', 'session')
   or (aspect = 'transition' and agent_id in (select unnest($agents::varchar[])))
group by all
"""


class Usual(NamedTuple):
    """What was seen before one tool call: `sessions_seen` of `sessions_total` sessions of this agent used the tool,
    `peers_seen` of `peers_total` those of the others; `after_seen` of the `after_total` times that `previous_tool`
    occurred, this tool came next. `capability` is the tool's class, or None where the table does not know it."""

    capability: str | None
    previous_tool: str
    sessions_seen: int
    sessions_total: int
    peers_seen: int
    peers_total: int
    after_seen: int
    after_total: int

    @property
    def is_enough(self) -> bool:
        """Whether the history carries a judgement."""
        return self.sessions_total >= LEAST_SESSIONS


class Beside:
    """The counts that some agents' steps are held against, read once."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, agents: Iterable[str]) -> None:
        self._rows = ask(connection, _COUNTS, agents=sorted(set(agents))).rows()
        self._before: dict[date | None, _Before] = {}

    def usual(self, agent: str, tool: str, previous_tool: str, day: date | None) -> Usual:
        """What the days before `day` say of this tool after that one; all days where the day is not known."""
        if day not in self._before:
            self._before[day] = _Before(self._rows, day)
        before = self._before[day]
        mine, total = before.sessions[agent, tool], before.sessions[agent, ""]
        return Usual(
            capability=_capabilities().classify(tool).capability,
            previous_tool=previous_tool,
            sessions_seen=mine,
            sessions_total=total,
            peers_seen=before.fleet[tool] - mine,
            peers_total=before.fleet[""] - total,
            after_seen=before.after[agent, previous_tool, tool],
            after_total=before.after[agent, previous_tool, ""],
        )


class _Before:
    """The sums of all days before one day; a total stands under the empty tool."""

    def __init__(self, rows: list[tuple[date | None, str, str, str, str, int, int]], day: date | None) -> None:
        self.sessions: defaultdict[tuple[str, str], int] = defaultdict(int)
        self.fleet: defaultdict[str, int] = defaultdict(int)
        self.after: defaultdict[tuple[str, str, str], int] = defaultdict(int)
        for seen_on, agent, aspect, context, value, sessions, steps in rows:
            if day is not None and seen_on is not None and seen_on >= day:
                continue
            if aspect == "transition":
                self.after[agent, context, value] += steps
                self.after[agent, context, ""] += steps
            else:
                tool = value if aspect == "tool" else ""
                self.sessions[agent, tool] += sessions
                self.fleet[tool] += sessions


@cache
def _capabilities() -> Capabilities:
    return Capabilities.load()


def capability_of(tool: str | None) -> str | None:
    """The class of a tool by the shipped table."""
    return _capabilities().classify(tool).capability
