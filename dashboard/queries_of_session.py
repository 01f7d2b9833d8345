"""What the replay asks: one session's steps without their payloads, and the payloads of a few steps.

The index of traces names the files that hold a session, so that a store of any size costs what the session costs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import duckdb
import polars as pl

from dashboard.queries import Record
from dashboard.sought import forms_of
from ingest.database import ask

_STORED: Final = "read_parquet($files, union_by_name = true, filename = true, file_row_number = true)"

_SEGMENTS: Final = "select distinct segment from stored_traces where session_id = $session_id order by segment"


def files_of(connection: duckdb.DuckDBPyConnection, data: Path, session_id: str) -> list[str]:
    """The files that hold steps of the session."""
    segments = ask(connection, _SEGMENTS, session_id=session_id)["segment"]
    return [str((data / segment).resolve()) for segment in segments]


_STEPS: Final = f"""
select
    row_number() over (order by ordered_at nulls first, trace_id, sequence nulls first, depth, kind_rank, event_id)
        as step,
    event_id, parent_event_id, trace_id, agent_id, kind, operation, tool, status, principal, credential_id,
    source_host, target, approval, approver, ordered_at, witnesses,
    disagreement is not null or gap is not null as is_doubtful,
    list_position($files, filename) as file, file_row_number as row
from {_STORED}
where session_id = $session_id and witness_of is null
order by step
"""  # noqa: S608 - the only text formatted in is a constant of this module


def steps_of(connection: duckdb.DuckDBPyConnection, files: list[str], session_id: str) -> pl.DataFrame:
    """The session's steps in their total order, numbered from 1, with the place of each on disk."""
    return ask(connection, _STEPS, files=files, session_id=session_id)


_WHOLE: Final = f"""
select
    event_id, agent_version, service, started_at, ended_at, error, model, on_behalf_of, input_tokens, output_tokens,
    gap, source, source_sha256, witness, disagreement, sequence, depth,
    left(arguments, $most) as arguments, length(arguments) as arguments_characters,
    left(result, $most) as result, length(result) as result_characters
from {_STORED}
where file_row_number in (select unnest($rows::bigint[])) and event_id in (select unnest($events::varchar[]))
"""  # noqa: S608


def whole(connection: duckdb.DuckDBPyConnection, files: list[str], steps: pl.DataFrame, most: int) -> dict[str, Record]:
    """What `steps_of` leaves out, by event id; of arguments and result the first `most` characters."""
    if not steps.height:
        return {}
    names = [files[place - 1] for place in sorted(set(steps["file"]))]
    found = ask(
        connection, _WHOLE, files=names, rows=steps["row"].to_list(), events=steps["event_id"].to_list(), most=most
    )
    return {row["event_id"]: row for row in found.to_dicts()}


_WITNESSES: Final = f"""
select witness_of as event_id, witness, operation, status, source, source_sha256
from {_STORED}
where session_id = $session_id and witness_of in (select unnest($events::varchar[]))
order by event_id, source, source_sha256, witness, operation
"""  # noqa: S608


def witnesses_of(
    connection: duckdb.DuckDBPyConnection, files: list[str], session_id: str, events: list[str]
) -> dict[str, list[Record]]:
    """The other records that tell of these steps, by event id."""
    if not events:
        return {}
    found: dict[str, list[Record]] = {}
    for row in ask(connection, _WITNESSES, files=files, session_id=session_id, events=events).to_dicts():
        found.setdefault(row["event_id"], []).append(row)
    return found


_RESULTS: Final = f"""
select event_id, result
from {_STORED}
where session_id = $session_id and witness_of is null and tool in (select unnest($tools::varchar[]))
    and result is not null and length(result) <= 65536
order by event_id
"""  # noqa: S608


def results_of(
    connection: duckdb.DuckDBPyConnection, files: list[str], session_id: str, tools: list[str]
) -> pl.DataFrame:
    """What the calls of these tools gave back, where it is short enough to be an answer and not a dump."""
    return ask(connection, _RESULTS, files=files, session_id=session_id, tools=tools)


_TOLD: Final = """
    lower(concat_ws(chr(31), tool, target, agent_id, operation, principal, credential_id, error, arguments, result))
"""

_MATCHING: Final = f"""
select event_id
from {_STORED}
where session_id = $session_id and witness_of is null and (
    contains({_TOLD}, $text) or ($written <> '' and regexp_matches({_TOLD}, $written))
)
order by event_id
"""  # noqa: S608


def matching(connection: duckdb.DuckDBPyConnection, files: list[str], session_id: str, text: str) -> list[str]:
    """The steps that hold this text anywhere, by event id."""
    plain, written = forms_of(text)
    found = ask(connection, _MATCHING, files=files, session_id=session_id, text=plain, written=written)
    return list(found["event_id"])


_FINDINGS: Final = """
select findings.*, cases.severity, cases.title as case_title
from findings
left join cases using (case_id)
where findings.session_id = $session_id
   or case_id in (select case_id from cases where list_contains(sessions, $session_id))
order by happened_at nulls last, detector, finding_id
"""


def findings_of(connection: duckdb.DuckDBPyConnection, session_id: str) -> pl.DataFrame:
    """The findings about this session, and those of the cases that it is part of."""
    return ask(connection, _FINDINGS, session_id=session_id)


_QUEUE: Final = """
select case_id, session_id, event_id
from cases
order by
    list_position($ranks, severity) desc, anomaly * impact desc nulls last, last_at desc nulls last, case_id
"""


def queue(connection: duckdb.DuckDBPyConnection, ranks: list[str]) -> list[Record]:
    """Every case with the step to look at first, in the order of the Cases page."""
    return ask(connection, _QUEUE, ranks=ranks).to_dicts()


_RAW: Final = f"""
select * exclude (filename, file_row_number)
from {_STORED}
where file_row_number = $row and event_id = $event_id
limit 1
"""  # noqa: S608


def raw(connection: duckdb.DuckDBPyConnection, files: list[str], step: Record) -> Record:
    """Every stored column of one step, as it is stored."""
    found = ask(connection, _RAW, files=[files[step["file"] - 1]], row=step["row"], event_id=step["event_id"])
    return found.row(0, named=True)
