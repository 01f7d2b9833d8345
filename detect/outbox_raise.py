"""Cases -> alerts: one alert a case and sink; what changed is its next revision, what is gone is its closing.

Raising is a comparison of what is published with what was raised before, so it may be repeated at any moment: a run
that was killed between publishing and raising is made good by the next.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import duckdb
import msgspec

from detect.alert import Told, contents, fitted, told_cases
from detect.cases import SEVERITIES, Severity
from detect.clock import WALL, Clock
from detect.outbox import alert_id, content, disabled, known, put
from detect.people import people, transaction
from detect.settings import Settings
from detect.silences import Silence, in_force, silenced_by
from detect.sinks import Alert, Kind, Target
from ingest.database import ask

HOUR_S: Final = 3600.0

_TOOLS: Final = """
select event_id, tool
from events
where event_id in (select unnest($events::varchar[]))
"""

_VERDICTS: Final = """
select case_id, said_by, verdict
from verdicts
where verdict_id in (select max(verdict_id) from verdicts group by case_id) and verdict != 'open'
"""

_RECENT: Final = """
select
    count(*) filter (where kind != 'summary') as sent,
    count(*) filter (where kind = 'summary') as summaries
from alerts
where sink = :sink and raised_at > :since and state != 'suppressed'
"""


@dataclass
class _Planned:
    """One row that will be written."""

    alert: Alert
    fingerprint: str
    state: str = "pending"
    why: str | None = None
    findings: list[dict[str, Any]] = field(default_factory=list)
    agent: str = ""

    def suppress(self, why: str) -> None:
        self.state, self.why = "suppressed", why


def raise_alerts(
    data: Path,
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    clock: Clock = WALL,
    *,
    is_whole: bool = True,
) -> int:
    """Write what is new of every case to every sink into the outbox, in one transaction. Returns how many rows.

    Where the connection shows only some of the cases (`is_whole` is False), those that it does not show stay open.
    """
    if not settings.targets:
        return 0
    with people(data) as outbox, transaction(outbox):
        planned = plan(outbox, connection, settings, clock.now(), is_whole=is_whole)
        _write(outbox, planned, clock.now())
    return len(planned)


def plan(
    outbox: sqlite3.Connection,
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    now: float,
    *,
    is_whole: bool = True,
) -> list[tuple[Target, _Planned]]:
    """What a raising would write now, by sink, the worst first."""
    closed = {row["case_id"] for row in outbox.execute(_VERDICTS)}
    told = [t for t in told_cases(connection) if t.case_id not in closed]
    is_whole = is_whole and not ask(connection, "select 1 from failed limit 1").height
    befores = [known(outbox, target.name) for target in settings.targets]
    news = [
        list(_changed(told, before, SEVERITIES.index(settings.least(target))))
        for target, before in zip(settings.targets, befores, strict=True)
    ]
    to_say = {t.case_id: t for changed in news for t in changed}
    said = contents(connection, list(to_say.values()), settings.alerts.dashboard_url)
    planned = []
    for target, before, changed in zip(settings.targets, befores, news, strict=True):
        rows = [_case(t, said[t.case_id], before.get(t.case_id, []), target.name, now) for t in changed]
        _silence(rows, in_force(outbox, now), connection)
        rows.sort(key=lambda row: -SEVERITIES.index(row.alert.severity))
        if target.settings.group == "agent":
            _group(rows)
        rows += _cap(outbox, rows, target, now)
        if is_whole:  # a detector that broke takes its cases away; nothing is closed on its account
            rows += _closings(outbox, told, before, target.name, now)
        if why := disabled(outbox).get(target.name):
            for row in rows:
                if row.state == "pending":
                    row.state, row.why = "dead", f"the sink is disabled: {why}"
        planned += [(target, row) for row in rows]
    return planned


def _write(outbox: sqlite3.Connection, planned: list[tuple[Target, _Planned]], now: float) -> None:
    if not planned:
        return
    raising = outbox.execute("insert into raisings (raised_at, alerts) values (?, ?)", (now, len(planned)))
    for target, row in planned:
        if row.state == "pending" or row.alert.kind == "closed":
            _supersede(outbox, row.alert, target.name, now)
        put(outbox, raising.lastrowid or 0, row.alert, target.name, row.fingerprint, state=row.state, why=row.why)


def _changed(told: list[Told], before: dict[str, list[sqlite3.Row]], least: int) -> Iterator[Told]:
    """Cases that are raised and severe enough, or that the sink knows, and that say something new."""
    for t in told:
        revisions = before.get(t.case_id, [])
        is_below = SEVERITIES.index(t.case["severity"]) < least or t.case["is_raised"] is False
        if is_below and not is_open(revisions):
            continue
        if not revisions or revisions[-1]["fingerprint"] != t.fingerprint:
            yield t


def is_open(revisions: list[sqlite3.Row]) -> bool:
    """Whether the sink was told of the case (or is about to be), and not yet of its end."""
    spoken = [row["kind"] for row in revisions if row["state"] != "suppressed"]
    return bool(spoken) and spoken[-1] != "closed"


def was_tried(revisions: list[sqlite3.Row]) -> bool:
    """Whether the receiver may have seen one of them."""
    return any(row["attempts"] or row["state"] == "delivered" for row in revisions)


def _case(told: Told, content: dict[str, Any], revisions: list[sqlite3.Row], sink: str, now: float) -> _Planned:
    kind: Kind = "updated" if is_open(revisions) and was_tried(revisions) else "created"
    alert = _alert(told.case_id, revisions, sink, kind, told.case["severity"], content, now)
    return _Planned(alert, told.fingerprint, findings=told.findings, agent=told.case["agents"][0])


def _alert(
    case_id: str,
    revisions: list[sqlite3.Row],
    sink: str,
    kind: Kind,
    severity: Severity,
    content: dict[str, Any],
    now: float,
) -> Alert:
    revision = revisions[-1]["revision"] + 1 if revisions else 1
    return Alert(
        alert_id=alert_id(case_id, revision, sink),
        case_id=case_id,
        revision=revision,
        kind=kind,
        severity=severity,
        raised_at=now,
        content=content,
    )


def _silence(rows: list[_Planned], silences: list[Silence], connection: duckdb.DuckDBPyConnection) -> None:
    if not silences or not rows:
        return
    events = sorted({finding["event_id"] for row in rows for finding in row.findings})
    tools = dict(ask(connection, _TOOLS, events=events).iter_rows())
    for row in rows:
        if covering := silenced_by(silences, row.findings, tools):
            row.suppress("; ".join(f"silence {s.silence_id} of {s.said_by}: {s.why}" for s in covering))


def _group(rows: list[_Planned]) -> None:
    """New cases of one agent that one run finds are one alert: the worst, which names the others."""
    first: dict[str, _Planned] = {}
    for row in rows:
        if row.state != "pending" or row.alert.kind != "created":
            continue
        head = first.setdefault(row.agent, row)
        if head is not row:
            row.suppress(f"grouped with {head.alert.alert_id}")
            content = head.alert.content
            more = {"cases": content.get("cases", 1) + 1, "grouped": [*content.get("grouped", []), _named(row)]}
            head.alert = msgspec.structs.replace(head.alert, content=fitted({**content, **more}))


def _cap(outbox: sqlite3.Connection, rows: list[_Planned], target: Target, now: float) -> list[_Planned]:
    """Suppress what is over the sink's alerts an hour; one summary an hour counts it."""
    recent = outbox.execute(_RECENT, {"sink": target.name, "since": now - HOUR_S}).fetchone()
    going = [row for row in rows if row.state == "pending"]
    over = going[max(target.settings.most_an_hour - recent["sent"], 0) :]
    for row in over:
        row.suppress(f"over {target.settings.most_an_hour} alerts an hour")
    if not over or recent["summaries"]:
        return []
    return [_summary(over, target, now)]


