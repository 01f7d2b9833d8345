"""What the Agent page asks: the profile, the days of its series, and one session held against it.

The baseline's own functions make a table of classes on their connection, so each call gets one of its own; answers are
kept for the published state that they were made of.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import polars as pl

from baseline.against import Against, against
from baseline.capability import Capabilities
from baseline.drift import ASPECTS, means_by_day, shares_by_day
from baseline.learnt import learnt
from baseline.models.drift import Day
from baseline.profile import profile
from baseline.profile_parts import Profile
from baseline.profiles import profiles
from dashboard.queries import connection, data, generation
from ingest.database import ask, open_published

SESSIONS_OFFERED: Final = 40

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


@lru_cache(maxsize=2)
def _agents(where: str, number: int) -> pl.DataFrame:
    return profiles(open_published(Path(where)))


@lru_cache(maxsize=32)
def _profile(where: str, number: int, agent: str) -> Profile | None:
    return profile(open_published(Path(where)), agent)


@lru_cache(maxsize=32)
def _series(where: str, number: int, agent: str) -> Series:
    counts = learnt(open_published(Path(where)), Capabilities.load(), agents=[agent], aspects=list(ASPECTS))
    return Series(shares_by_day(counts) | means_by_day(counts))


@lru_cache(maxsize=32)
def _against(where: str, number: int, agent: str, session_id: str) -> Against | None:
    return against(open_published(Path(where)), agent, session_id)
