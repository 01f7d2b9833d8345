"""Who acted as whom on what in the sessions of a case: one edge for each agent, identity and target."""

from __future__ import annotations

from typing import Final

import polars as pl

from dashboard.queries import connection
from ingest.database import ask

_EDGES: Final = """
with wanted as (select path, sessions from cases where case_id = $case_id order by case_id limit 1),
steps as (
    select
        event_id, session_id, agent_id, target, ordered_at, trace_id, sequence, depth, kind_rank,
        coalesce(principal, credential_id, agent_id) as actor, coalesce(tool, operation) as tool,
        list_position((select path from wanted), event_id) as place
    from events
    where kind in ('tool_call', 'handoff') and target is not null
        and session_id in (select unnest(sessions) from wanted)
),
edges as (
    select
        agent_id, actor, target, count(*) as steps, count(place) as on_path, min(place) as place,
        list(distinct tool order by tool) as tools, min(ordered_at) as first_at,
        arg_min(
            {'event_id': event_id, 'session_id': session_id},
            (place is null, place, ordered_at is null, ordered_at, trace_id, sequence, depth, kind_rank, event_id)
        ) as look
    from steps
    group by agent_id, actor, target
)
select
    edges.* exclude (look), look.event_id as event_id, look.session_id as session_id,
    not exists (
        select 1 from counts
        where counts.agent_id = edges.agent_id and aspect = 'target' and value = edges.target
            and (first_at is null or day is null or day < first_at::date)
    ) as is_new
from edges
order by first_at nulls first, place nulls last, agent_id, actor, target
"""


def edges_of(case_id: str) -> pl.DataFrame:
    """The edges of a case's sessions in the order in which they were first used.

    `place` is where the edge first stands on the case's path (null: not on it), `is_new` whether no day before it
    counted this target for the agent, `event_id` the step to look at: on the path where there is one, else the first.
    """
    return ask(connection(), _EDGES, case_id=case_id)