def _summary(over: list[_Planned], target: Target, now: float) -> _Planned:
    content = fitted(
        {
            "title": f"{len(over)} more cases than this sink is sent in an hour",
            "why": f"the sink takes {target.settings.most_an_hour} alerts an hour; `custodiet cases` lists them all",
            "severity": over[0].alert.severity,
            "cases": len(over),
            "grouped": [_named(row) for row in over],
        }
    )
    case_id = f"summary-{int(now)}"
    return _Planned(_alert(case_id, [], target.name, "summary", over[0].alert.severity, content, now), "")


def _named(row: _Planned) -> dict[str, Any]:
    return {"case_id": row.alert.case_id, "severity": row.alert.severity, "title": row.alert.content["title"]}


def _closings(
    outbox: sqlite3.Connection, told: list[Told], before: dict[str, list[sqlite3.Row]], sink: str, now: float
) -> Iterator[_Planned]:
    """The end of every case that the sink knows and that is no more."""
    there = {t.case_id for t in told}
    holds = {event: t.case_id for t in told for event in t.case["path"]}
    verdicts = {row["case_id"]: f"{row['said_by']} closed it as {row['verdict']}" for row in outbox.execute(_VERDICTS)}
    for case_id, revisions in sorted(before.items()):
        if case_id in there or revisions[-1]["kind"] == "summary" or not is_open(revisions):
            continue
        last = content(outbox, revisions[-1]["alert_id"])
        merged = next((holds[s["event_id"]] for s in last.get("path", []) if s["event_id"] in holds), None)
        gone = f"its steps are now part of case {merged}" if merged else "the logs no longer show it"
        ended = fitted({**last, "closed_why": verdicts.get(case_id, gone)})
        planned = _Planned(_alert(case_id, revisions, sink, "closed", last["severity"], ended, now), "closed")
        if not was_tried(revisions):
            planned.suppress("the case ended before it was sent")
        yield planned


def _supersede(outbox: sqlite3.Connection, newer: Alert, sink: str, now: float) -> None:
    """What no receiver has seen yet and a newer revision says better is not sent any more."""
    outbox.execute(
        "update alerts set state = 'suppressed', why = ?, settled_at = ?"
        " where case_id = ? and sink = ? and state = 'pending' and attempts = 0",
        (f"superseded by revision {newer.revision}", now, newer.case_id, sink),
    )
