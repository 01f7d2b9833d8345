"""Alerts on their way out: written before they are sent, marked when taken, never lost and never renamed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote
from uuid import UUID, uuid5

import duckdb
import msgspec

import detect.sinks
from detect.cases import SEVERITIES
from detect.settings import Settings
from detect.sinks import Alert, Sink, Undelivered
from ingest.database import ask
from ingest.errors import Trouble
from ingest.plugins import plugins

FILE: Final = "outbox.sqlite"
MOST_BODY_BYTES: Final = 20_000
"""Standard Webhooks recommends less than 20 kB; what is longer is in the dashboard behind the link."""
_ALERTS: Final = UUID("6f1f1c52-3f0e-5f0e-9d0c-0c5d1e7a9b31")
"""Our namespace: an alert's id is the UUIDv5 of case, revision and sink in it."""

_SCHEMA: Final = """
create table if not exists alerts (
    alert_id text primary key,
    case_id text not null,
    revision integer not null,
    sink text not null,
    body blob not null,
    state text not null check (state in ('pending', 'delivered')),
    attempts integer not null default 0,
    last_error text,
    unique (case_id, revision, sink)
)
"""

_CASES: Final = """
select *
from cases
where coalesce(is_raised, true)
order by anomaly * impact desc, case_id
"""

_REASONS: Final = """
select title, observed, expected, detector
from findings
where case_id = $case_id
order by anomaly * impact desc, finding_id
limit 3
"""

_PATH: Final = """
select event_id, session_id, agent_id, tool, target, source
from events
where event_id in (select unnest($path))
order by ordered_at nulls first, trace_id, sequence nulls first, depth, kind_rank, event_id
"""


@dataclass(frozen=True)
class Delivery:
    """What one delivery did; `pending` is what stays for the next run."""

    delivered: int
    pending: int
    errors: tuple[str, ...]


def set_sinks(settings: Settings) -> list[Sink]:
    """The sinks that the settings name."""
    return [sink for sink in plugins(detect.sinks, Sink) if sink.is_set(settings)]


def raise_alerts(data: Path, connection: duckdb.DuckDBPyConnection, settings: Settings) -> int:
    """Put an alert for every case over the severity into the outbox, once a sink and revision. Returns how many."""
    sinks = set_sinks(settings)
    if not sinks:
        return 0
    least = SEVERITIES.index(settings.alert_severity)
    raised = 0
    with _open(data) as outbox:
        for case in ask(connection, _CASES).iter_rows(named=True):
            if SEVERITIES.index(case["severity"]) < least:
                continue
            content = _content(connection, case, settings)
            for sink in sinks:
                raised += _put(outbox, case["case_id"], sink.name, content)
    return raised


def deliver(data: Path, settings: Settings) -> Delivery:
    """Send what is pending, the oldest first. What a receiver does not take stays pending."""
    if not (data / FILE).exists():
        return Delivery(0, 0, ())
    sinks = {sink.name: sink for sink in set_sinks(settings)}
    delivered, errors = 0, []
    with _open(data) as outbox:
        pending = outbox.execute(
            "select alert_id, sink, body from alerts where state = 'pending' order by rowid"
        ).fetchall()
        for alert_id, name, body in pending:
            if name not in sinks:
                continue
            try:
                sinks[name].send(Alert(alert_id, body), settings)
            except Undelivered as error:
                errors.append(f"{name}: {error}")
                with outbox:
                    outbox.execute(
                        "update alerts set attempts = attempts + 1, last_error = ? where alert_id = ?",
                        (str(error), alert_id),
                    )
                continue
            with outbox:
                outbox.execute(
                    "update alerts set state = 'delivered', attempts = attempts + 1, last_error = null"
                    " where alert_id = ?",
                    (alert_id,),
                )
            delivered += 1
    return Delivery(delivered, len(pending) - delivered, tuple(errors))


def _put(outbox: sqlite3.Connection, case_id: str, sink: str, content: dict[str, object]) -> int:
    """Insert the next revision of a case's alert; nothing where the last one says the same."""
    last = outbox.execute(
        "select revision, body from alerts where case_id = ? and sink = ? order by revision desc limit 1",
        (case_id, sink),
    ).fetchone()
    revision = 1
    if last is not None:
        if last[1] == _body(content, last[0]):
            return 0
        revision = last[0] + 1
    alert_id = str(uuid5(_ALERTS, f"{case_id}:{revision}:{sink}"))
    with outbox:
        outbox.execute(
            "insert into alerts (alert_id, case_id, revision, sink, body, state) values (?, ?, ?, ?, ?, 'pending')",
            (alert_id, case_id, revision, sink, _body(content, revision)),
        )
    return 1


def _body(content: dict[str, object], revision: int) -> bytes:
    kind = "case.created" if revision == 1 else "case.updated"
    body = {"type": kind, "timestamp": content["last_at"], "data": {**content, "revision": revision}}
    encoded = msgspec.json.encode(body, order="sorted")
    if len(encoded) > MOST_BODY_BYTES:
        body["data"] = {**content, "revision": revision, "path": [], "reasons": [], "is_shortened": True}
        encoded = msgspec.json.encode(body, order="sorted")
    return encoded


def _content(connection: duckdb.DuckDBPyConnection, case: dict[str, object], settings: Settings) -> dict[str, object]:
    path = ask(connection, _PATH, path=case["path"]).to_dicts()
    reasons = ask(connection, _REASONS, case_id=case["case_id"]).to_dicts()
    return {
        "case_id": case["case_id"],
        "title": case["title"],
        "why": _short(case["why"]),
        "severity": case["severity"],
        "anomaly": round(float(str(case["anomaly"])), 4),
        "impact": case["impact"],
        "agents": case["agents"],
        "sessions": case["sessions"],
        "techniques": case["techniques"],
        "first_at": _iso(case["first_at"]),
        "last_at": _iso(case["last_at"]),
        "reasons": [{key: _short(value) for key, value in reason.items()} for reason in reasons],
        "path": [{key: _short(value) for key, value in step.items()} for step in path[:20]],
        "link": link_to_step(settings.link_base, str(case["session_id"]), str(case["event_id"])),
    }


def link_to_step(base: str, session_id: str, event_id: str) -> str:
    """Where the dashboard opens this step."""
    return f"{base.rstrip('/')}/replay?session={quote(session_id, safe='')}&event={quote(event_id, safe='')}"


def _short(value: object) -> object:
    return f"{value[:300]}…" if isinstance(value, str) and len(value) > 300 else value


def _iso(value: object) -> str | None:
    return None if value is None else f"{str(value).replace(' ', 'T')}Z"


@contextmanager
def _open(data: Path) -> Iterator[sqlite3.Connection]:
    path = data / FILE
    try:
        outbox = sqlite3.connect(path, timeout=10)
        try:
            outbox.execute("pragma journal_mode = wal")
            outbox.execute("pragma synchronous = full")
            outbox.execute(_SCHEMA)
            yield outbox
        finally:
            outbox.close()
    except sqlite3.Error as error:
        raise Trouble(f"{path}: {error}; free the disk or restore the file, then run again") from error
