"""Every question that a page asks, and the connection that answers it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import polars as pl
import streamlit as st

from baseline.beside import beside
from dashboard.words import SEVERITIES
from ingest.database import ask, open_published
from ingest.published import published
from ingest.replay import replay

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


@st.cache_resource(max_entries=4, show_spinner=False)
def _connection(where: str, generation: int) -> duckdb.DuckDBPyConnection:
    return open_published(Path(where))


def connection() -> duckdb.DuckDBPyConnection:
    """A cursor over what is published now; a later run's state appears with the next question."""
    return _connection(str(data()), generation()).cursor()


_TOTALS = """
select
    (select count(*) from sessions) as sessions,
    (select count(distinct agent_id) from stored_traces) as agents,
    (select coalesce(sum(steps), 0)::bigint from sessions) as steps,
    (select count(*) from cases) as cases,
    (select count(*) from findings) as findings,
    (select count(*) from files) as files
"""


def totals() -> Record:
    """How much there is of everything."""
    return ask(connection(), _TOTALS).row(0, named=True)


_CASES = """
select case_id, severity, title, why, agents, anomaly, impact, findings, len(path) as steps, first_at, last_at
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
numbered as (
    select
        event_id,
        row_number() over (
            partition by session_id
            order by ordered_at nulls first, trace_id, sequence nulls first, depth, kind_rank, event_id
        ) as step
    from events
    where session_id in (select session_id from events where event_id in (select event_id from path))
)
select
    path.place, numbered.step, event_id, session_id, agent_id, kind, operation, tool, target, principal,
    credential_id, approval, approver, status, source, started_at, ordered_at,
    event_id in (select event_id from findings where case_id = $case_id) as is_finding
from path
left join events using (event_id)
left join numbered using (event_id)
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


@dataclass(frozen=True)
class Session:
    """One session for replay: its steps in their total order, and what is said of them."""

    steps: pl.DataFrame
    findings: pl.DataFrame
    beside: pl.DataFrame

    def flagged(self) -> list[int]:
        """The numbers of the steps that a finding points at, ascending."""
        proven = {event for events in self.findings["event_ids"] for event in events}
        return self.steps.filter(pl.col("event_id").is_in(sorted(proven)))["step"].to_list()


_FINDINGS_OF_SESSION = """
select findings.*, cases.severity, cases.title as case_title
from findings
left join cases using (case_id)
where list_has_any(findings.event_ids, (select list(event_id) from events where session_id = $session_id))
order by happened_at nulls last, detector, finding_id
"""


@st.cache_resource(max_entries=8, show_spinner=False)
def _session(where: str, generation: int, session_id: str) -> Session:
    cursor = _connection(where, generation).cursor()
    return Session(
        replay(cursor, session_id),
        ask(cursor, _FINDINGS_OF_SESSION, session_id=session_id),
        beside(cursor, session_id),
    )


def session(session_id: str) -> Session | None:
    """The session, read once per published state; None where there is no such session."""
    found = _session(str(data()), generation(), session_id)
    return found if found.steps.height else None


_APPROVALS_OF = """
select source, started_at, operation, approver, approval
from events
where session_id = $session_id and kind = 'approval'
  and (parent_event_id = $event_id or event_id = $parent)
order by started_at nulls last, event_id
limit 3
"""


def approvals_of(step: Record) -> pl.DataFrame:
    """The approval steps that stand directly above or below this one."""
    return ask(
        connection(), _APPROVALS_OF,
        session_id=step["session_id"], event_id=step["event_id"], parent=step["parent_event_id"] or "",
    )  # fmt: skip


_WITNESSES = """
select witness, operation, status, source, source_sha256
from witnesses
where event_id = $event_id
order by source, source_sha256, witness, operation
"""


def witnesses(event_id: str) -> pl.DataFrame:
    """The other records that tell of this step."""
    return ask(connection(), _WITNESSES, event_id=event_id)


_FILES = """
select path, reader, records, events, folded, rejected, duplicates, size_bytes, sha256
from files
order by path, sha256
"""
_REJECTED = "select path, line, reason from rejected order by path, line, reason, sha256 limit $rows"
_UNMATCHED = "select tool, agent_id, steps from unmatched order by steps desc, tool, agent_id limit $rows"
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
