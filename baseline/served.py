"""What sessions added to the counts that judgements ask for, to be taken off again: nothing is learnt from a case.

A run over many days asks once a day for the sessions of that day's cases. What counting needs of the whole store,
without payloads, is therefore copied into a table in memory, where the later questions look.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Final

import duckdb

from baseline.count import counts_of
from baseline.history import SERVED, CountRow
from ingest.database import ask

_COPIED_AFTER: Final = 2
"""Questions: a run that continues asks of the days before it and of its own day, and needs no copy."""

_COUNTED: Final = """
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

_COPY: Final = f"create or replace temp table counted as {_COUNTED}"

_FROM_STORE: Final = f"from ({_COUNTED}) where session_id in (select unnest($sessions::varchar[]))"

_FROM_COPY: Final = "from counted where session_id in (select unnest($sessions::varchar[]))"

_AT_WORK: Final = """
select distinct session_id
from stored_events
where session_id in (select unnest($sessions::varchar[])) and cast(ordered_at as date) > $after
order by session_id
"""

_ROW: Final = ("day", "agent_id", "agent_version", "aspect", "context", "value", "steps", "sessions")


class ServedCounts:
    """The counts of sessions, on a connection that has the table `classed`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._asked = 0

    def of(self, sessions: Collection[str]) -> list[CountRow]:
        """The rows of `counts` that these sessions make, of the aspects in `baseline.history.SERVED`."""
        if self._asked == _COPIED_AFTER:
            self._connection.execute(_COPY)
        question = _FROM_STORE if self._asked < _COPIED_AFTER else _FROM_COPY
        self._asked += 1
        steps = ask(self._connection, question, sessions=sorted(sessions))
        return counts_of(steps, aspects=SERVED).select(_ROW).sort(_ROW[1:6]).rows()

    def still_at_work(self, sessions: Collection[str], after: date) -> set[str]:
        """Those of the sessions that did something after that day."""
        rows = ask(self._connection, _AT_WORK, sessions=sorted(sessions), after=after)
        return set(rows.get_column("session_id"))
