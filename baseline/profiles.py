"""What is normal for each agent, in a few numbers: the counts added up, for people and for `--json`."""

from __future__ import annotations

from typing import Final

import duckdb
import polars as pl

from baseline.history import LEAST_SESSIONS
from ingest.database import ask

_PROFILES: Final = """
select
    agent_id,
    coalesce(sum(sessions) filter (aspect = 'session'), 0)::bigint as sessions,
    coalesce(sum(steps) filter (aspect = 'session'), 0)::bigint as tool_calls,
    count(distinct value) filter (aspect = 'version' and value <> '') as versions,
    count(distinct value) filter (aspect = 'tool') as tools,
    count(distinct (context, value)) filter (aspect = 'transition') as transitions,
    count(distinct value) filter (aspect = 'target') as targets,
    count(distinct value) filter (aspect = 'principal') as principals,
    count(distinct value) filter (aspect = 'credential') as credentials,
    min(day) as first_day,
    max(day) as last_day,
    coalesce(sum(sessions) filter (aspect = 'session'), 0) >= $least as is_enough
from counts
group by agent_id
order by agent_id
"""


def profiles(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """A row an agent; `is_enough` is False where the history carries no judgement yet."""
    return ask(connection, _PROFILES, least=LEAST_SESSIONS)
