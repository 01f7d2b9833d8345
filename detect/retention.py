"""Retention: what is older than so many days leaves, and nothing that stays is judged differently for it.

Sessions leave whole, with all that hangs together with them by a trace, a shared id or a case. Their counts stay, as
baselines are counts; of their findings stays how often which detector spoke. The days that were judged stay judged.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from baseline.capability import Capabilities
from baseline.fold import fold
from baseline.kept import keep_counts, leave_out
from detect.continuing import day_file, held_by
from detect.evidence_kept import sessions_in_evidence
from detect.forgetting import forgotten, is_forgotten, touches
from detect.run import found_in, written
from ingest.database import ask, open_published, write_for_people
from ingest.listen.old import drop_old_files
from ingest.published import Edition, editing
from ingest.retention import drop_sessions, expired_sessions
from ingest.rows import table_of
from ingest.tables import JUDGED, MEMORIES, SEEN_SEGMENTS, TABLES

_OF_CASES: Final = "select case_id, sessions from cases order by case_id"
_FLAGGED: Final = "select distinct unnest(flagged) as session_id from judged"
_OLD_MEMORIES: Final = "select day from memories where day is not null and day < $before order by day"


@dataclass(frozen=True)
class Retained:
    """What a retention did."""

    before: date
    """Sessions that ended before this day were dropped."""
    sessions: int = 0
    events: int = 0
    cases: int = 0
    kept_as_evidence: int = 0
    segments: int = 0
    """How many segments of events were rewritten or dropped."""
    spool_files: int = 0
    """How many files of the receiver's spool were removed."""
    dropped: frozenset[str] = frozenset()
    """The sessions themselves."""

    def as_dict(self) -> dict[str, object]:
        """What is told: the numbers."""
        return {name: value for name, value in asdict(self).items() if name != "dropped"}


def retain(
    data: Path,
    capabilities: Capabilities,
    today: date,
    days: int,
    *,
    counts_days: int | None = None,
    with_evidence: bool = False,
) -> Retained:
    """Drop what ended more than `days` before today, and publish; `with_evidence` also what people still look at.

    A process that is killed within it leaves the state before or the state after.
    """
    before = today - timedelta(days=days)
    before_ns = int(datetime(before.year, before.month, before.day, tzinfo=UTC).timestamp()) * 1_000_000_000
    with editing(data) as edition:
        connection = open_published(data)
        evidence = set() if with_evidence else sessions_in_evidence(data, connection)
        together = _hanging_together(edition, connection)
        gone = expired_sessions(edition, before_ns, kept=evidence, together=together)
        held_back = expired_sessions(edition, before_ns, together=together) - gone
        done = Retained(before, len(gone), kept_as_evidence=len(held_back))
        counts_since = None if counts_days is None else today - timedelta(days=counts_days)
        if gone or counts_since is not None:
            done = _drop(edition, connection, capabilities, gone, before, counts_since, done)
        edition.retained_from_ns = max(before_ns, edition.retained_from_ns or before_ns)
        connection.close()
        edition.publish()
        connection = open_published(data)
        files = drop_old_files(edition, connection, before_ns)
        connection.close()
    if gone:
        fold(data, capabilities)
        write_for_people(data)
    return replace(done, spool_files=files, dropped=frozenset(gone))


def _hanging_together(edition: Edition, connection: duckdb.DuckDBPyConnection) -> dict[str, set[str]]:
    """Session -> the cases that it is part of, and the findings that it helps to prove."""
    together: dict[str, set[str]] = {}
    for case_id, sessions in ask(connection, _OF_CASES).iter_rows():
        for session in sessions:
            together.setdefault(session, set()).add(f"case {case_id}")
    for name in edition.tables.get("judged", []):
        for said in pq.read_table(edition.data / name, columns=["found"]).column("found").to_pylist():
            for found in found_in(said):
                for step in found.finding.path if not is_forgotten(found) else ():
                    together.setdefault(step.session_id, set()).add(f"finding {found.finding_id}")
    return together


