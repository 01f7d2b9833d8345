"""What may be learnt from: the counts, without the sessions that a case or a low score made suspicious.

A session is taken off until a person has called every case of it benign; who feeds an agent a little every day is then
never part of what is normal for it. What a person called true is never learnt, whatever became of its case.
"""

from __future__ import annotations

from typing import Final

import duckdb
import polars as pl

from baseline.capability import Capabilities
from baseline.fold import classify_tools, counts_of_sessions
from ingest.database import ask

_COUNTS: Final = """
select day, agent_id, agent_version, aspect, context, value,
    sum(steps)::bigint as steps, sum(sessions)::bigint as sessions
from counts
where (agent_id = any($agents) or $every) and (aspect = any($aspects) or $all_aspects)
group by all
order by all
"""

_PINNED: Final = """
select day, agent_id, agent_version, aspect, context, value, steps, sessions
from pinned
where pin = $pin and (agent_id = any($agents) or $every) and (aspect = any($aspects) or $all_aspects)
order by all
"""

_SUSPICIOUS: Final = """
(
    select unnest(sessions) as session_id
    from cases
    except
    select session_id
    from reviewed
    where is_benign
)
union
select session_id
from reviewed
where not is_benign
order by session_id
"""


_WITH_AGENTS: Final = """
select distinct session_id
from stored_traces
where session_id in (select unnest($sessions::varchar[])) and agent_id in (select unnest($agents::varchar[]))
order by session_id
"""

_NUMBERS: Final = ("steps", "sessions")


def suspicious_sessions(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The sessions of every case that no person reviewed, and those that a person called an attack."""
    return ask(connection, _SUSPICIOUS).get_column("session_id").to_list()


def learnt(
    connection: duckdb.DuckDBPyConnection,
    capabilities: Capabilities,
    *,
    agents: list[str] | None = None,
    aspects: list[str] | None = None,
    pin: str | None = None,
) -> pl.DataFrame:
    """The counts by day, agent and version of these agents and aspects (all where none are named), or of a pin.

    A pin holds what was learnt when it was made.
    """
    chosen = {
        "agents": agents or [],
        "every": agents is None,
        "aspects": aspects or [],
        "all_aspects": aspects is None,
    }
    if pin is not None:
        return ask(connection, _PINNED, pin=pin, **chosen)
    counts = ask(connection, _COUNTS, **chosen)
    sessions = suspicious_sessions(connection)
    if not sessions:
        return counts
    if agents is not None:
        sessions = ask(connection, _WITH_AGENTS, sessions=sessions, agents=agents)["session_id"].to_list()
    if not sessions:
        return counts.sort(pl.exclude(_NUMBERS))
    classify_tools(connection, capabilities)
    off = counts_of_sessions(connection, sessions, aspects).drop("session_id")
    if agents is not None:
        off = off.filter(pl.col("agent_id").is_in(agents))
    both = pl.concat([counts, off.with_columns(-pl.col(number) for number in _NUMBERS)])
    left = both.group_by(pl.exclude(_NUMBERS)).agg(pl.col(_NUMBERS).sum())
    return left.filter(pl.col("steps") > 0).sort(pl.exclude(_NUMBERS))
