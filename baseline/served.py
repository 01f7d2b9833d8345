"""What sessions added to the counts that judgements ask for, to be taken off again: nothing is learnt from a case.

A run asks once a day for the sessions of that day's cases. What counting needs of the whole store, without payloads,
is therefore copied into a table in memory first, and each question looks there.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import duckdb

from baseline.count import counts_of
from baseline.history import CountRow
from ingest.database import ask

_COUNTED: Final = """
create or replace temp table counted as
select
    trace_id, session_id, event_id, ordered_at, sequence, depth, kind_rank, kind,
    coalesce(agent_id, '') as agent_id,
    coalesce(agent_version, '') as agent_version,
    tool, principal, credential_id, source_host, target, approval, status,
    coalesce(capability, '') as capability
from stored_events
left join classed using (tool)
where witness_of is null and kind in ('tool_call', 'approval', 'handoff', 'message', 'lifecycle')
"""

_CHOSEN: Final = "from counted where session_id in (select unnest($sessions::varchar[]))"

_ROW: Final = ("day", "agent_id", "agent_version", "aspect", "context", "value", "steps", "sessions")


class ServedCounts:
    """The counts of sessions, on a connection that has the table `classed`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._is_copied = False

    def of(self, sessions: Collection[str]) -> list[CountRow]:
        """The rows of `counts` that these sessions make, of the aspects in `baseline.history.SERVED`."""
        if not self._is_copied:
            self._connection.execute(_COUNTED)
            self._is_copied = True
        steps = ask(self._connection, _CHOSEN, sessions=sorted(sessions))
        return counts_of(steps, only_served=True).select(_ROW).sort(_ROW[1:6]).rows()
