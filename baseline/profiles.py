"""What is normal for each agent, in a few numbers: the counts added up, for people and for `--json`."""

from __future__ import annotations

from typing import Final

import duckdb
import polars as pl

from baseline.capability import Capabilities
from baseline.drift import ASPECTS, drifts
from baseline.history import LEAST_SESSIONS
from baseline.learnt import learnt
from ingest.database import ask

_PROFILES: Final = """
with days as (
    select agent_id, min(day) as first_day, max(day) as last_day
    from counts
    group by agent_id
),

shown as (
    select
        agent_id, aspect, value, if(aspect = 'transition', context, '') as after,
        sum(steps)::bigint as steps, sum(sessions)::bigint as sessions
    from counts
    where aspect in ('session', 'version', 'tool', 'transition', 'target', 'principal', 'credential')
    group by all
)

select
    days.agent_id,
    coalesce(sum(sessions) filter (aspect = 'session'), 0)::bigint as sessions,
    coalesce(sum(steps) filter (aspect = 'session'), 0)::bigint as tool_calls,
    count(*) filter (aspect = 'version' and value <> '') as versions,
    count(*) filter (aspect = 'tool') as tools,
    count(*) filter (aspect = 'transition') as transitions,
    count(*) filter (aspect = 'target') as targets,
    count(*) filter (aspect = 'principal') as principals,
    count(*) filter (aspect = 'credential') as credentials,
    any_value(first_day) as first_day,
    any_value(last_day) as last_day,
    coalesce(sum(sessions) filter (aspect = 'session'), 0) >= $least as is_enough
from days
left join shown using (agent_id)
group by days.agent_id
order by days.agent_id
"""


def profiles(connection: duckdb.DuckDBPyConnection, capabilities: Capabilities | None = None) -> pl.DataFrame:
    """A row an agent; `is_enough` is False where the history carries no judgement yet, `drift` says what moved.

    `drift` is a list of texts: since when, and in what. Drift is a fact about the baseline, not an alert.
    """
    capabilities = capabilities or Capabilities.load()
    rows = ask(connection, _PROFILES, least=LEAST_SESSIONS)
    counts = learnt(connection, capabilities, aspects=list(ASPECTS))
    drifting = {
        str(agent): [f"since {d.since}: {d.what}" for d in drifts(of_agent)]
        for (agent,), of_agent in counts.partition_by("agent_id", as_dict=True).items()
    }
    texts = [drifting.get(agent, []) for agent in rows.get_column("agent_id")]
    return rows.with_columns(pl.Series("drift", texts, dtype=pl.List(pl.String)))
