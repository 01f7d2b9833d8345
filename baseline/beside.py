"""The baseline beside each step of one session: how often the agent and its peers did this before that day."""

from __future__ import annotations

from typing import Final

import duckdb
import polars as pl

from baseline.capability import Capabilities
from baseline.history import LEAST_SESSIONS
from ingest.database import ask

_BESIDE: Final = """
with steps as (
    select
        event_id, agent_id, tool, ordered_at, trace_id, sequence, depth, kind_rank,
        cast(min(ordered_at) over (partition by trace_id) as date) as day,
        lag(tool, 1, '') over (
            partition by trace_id, agent_id
            order by ordered_at nulls first, sequence nulls first, depth, kind_rank, event_id
        ) as previous_tool
    from events
    where session_id = $session_id and kind = 'tool_call' and tool is not null
),

asked as (select distinct coalesce(agent_id, '') as agent_id, tool, previous_tool, day from steps),

answered as (
    select
        asked.agent_id, asked.tool, asked.previous_tool, asked.day,
        sum(counts.sessions) filter (aspect = 'tool' and value = tool and is_mine) as sessions_seen,
        sum(counts.sessions) filter (aspect = 'session' and is_mine) as sessions_total,
        sum(counts.sessions) filter (aspect = 'tool' and value = tool and not is_mine) as peers_seen,
        sum(counts.sessions) filter (aspect = 'session' and not is_mine) as peers_total,
        sum(counts.steps) filter (
            aspect = 'transition' and context = previous_tool and value = tool and is_mine
        ) as after_seen,
        sum(counts.steps) filter (aspect = 'transition' and context = previous_tool and is_mine) as after_total
    from asked
    join (
        select day, agent_id, aspect, context, value, sum(sessions) as sessions, sum(steps) as steps
        from counts
        where aspect in ('tool', 'session', 'transition')
        group by all
    ) as counts on counts.day is null or asked.day is null or counts.day < asked.day,
    lateral (select counts.agent_id = asked.agent_id as is_mine)
    group by all
)

select
    event_id, steps.tool, steps.previous_tool,
    coalesce(sessions_seen, 0)::bigint as sessions_seen,
    coalesce(sessions_total, 0)::bigint as sessions_total,
    coalesce(peers_seen, 0)::bigint as peers_seen,
    coalesce(peers_total, 0)::bigint as peers_total,
    coalesce(after_seen, 0)::bigint as after_seen,
    coalesce(after_total, 0)::bigint as after_total,
    coalesce(sessions_total, 0) >= $least as enough
from steps
left join answered
    on answered.agent_id = coalesce(steps.agent_id, '')
    and answered.tool = steps.tool
    and answered.previous_tool = steps.previous_tool
    and answered.day is not distinct from steps.day
order by ordered_at nulls first, trace_id, sequence nulls first, depth, kind_rank, event_id
"""


def beside(
    connection: duckdb.DuckDBPyConnection, session_id: str, capabilities: Capabilities | None = None
) -> pl.DataFrame:
    """One row a tool call: `sessions_seen` of `sessions_total` sessions of this agent used the tool before
    that day, `peers_seen` of `peers_total` those of the others; `after_seen` of the `after_total` times that
    `previous_tool` occurred, this tool came next; `enough` says whether the history carries a judgement;
    `capability` is the tool's class or null.
    """
    capabilities = capabilities or Capabilities.load()
    rows = ask(connection, _BESIDE, session_id=session_id, least=LEAST_SESSIONS)
    classed = [capabilities.classify(tool).capability for tool in rows.get_column("tool")]
    return rows.with_columns(pl.Series("capability", classed, dtype=pl.String))
