"""One session, step by step, in its total order."""

from __future__ import annotations

from typing import Final

import duckdb
import polars as pl

from ingest.database import ask

_STEPS: Final = """
select
    row_number() over (order by ordered_at nulls first, trace_id, sequence nulls first, depth, kind_rank, event_id)
        as step,
    *
from events
where session_id = $session_id
order by step
"""


def replay(connection: duckdb.DuckDBPyConnection, session_id: str) -> pl.DataFrame:
    """The session's events, numbered from 1 in `step`; no rows where there is no such session."""
    return ask(connection, _STEPS, session_id=session_id)
