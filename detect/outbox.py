"""Alerts on their way out: written before they are sent, never deleted, every one of them accounted for.

An alert is pending, delivered, dead (given up, for a person to look at) or suppressed (with the reason), and the
four together always equal what was raised. This module is the rows; `outbox_raise` fills them, `outbox_send` sends.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final
from uuid import UUID, uuid5

import msgspec

from detect.cases import SEVERITIES
from detect.people import transaction
from detect.sinks import Alert
from ingest.errors import Trouble

_ALERTS: Final = UUID("6f1f1c52-3f0e-5f0e-9d0c-0c5d1e7a9b31")
"""Our namespace: an alert's id is the UUIDv5 of case, revision and sink in it."""

SCHEDULE_S: Final = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400, 86_400, 86_400)
"""Waits between attempts: those of Standard Webhooks 1.0.0, and two days more. After the last, the alert is dead."""
JITTER: Final = 0.2
"""At most this share is added to a wait, so that a receiver that comes back is not met by all at once."""
STATES: Final = ("delivered", "pending", "dead", "suppressed")

_LAST: Final = """
select alert_id, case_id, revision, kind, state, fingerprint, attempts
from alerts
where sink = ?
order by case_id, revision
"""


_ACCOUNT: Final = """
select
    (select coalesce(sum(alerts), 0) from raisings) as raised,
    count(*) filter (where state = 'delivered') as delivered,
    count(*) filter (where state = 'pending') as pending,
    count(*) filter (where state = 'dead') as dead,
    count(*) filter (where state = 'suppressed') as suppressed
from alerts
"""


_DEAD: Final = """
select alert_id, sink, (
    select max(later.revision)
    from alerts as later
    where later.case_id = a.case_id and later.sink = a.sink and later.revision > a.revision
        and later.state = 'delivered'
) as newer
from alerts as a
where state = 'dead'
order by alert_id
"""

_AGAIN: Final = "update alerts set state = 'pending', attempts = 0, due_at = ?, settled_at = null where alert_id = ?"
_OVERTAKEN: Final = "update alerts set state = 'suppressed', why = ? where alert_id = ?"
_ENABLE: Final = (
    "update sinks set disabled_at = null, disabled_why = null, failures = 0, rests_until = 0 where sink = ?"
)


@dataclass(frozen=True)
class Account:
    """How the alerts stand. `raised` is counted apart from the others."""

    raised: int
    delivered: int
    pending: int
    dead: int
    suppressed: int

    @property
    def adds_up(self) -> bool:
        """Whether every alert is accounted for."""
        return self.raised == self.delivered + self.pending + self.dead + self.suppressed


def account(people: sqlite3.Connection) -> Account:
    """The account, in one snapshot. Raises `Trouble` where it does not add up: then an alert was lost."""
    told = Account(**dict(people.execute(_ACCOUNT).fetchone()))
    if not told.adds_up:
        raise Trouble(f"people.sqlite: the alerts do not add up ({told}); restore the file from a backup")
    return told


def alert_id(case_id: str, revision: int, sink: str) -> str:
    """The same for ever; without a full stop, as the header that carries it asks."""
    return str(uuid5(_ALERTS, f"{case_id}:{revision}:{sink}"))


def known(people: sqlite3.Connection, sink: str) -> dict[str, list[sqlite3.Row]]:
    """What was raised for a sink: by case, every revision in order."""
    rows: dict[str, list[sqlite3.Row]] = {}
    for row in people.execute(_LAST, (sink,)):
        rows.setdefault(row["case_id"], []).append(row)
    return rows


def content(people: sqlite3.Connection, alert_id: str) -> dict[str, Any]:
    """What an alert says."""
    row = people.execute("select content from alerts where alert_id = ?", (alert_id,)).fetchone()
    return dict(msgspec.json.decode(row["content"]))


def put(
    people: sqlite3.Connection,
    raising_id: int,
    alert: Alert,
    sink: str,
    fingerprint: str,
    *,
    state: str = "pending",
    why: str | None = None,
) -> None:
    """Write one alert; the caller holds the transaction and counts it in its raising."""
    people.execute(
        "insert into alerts (alert_id, raising_id, case_id, revision, sink, kind, severity, rank, fingerprint, content,"
        " state, why, raised_at, due_at, settled_at)"
        " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            alert.alert_id, raising_id, alert.case_id, alert.revision, sink, alert.kind, alert.severity,
            SEVERITIES.index(alert.severity), fingerprint, msgspec.json.encode(alert.content, order="sorted"),
            state, why, alert.raised_at, alert.raised_at, None if state == "pending" else alert.raised_at,
        ),
    )  # fmt: skip


def alert_of(row: sqlite3.Row) -> Alert:
    """The alert that a row holds."""
    return Alert(
        alert_id=row["alert_id"],
        case_id=row["case_id"],
        revision=row["revision"],
        kind=row["kind"],
        severity=row["severity"],
        raised_at=row["raised_at"],
        content=msgspec.json.decode(row["content"]),
    )


def wait_s(alert_id: str, attempts: int) -> float | None:
    """How long to wait after this many attempts; None where that was the last. The jitter is the id's own."""
    if attempts > len(SCHEDULE_S):
        return None
    drawn = int.from_bytes(sha256(f"{alert_id}:{attempts}".encode()).digest()[:4], "big") / 2**32
    return SCHEDULE_S[attempts - 1] * (1 + JITTER * drawn)


def listed(people: sqlite3.Connection, *, state: str | None = None, sink: str | None = None) -> list[dict[str, Any]]:
    """The alerts, the newest first, with their title."""
    rows = people.execute(
        "select alert_id, case_id, revision, sink, kind, severity, state, why, attempts, raised_at, due_at, settled_at,"
        " json_extract(content, '$.title') as title from alerts"
        " where (:state is null or state = :state) and (:sink is null or sink = :sink)"
        " order by raised_at desc, rank desc, alert_id",
        {"state": state, "sink": sink},
    )
    return [dict(row) for row in rows]


def retry(people: sqlite3.Connection, now: float, *, ids: list[str], sink: str | None, all_dead: bool = False) -> int:
    """Make dead alerts pending again, with a full schedule: those of these ids (or their beginnings), of a sink, or
    all. A sink among them that was disabled is enabled. Returns how many.

    What a newer revision has overtaken is not sent again: an old word must not be a receiver's last.
    """
    with transaction(people):
        chosen = [
            row
            for row in people.execute(_DEAD)
            if all_dead or row["sink"] == sink or any(row["alert_id"].startswith(begin) for begin in ids)
        ]
        for row in chosen:
            if row["newer"] is None:
                people.execute(_AGAIN, (now, row["alert_id"]))
            else:
                people.execute(_OVERTAKEN, (f"superseded by revision {row['newer']}", row["alert_id"]))
        for name in {row["sink"] for row in chosen} | ({sink} if sink else set()):
            people.execute(_ENABLE, (name,))
    return sum(row["newer"] is None for row in chosen)


def disabled(people: sqlite3.Connection) -> dict[str, str]:
    """The sinks that are disabled, and why."""
    rows = people.execute("select sink, disabled_why from sinks where disabled_at is not null order by sink")
    return {row["sink"]: row["disabled_why"] for row in rows}
