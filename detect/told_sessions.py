"""The sessions that scoring reads, from the store: which there are, and what some of them hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING, Final

import duckdb

from ingest.database import ask, ask_in_parts
from ingest.event import Observation

if TYPE_CHECKING:
    from baseline.scoring.sessions import Session

Key = tuple[str, str]
"""(session_id, agent_id)."""
_ROWS_AT_ONCE: Final = 50_000

_THERE: Final = """
select
    session_id, coalesce(agent_id, '') as agent_id, cast(min(ordered_at) as date) as day,
    md5(string_agg(
        md5(to_json(struct_pack(event_id, ordered_at, kind, operation, tool, arguments, result, status, error))),
        '' order by ordered_at nulls first, trace_id, sequence nulls first, depth, kind_rank, event_id
    )) as digest
from events
where kind in ('message', 'tool_call', 'handoff') and session_id is not null
group by all
having day is not null
order by day, session_id, agent_id
"""

_HELD: Final = """
select
    session_id, coalesce(agent_id, '') as agent_id,
    event_id, trace_id, kind, operation, tool, arguments, result, status, error
from events
where kind in ('message', 'tool_call', 'handoff') and session_id in (select unnest($sessions))
order by session_id, agent_id, ordered_at nulls first, trace_id, sequence nulls first, depth, kind_rank, event_id
"""


@dataclass(frozen=True)
class Told:
    """What one agent did in one session: its first day, and a digest of all that scoring reads of it."""

    session_id: str
    agent_id: str
    day: date
    digest: str

    @property
    def key(self) -> Key:
        return self.session_id, self.agent_id


def told_sessions(connection: duckdb.DuckDBPyConnection) -> list[Told]:
    """The sessions that have a time, by day, session and agent."""
    return [Told(*row) for row in ask(connection, _THERE).iter_rows()]


def each_held(connection: duckdb.DuckDBPyConnection, told: Iterable[Told]) -> Iterator[tuple[Key, Session]]:
    """What each of these sessions holds, one after the other by session and agent: they need not fit into memory."""
    from baseline.scoring.sessions import session_of

    wanted = {t.key for t in told}
    names = sorted({session for session, _ in wanted})
    parts = ask_in_parts(connection.cursor(), _HELD, _ROWS_AT_ONCE, sessions=names)
    rows = (row for part in parts for row in part.iter_rows())
    for (session_id, agent), of_session in groupby(rows, key=lambda row: (row[0], row[1])):
        if (session_id, agent) not in wanted:
            continue
        events = [
            Observation(
                event_id=row[2], trace_id=row[3], kind=row[4], operation=row[5], tool=row[6], arguments=row[7],
                result=row[8], status=row[9], error=row[10],
            )
            for row in of_session
        ]  # fmt: skip
        yield (session_id, agent), session_of(session_id, agent, events)
