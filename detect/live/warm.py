"""What a live pipeline starts from: the history of the days before, the passes' last window, the standing findings.

Only the last window's steps are read again; the counts of all earlier days are added up in the database.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import duckdb

from baseline.capability import Capabilities
from baseline.fold import classify_tools
from baseline.history import History
from detect.cases import Found
from detect.detectors import Finding
from detect.live.judge import Cases, Judge
from detect.live.publish import learnable
from detect.run import all_detectors
from detect.step import Step, steps_by_id, steps_in_time
from ingest.database import ask, open_published

MOST_STEPS: Final = 1_000_000
"""Of the window, so that a start takes seconds; the newest whole days of it."""

_DAYS: Final = """
select cast(first_at as date) as day, sum(steps)::bigint as steps
from stored_traces
where first_at is not null and first_at < $now
group by all
order by day desc
"""


def warm(data: Path, capabilities: Capabilities, now: datetime) -> tuple[Judge, Cases]:
    """Judge and cases as they were when the published state was written."""
    connection = open_published(data)
    classify_tools(connection, capabilities)
    found, case_of = standing(connection)
    flagged = frozenset(s.session_id for f in found if f.detector.raises_case for s in f.finding.path)
    since, newest = _window(connection, now)
    history = History()
    judge = Judge(history, None)
    if newest is None or since is None:
        return judge, Cases(found, case_of)
    judge.learn(since, *learnable(data, None, since, flagged, capabilities))
    for step in steps_in_time(connection, since):
        if step.day is None or step.day > newest:
            continue
        if judge.learnt_to is not None and step.day > judge.learnt_to:
            judge.learn(step.day, *learnable(data, judge.learnt_to, step.day, flagged, capabilities))
        judge.warm(step)
    connection.close()
    return judge, _joined(judge, found, case_of)


def _joined(judge: Judge, found: list[Found], case_of: dict[str, str]) -> Cases:
    """What was published, and what a killed run had not come to publish."""
    judge.changed()
    cases = Cases(found, case_of)
    told = {f.finding_id for f in found}
    new = {
        event: (*(f for f in found if f.step.event_id == event), *missing)
        for event, judged in judge.found.items()
        if (missing := [f for f in judged if f.finding_id not in told])
    }
    cases.revise(new)
    return cases


def _window(connection: duckdb.DuckDBPyConnection, now: datetime) -> tuple[date | None, date | None]:
    """(the first day to read again, the newest day); a day claimed to lie in the future is none."""
    days = ask(connection, _DAYS, now=(now + timedelta(days=1)).astimezone(UTC).replace(tzinfo=None))
    since = newest = None
    steps = 0
    for day, count in days.iter_rows():
        newest = newest or day
        steps += count
        if newest - day > timedelta(days=1) or (since is not None and steps > MOST_STEPS):
            break
        since = day
    return since, newest


def standing(connection: duckdb.DuckDBPyConnection) -> tuple[list[Found], dict[str, str]]:
    """The published findings with their steps, and the case of each; those of removed detectors are left out."""
    detectors = {d.name: d for d in all_detectors()}
    rows: list[dict[str, Any]] = ask(connection, "from findings order by finding_id").to_dicts()
    ids = sorted({i for row in rows for i in (*row["event_ids"], row["event_id"])})
    steps: dict[str, Step] = {step.event_id: step for step in steps_by_id(connection, ids)} if ids else {}
    found: list[Found] = []
    case_of: dict[str, str] = {}
    for row in rows:
        path = tuple(steps[i] for i in row["event_ids"] if i in steps)
        if row["detector"] not in detectors or row["event_id"] not in steps or not path:
            continue
        finding = Finding(
            title=row["title"], observed=row["observed"], expected=row["expected"], anomaly=row["anomaly"], path=path
        )
        told = Found(detectors[row["detector"]], steps[row["event_id"]], finding)
        found.append(told)
        if row["case_id"] is not None:
            case_of[told.finding_id] = row["case_id"]
    return found, case_of