def _drop(
    edition: Edition,
    connection: duckdb.DuckDBPyConnection,
    capabilities: Capabilities,
    gone: Set[str],
    before: date,
    counts_since: date | None,
    done: Retained,
) -> Retained:
    flagged = set(ask(connection, _FLAGGED)["session_id"])
    steps = "select coalesce(sum(steps), 0)::bigint from stored_traces where session_id in (select unnest($gone))"
    events = ask(connection, steps, gone=sorted(gone)).item() if gone else 0
    # Nothing is learnt from the sessions of a case: their counts go with them.
    keep_counts(edition, connection, capabilities, gone - flagged, since=counts_since)
    became = drop_sessions(edition, gone)
    leave_out(edition, became)
    _keep_seen(edition, connection, became, gone)
    cases = _without(edition, "cases", "sessions", gone)
    _without(edition, "findings", "session_id", gone)
    _without(edition, "session_scores", "session_id", gone)
    _forget_findings(edition, gone)
    _drop_memories(edition, connection, before)
    if counts_since is not None:
        _forget_history(edition)
    return Retained(done.before, done.sessions, events, cases, done.kept_as_evidence, len(became))


def _keep_seen(
    edition: Edition, connection: duckdb.DuckDBPyConnection, became: dict[str, str | None], gone: Set[str]
) -> None:
    """A day that only lost what was dropped is judged already: its segments are seen as they are now."""
    seen = ask(connection, "from seen_segments order by all").rows()
    successor = {PurePosixPath(old).name: new and PurePosixPath(new).name for old, new in became.items()}
    known = {row[0] for row in seen}
    rows = [row for row in seen if row[0] not in successor]
    for old, day, digest in held_by(connection, successor.keys() & known, gone):
        if new := successor[old]:
            rows.append((new, day, digest))
    told = [dict(zip(SEEN_SEGMENTS.names, row, strict=True)) for row in sorted(rows, key=str)]
    edition.replace("seen_segments", table_of(told, SEEN_SEGMENTS))


def _without(edition: Edition, table: str, column: str, gone: Set[str]) -> int:
    """Drop the rows of these sessions; returns how many. A case leaves whole, so its first session tells."""
    schema = TABLES[table]
    parts = [pq.read_table(edition.data / file, schema=schema) for file in edition.tables.get(table, [])]
    if not parts:
        return 0
    whole = pa.concat_tables(parts)
    values = whole.column(column)
    if pa.types.is_list(values.type):
        values = pa.chunked_array([pa.array([row[0] if row else None for row in values.to_pylist()], pa.string())])
    stays = pc.invert(pc.is_in(values, value_set=pa.array(sorted(gone), type=pa.string())))
    left = whole.filter(stays)
    if left.num_rows < whole.num_rows:
        edition.replace(table, left)
    return int(whole.num_rows - left.num_rows)


def _forget_findings(edition: Edition, gone: Set[str]) -> None:
    """Of a judged day's findings of these sessions only their number stays."""
    names = []
    for name in edition.tables.get("judged", []):
        (row,) = pq.read_table(edition.data / name, schema=JUDGED).to_pylist()
        found = found_in(row["found"])
        if any(not is_forgotten(f) and touches(f, gone) for f in found) or gone & set(row["flagged"]):
            row["found"] = written([forgotten(f) if touches(f, gone) else f for f in found])
            row["flagged"] = [session for session in row["flagged"] if session not in gone]
            table = table_of([row], JUDGED)
            name = edition.write("judged", table, name=day_file(edition, "judged", row["day"]))
        names.append(name)
    edition.tables["judged"] = names


def _drop_memories(edition: Edition, connection: duckdb.DuckDBPyConnection, before: date) -> None:
    """What the causal pass remembered of old days; the newest of them is where a late day would be taken up."""
    old = ask(connection, _OLD_MEMORIES, before=before)["day"].to_list()
    ends = tuple(f"-d{day.isoformat()}.parquet" for day in old[:-1])
    edition.tables["memories"] = [name for name in edition.tables.get("memories", []) if not name.endswith(ends or "-")]


def _forget_history(edition: Edition) -> None:
    """How the history stood when a day was over holds counts of the days whose counts leave now."""
    names = []
    for name in edition.tables.get("memories", []):
        table = pq.read_table(edition.data / name, schema=MEMORIES)
        if table.column("learnt").null_count < table.num_rows:
            (row,) = table.to_pylist()
            left = table_of([row | {"learnt": None}], MEMORIES)
            name = edition.write("memories", left, name=day_file(edition, "memories", row["day"]))
        names.append(name)
    edition.tables["memories"] = names
