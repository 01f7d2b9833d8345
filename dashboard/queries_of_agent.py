"""What the Agent page asks: the profile, the days of its series, and one session held against it.

The baseline's own functions make a table of classes on their connection, so one of them is asked at a time; answers,
and what was learnt of an agent, are kept for the published state that they were made of.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

import polars as pl

from baseline.against import ASPECTS as AGAINST
from baseline.against import Against, against
from baseline.capability import Capabilities
from baseline.drift import means_by_day, shares_by_day
from baseline.learnt import learnt
from baseline.models.drift import Day
from baseline.profile import FLEET, OWN, profile_from
from baseline.profile_parts import Profile
from baseline.profiles import profiles
from dashboard.queries import CONNECTIONS, connection, connection_of, data, generation
from ingest.database import ask

SESSIONS_OFFERED: Final = 40

_asking: Final = threading.RLock()

_SESSIONS: Final = """
with cases_of as (select unnest(sessions) as session_id, case_id, severity from cases),
worst as (
    select session_id, arg_max(severity, list_position($ranks, severity)) as severity from cases_of group by session_id
)
select
    traces.session_id, min(first_at) as first_at, sum(tool_calls)::bigint as tool_calls,
    any_value(severity) as severity
from stored_traces as traces
left join worst using (session_id)
where agent_id = $agent
group by traces.session_id
order by list_position($ranks, any_value(severity)) desc nulls last, first_at desc nulls last, traces.session_id
limit $rows
"""


@dataclass(frozen=True)
class Series:
    """The days of everything in which drift is looked for."""

    days: dict[str, list[Day]]


def agents() -> pl.DataFrame:
    """A row an agent: on how much its history rests, and what drifted."""
    return _agents(str(data()), generation())


def profile_of(agent: str) -> Profile | None:
    """What is normal for the agent; None where nothing was counted of it."""
    return _profile(str(data()), generation(), agent)


def series_of(agent: str) -> Series:
    """What is looked at day by day."""
    return _series(str(data()), generation(), agent)


def against_of(agent: str, session_id: str) -> Against | None:
    """The agent's part in the session beside the days before it."""
    return _against(str(data()), generation(), agent, session_id)


def sessions_of(agent: str, ranks: list[str]) -> pl.DataFrame:
    """The agent's sessions: those of cases first, the worst first, then the newest."""
    return ask(connection(), _SESSIONS, agent=agent, ranks=ranks, rows=SESSIONS_OFFERED)


@lru_cache(maxsize=CONNECTIONS)
def _agents(where: str, number: int) -> pl.DataFrame:
    with _asking:
        return profiles(connection_of(where, number).cursor(), _classes())


@lru_cache(maxsize=32)
def _profile(where: str, number: int, agent: str) -> Profile | None:
    own = _own(where, number, agent)
    return None if own.is_empty() else profile_from(agent, own, _fleet(where, number), _classes())


@lru_cache(maxsize=32)
def _series(where: str, number: int, agent: str) -> Series:
    counts = _own(where, number, agent)
    return Series(shares_by_day(counts) | means_by_day(counts))


@lru_cache(maxsize=32)
def _against(where: str, number: int, agent: str, session_id: str) -> Against | None:
    own = _own(where, number, agent)
    with _asking:
        return against(connection_of(where, number).cursor(), agent, session_id, _classes(), own)


@lru_cache(maxsize=2)
def _own(where: str, number: int, agent: str) -> pl.DataFrame:
    """What was learnt of one agent, for all of its page."""
    with _asking:
        aspects = sorted({*OWN, *AGAINST})
        return learnt(connection_of(where, number).cursor(), _classes(), agents=[agent], aspects=aspects)


@lru_cache(maxsize=1)
def _fleet(where: str, number: int) -> pl.DataFrame:
    """What was learnt of every agent, for the peers of each."""
    with _asking:
        return learnt(connection_of(where, number).cursor(), _classes(), aspects=list(FLEET))


@cache
def _classes() -> Capabilities:
    return Capabilities.load()
