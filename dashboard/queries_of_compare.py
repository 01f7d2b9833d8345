"""What the Compare page asks: the calls of a session, and those of the agent's sessions that nobody flagged."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import polars as pl

from dashboard.nearest import STEPS_COMPARED, Candidate
from dashboard.queries import connection, connection_of, data, generation
from detect.session_scores import MOST_OFFERED
from detect.verdicts import verdicts_now
from ingest.database import ask

CANDIDATES: Final = 1_000

_CALLS: Final = """
select event_id, agent_id, tool, target, principal, credential_id, status, approval, ordered_at
from events
where session_id = $session_id and kind = 'tool_call' and tool is not null
order by ordered_at nulls first, trace_id, sequence nulls first, depth, kind_rank, event_id
limit $rows
"""

_AGENT: Final = """
select agent_id
from events
where session_id = $session_id and kind = 'tool_call' and agent_id is not null
group by agent_id
order by max(event_id = $event_id) desc, count(*) desc, agent_id
limit 1
"""

_QUIET: Final = """
with flagged as (select unnest(sessions) as session_id from cases where not list_contains($benign, case_id)),
odd as (select session_id from session_scores where p <= $most),
quiet as (
    select session_id, max(last_at) as last_at
    from stored_traces
    where agent_id = $agent and tool_calls > 0 and session_id <> $session_id
        and session_id not in (select session_id from flagged where session_id is not null)
        and session_id not in (select session_id from odd where session_id is not null)
    group by session_id
    order by last_at desc nulls last, session_id
    limit $rows
)
select
    quiet.session_id,
    list(tool order by ordered_at nulls first, trace_id, sequence nulls first, depth, kind_rank, event_id) as tools
from quiet
join events using (session_id)
where agent_id = $agent and kind = 'tool_call' and tool is not null
group by quiet.session_id
order by quiet.session_id
"""


def calls_of(session_id: str) -> pl.DataFrame:
    """The first calls of a session, in its order."""
    return ask(connection(), _CALLS, session_id=session_id, rows=STEPS_COMPARED)


def agent_of(session_id: str, event_id: str = "") -> str | None:
    """The agent of this step of the session, else the one of most of its calls."""
    found = ask(connection(), _AGENT, session_id=session_id, event_id=event_id)
    return str(found["agent_id"][0]) if found.height else None


_NEAREST: Final = """
select nearest
from session_scores
where session_id = $session_id and agent_id = $agent and nearest is not null
order by nearest
limit 1
"""


def nearest_by_score(agent: str, session_id: str) -> str | None:
    """The benign session that the session's score calls the most like it; None where it was not scored, or not low."""
    found = ask(connection(), _NEAREST, agent=agent, session_id=session_id)
    return str(found["nearest"][0]) if found.height else None


def quiet_sessions(agent: str, session_id: str) -> list[Candidate]:
    """The agent's latest sessions that are in no case (or in such that people called benign) and score no low p."""
    said = verdicts_now(data())
    benign = tuple(sorted(c for c, v in said.items() if v.verdict in ("false_positive", "benign_expected")))
    return list(_quiet(str(data()), generation(), agent, session_id, benign))


@lru_cache(maxsize=16)
def _quiet(where: str, number: int, agent: str, session_id: str, benign: tuple[str, ...]) -> tuple[Candidate, ...]:
    found = ask(
        connection_of(where, number).cursor(), _QUIET,
        agent=agent, session_id=session_id, benign=list(benign), most=MOST_OFFERED, rows=CANDIDATES,
    )  # fmt: skip
    return tuple(
        Candidate(id, tuple(tools[:STEPS_COMPARED])) for id, tools in found.select("session_id", "tools").iter_rows()
    )
