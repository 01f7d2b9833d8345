"""Every question that a page asks, and the connection that answers it."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import duckdb
import polars as pl

from dashboard.words import SEVERITIES
from ingest.database import ask, open_published
from ingest.published import published

DATA: Final = "CUSTODIET_DATA"
SESSIONS_SHOWN: Final = 500
ROWS_SHOWN: Final = 1_000

Record = dict[str, Any]
"""A row by its column names, as polars gives it."""


def data() -> Path:
    """The data directory that `custodiet dashboard` was started with."""
    return Path(os.environ.get(DATA, "data"))


def generation() -> int:
    """The number of the state that is published now."""
    return published(data()).generation


CONNECTIONS: Final = 3
"""Published states that are kept open: a page that was loaded before the last run goes on with its own."""

_open: OrderedDict[tuple[str, int], duckdb.DuckDBPyConnection] = OrderedDict()
_opening: Final = threading.Lock()


def connection_of(where: str, generation: int) -> duckdb.DuckDBPyConnection:
    """The connection over one published state. It is for all threads: ask through a cursor of your own."""
    with _opening:
        found = _open.get((where, generation))
        if found is None:
            found = _open[where, generation] = open_published(Path(where))
            while len(_open) > CONNECTIONS:
                _open.popitem(last=False)
        _open.move_to_end((where, generation))
        return found


def is_open(generation: int) -> bool:
    """Whether an earlier published state can still be asked."""
    return (str(data()), generation) in _open


def connection() -> duckdb.DuckDBPyConnection:
    """A cursor over what is published now; a later run's state appears with the next question."""
    return connection_of(str(data()), generation()).cursor()


_TOTALS = """
select
    (select count(distinct session_id) from stored_traces) as sessions,
    (select count(distinct agent_id) from stored_traces) as agents,
    (select coalesce(sum(steps), 0)::bigint from stored_traces) as steps,
    (select count(*) from cases) as cases,
    (select count(*) from findings) as findings,
    (select count(*) from files) as files
"""


def totals() -> Record:
    """How much there is of everything; counted once for each published state."""
    return dict(_totals(str(data()), generation()))


@lru_cache(maxsize=CONNECTIONS)
def _totals(where: str, generation: int) -> Record:
    return ask(connection_of(where, generation).cursor(), _TOTALS).row(0, named=True)


_CASES = """
select
    case_id, severity, title, why, agents, anomaly, impact, findings, len(path) as steps, first_at, last_at, session_id,
    event_id
from cases
where list_position($ranks, severity) >= list_position($ranks, $at_least)
  and ($agent = '' or len(list_filter(agents, lambda a: contains(lower(a), lower($agent)))) > 0)
order by
    list_position($ranks, severity) desc, anomaly * impact desc nulls last, last_at desc nulls last, case_id
"""


def cases(at_least: str = "info", agent: str = "") -> pl.DataFrame:
    """The cases of this severity or above with such an agent, the worst first."""
    return ask(connection(), _CASES, ranks=list(SEVERITIES), at_least=at_least, agent=agent.strip())


_CASE = "select * from cases where case_id = $case_id order by case_id limit 1"


def case(case_id: str) -> Record | None:
    """One case; None where there is none of this id."""
    return _first(ask(connection(), _CASE, case_id=case_id))


_PATH = """
with path as (
    select unnest(path) as event_id, generate_subscripts(path, 1) as place from cases where case_id = $case_id
),
steps as (
    select
        event_id, session_id, agent_id, kind, operation, tool, target, principal, credential_id, approval, approver,
        status, source, started_at, ordered_at,
        row_number() over (
            partition by session_id
            order by ordered_at nulls first, trace_id, sequence nulls first, depth, kind_rank, event_id
        ) as step
    from events
    where session_id in (select unnest(sessions) from cases where case_id = $case_id)
)
select
    path.place, steps.* exclude (event_id), event_id,
    event_id in (select event_id from findings where case_id = $case_id) as is_finding
from path
left join steps using (event_id)
order by path.place
"""


def path(case_id: str) -> pl.DataFrame:
    """The steps that prove the case, in causal order, with their number in their session."""
    return ask(connection(), _PATH, case_id=case_id)


_FINDINGS = """
select * from findings where case_id = $case_id
order by happened_at nulls last, detector, finding_id
"""


def findings(case_id: str) -> pl.DataFrame:
    """What the detectors said in this case, in the order it happened."""
    return ask(connection(), _FINDINGS, case_id=case_id)


_SESSIONS = """
select
    session_id, agent_id, agents, steps, tool_calls, errors, input_tokens, output_tokens, first_at, last_at,
    count(*) over () as matching
from sessions
where $agent = '' or len(list_filter(agents, lambda a: contains(lower(a), lower($agent)))) > 0
order by first_at desc nulls last, session_id
limit $rows
"""


def sessions(agent: str = "", rows: int = SESSIONS_SHOWN) -> pl.DataFrame:
    """The newest sessions with such an agent; `matching` is how many there are in all."""
    return ask(connection(), _SESSIONS, agent=agent.strip(), rows=rows)


_SESSION_OF = "select session_id from events where event_id = $event_id order by session_id limit 1"


def session_of(event_id: str) -> str | None:
    """The session in which this step stands."""
    found = _first(ask(connection(), _SESSION_OF, event_id=event_id))
    return None if found is None else str(found["session_id"])


_FILES = """
select path, reader, records, events, folded, rejected, duplicates, size_bytes, sha256
from files
order by path, sha256
"""
_REJECTED = "select path, line, reason from rejected order by path, line, reason, sha256 limit $rows"
_UNMATCHED = """
select tool, agent_id, steps, classed_as, shown_by
from unmatched
order by steps desc, tool, agent_id
limit $rows
"""
_FAILED = "select plugin, reason from failed order by plugin, reason"
_COULD_FIRE = """
select
    detector,
    count(distinct agent_id) as agents,
    coalesce(sum(steps), 0)::bigint as steps,
    coalesce(sum(could_judge), 0)::bigint as could_judge,
    coalesce(
        string_agg(agent_id || ': ' || missing, '; ' order by agent_id) filter (where missing <> ''), ''
    ) as missing
from could_fire
group by detector
order by coalesce(sum(could_judge), 0) / greatest(coalesce(sum(steps), 0), 1), detector
"""


def files_read() -> pl.DataFrame:
    """Every file, with what became of its records."""
    return ask(connection(), _FILES)


def rejected() -> pl.DataFrame:
    """The records that could not be read."""
    return ask(connection(), _REJECTED, rows=ROWS_SHOWN)


def unmatched() -> pl.DataFrame:
    """Tools that the capability table does not know, the most used first."""
    return ask(connection(), _UNMATCHED, rows=ROWS_SHOWN)


def could_fire() -> pl.DataFrame:
    """Per detector: how many privileged steps it could judge; the blindest first."""
    return ask(connection(), _COULD_FIRE)


def failed() -> pl.DataFrame:
    """The plug-ins that broke in the last run."""
    return ask(connection(), _FAILED)


def _first(found: pl.DataFrame) -> Record | None:
    return found.row(0, named=True) if found.height else None
