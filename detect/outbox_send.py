"""The way from the outbox to the receivers: leased, sent, marked. At least once, always under the same id.

One process at a time delivers for a data directory: it holds a lock that ends with it, so that what it had leased is
free again the moment it is killed. Each sink has a thread of its own: one that hangs does not hold up the others.
"""

from __future__ import annotations

import fcntl
import logging
import sqlite3
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from detect.cases import SEVERITIES
from detect.clock import WALL, Clock
from detect.outbox import account, alert_of, disabled, wait_s
from detect.people import is_there, people, transaction
from detect.quiet import QuietHours
from detect.settings import Settings
from detect.sinks import Gone, Refused, Target, Undelivered
from detect.sinks._network import Network
from ingest.errors import Trouble

log = logging.getLogger(__name__)

LOCK: Final = ".delivering"
_LOCK_POLL_S: Final = 0.2
_FIRST_REST_S: Final = 5.0
_LONGEST_REST_S: Final = 320.0
"""A sink that does not answer is asked again with one alert after 5 s, 10 s … 320 s."""

_NEXT: Final = """
select *
from alerts as a
where sink = :sink and state = 'pending' and is_leased = 0 and rank >= :least
    and not exists (
        select 1
        from alerts as earlier
        where earlier.case_id = a.case_id and earlier.sink = a.sink
            and earlier.revision < a.revision and earlier.state = 'pending'
    )
order by due_at > :now, case when due_at > :now then due_at end, rank desc, raised_at, alert_id
limit 1
"""

_UNTAKEN: Final = "select count(*) from alerts where state = 'pending' and attempts > 0"
_LEFT_BEHIND: Final = "select sink, count(*) as alerts from alerts where state = 'pending' group by sink order by sink"


@dataclass(frozen=True)
class Delivery:
    """What one delivery did; `pending` is all that waits, `untaken` what a receiver did not take."""

    delivered: int = 0
    pending: int = 0
    errors: tuple[str, ...] = ()
    dead: int = 0
    untaken: int = 0


@dataclass(frozen=True)
class _Served:
    """What became of the alerts of one sink."""

    delivered: int
    dead: int
    errors: tuple[str, ...]


def deliver(data: Path, settings: Settings, clock: Clock = WALL, patience_s: float = 0.0) -> Delivery:
    """Send what is due. What falls due within `patience_s` (a retry, a `Retry-After`) is waited for."""
    if not is_there(data):
        return Delivery()
    until = clock.now() + patience_s
    errors: list[str] = []
    with _alone(data, clock, until) as is_ours:
        served = _serve_all(data, settings, clock, until) if is_ours else []
        if not is_ours:
            errors.append("another custodiet is sending from the same data directory")
    with people(data) as outbox:
        standing = account(outbox)
        untaken = int(outbox.execute(_UNTAKEN).fetchone()[0])
        errors += [error for each in served for error in each.errors]
        errors += [f"{name}: disabled, {why}" for name, why in disabled(outbox).items()]
        names = {target.name for target in settings.targets}
        for row in outbox.execute(_LEFT_BEHIND):
            if row["sink"] not in names:
                errors.append(f"{row['sink']}: {row['alerts']} alerts wait for a sink that the settings do not name")
    dead = sum(each.dead for each in served)
    delivered = sum(each.delivered for each in served)
    return Delivery(delivered, standing.pending, tuple(dict.fromkeys(errors)), dead, untaken + dead)


@contextmanager
def _alone(data: Path, clock: Clock, until: float) -> Iterator[bool]:
    """Whether this process is the one that delivers; it waits for another until `until`."""
    try:
        lock = (data / LOCK).open("w")
    except OSError as error:
        raise Trouble(f"{data / LOCK}: cannot be written ({error.strerror}); nothing was sent") from error
    with lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if clock.now() >= until:
                    yield False
                    return
                clock.sleep(_LOCK_POLL_S)
            else:
                yield True
                return


def _serve_all(data: Path, settings: Settings, clock: Clock, until: float) -> list[_Served]:
    with people(data) as outbox:
        outbox.execute("update alerts set is_leased = 0 where is_leased = 1")  # of a process that is no more
    if not settings.targets:
        return []
    network = settings.network
    with ThreadPoolExecutor(len(settings.targets), "sink") as threads:
        futures = [threads.submit(_serve, data, target, network, clock, until) for target in settings.targets]
    return [_outcome(data, target, future, clock) for target, future in zip(settings.targets, futures, strict=True)]


def _outcome(data: Path, target: Target, future: Future[_Served], clock: Clock) -> _Served:
    """What a sink's thread did. A sink that broke costs itself: the alert it broke on is put off like any other."""
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, Trouble) or not isinstance(error, Exception):
        raise error
    log.error("the sink %s broke", target.name, exc_info=error)
    broke = Undelivered(f"the sink broke ({type(error).__name__})", is_about_alert=True)
    with people(data) as outbox:
        rows = outbox.execute("select * from alerts where sink = ? and is_leased = 1", (target.name,)).fetchall()
        dead = sum(_put_off(outbox, row, broke, clock.now(), tried=row["attempts"]) for row in rows)
    return _Served(0, dead, (f"{target.name}: {broke}",))


def _serve(data: Path, target: Target, network: Network, clock: Clock, until: float) -> _Served:
    """Send one sink's alerts, one after the other, until nothing falls due any more."""
    delivered, dead = 0, 0
    errors: list[str] = []
    with people(data) as outbox:
        while True:
            row, due_at = _lease(outbox, target, clock.now())
            if row is None:
                if due_at is None or due_at > until:
                    return _Served(delivered, dead, tuple(errors))
                clock.sleep(max(due_at - clock.now(), 0.01))
                continue
            try:
                target.sink.send(alert_of(row), target.settings, network)
            except Undelivered as error:
                errors.append(f"{target.name}: {error}")
                dead += _put_off(outbox, row, error, clock.now(), tried=row["attempts"] + 1)
            except Refused as error:
                errors.append(f"{target.name}: {error}; it will never take this one")
                dead += _bury(outbox, row["alert_id"], str(error), clock.now())
            except Gone as error:
                errors.append(f"{target.name}: {error}")
                dead += _disable(outbox, target.name, str(error), clock.now())
            else:
                delivered += _mark(outbox, row, clock.now())


def _lease(outbox: sqlite3.Connection, target: Target, now: float) -> tuple[sqlite3.Row | None, float | None]:
    """The next alert, leased and its attempt counted; or when to look again."""
    with transaction(outbox):
        sink = outbox.execute("select * from sinks where sink = ?", (target.name,)).fetchone()
        if sink is not None and sink["disabled_at"] is not None:
            return None, None
        least, quiet_until = _least_now(target, now)
        row = outbox.execute(_NEXT, {"sink": target.name, "now": now, "least": least}).fetchone()
        if row is None:
            return None, quiet_until
        ready_at = max(row["due_at"], sink["rests_until"] if sink is not None else 0.0)
        if ready_at > now:
            return None, min(ready_at, quiet_until or ready_at)
        outbox.execute(
            "update alerts set is_leased = 1, attempts = attempts + 1 where alert_id = ?", (row["alert_id"],)
        )
        return row, None


def _least_now(target: Target, now: float) -> tuple[int, float | None]:
    """The least severity that goes out now, and when quiet hours end that hold back the rest."""
    said = target.settings
    until = QuietHours.read(said.quiet, said.quiet_zone).until(now) if said.quiet else None
    return (SEVERITIES.index(said.quiet_except), until) if until is not None else (0, None)


def _mark(outbox: sqlite3.Connection, row: sqlite3.Row, now: float) -> int:
    with transaction(outbox):
        outbox.execute(
            "update alerts set state = 'delivered', why = null, is_leased = 0, settled_at = ? where alert_id = ?",
            (now, row["alert_id"]),
        )
        outbox.execute("update sinks set failures = 0, rests_until = 0 where sink = ?", (row["sink"],))
    return 1


def _put_off(outbox: sqlite3.Connection, row: sqlite3.Row, error: Undelivered, now: float, *, tried: int) -> int:
    """Until the schedule or the receiver says; returns 1 where the schedule is at its end."""
    wait = wait_s(row["alert_id"], tried)
    if not error.is_about_alert:
        _rest(outbox, row["sink"], error.after_s, now)
    if wait is None:
        return _bury(outbox, row["alert_id"], str(error), now)
    with transaction(outbox):
        outbox.execute(
            "update alerts set why = ?, is_leased = 0, due_at = ? where alert_id = ?",
            (str(error), now + max(wait, error.after_s or 0.0), row["alert_id"]),
        )
    return 0


def _rest(outbox: sqlite3.Connection, sink: str, after_s: float | None, now: float) -> None:
    with transaction(outbox):
        outbox.execute("insert or ignore into sinks (sink) values (?)", (sink,))
        failures = outbox.execute("select failures from sinks where sink = ?", (sink,)).fetchone()["failures"]
        rest = after_s if after_s is not None else min(_FIRST_REST_S * 2 ** min(failures, 16), _LONGEST_REST_S)
        outbox.execute("update sinks set failures = failures + 1, rests_until = ? where sink = ?", (now + rest, sink))


def _bury(outbox: sqlite3.Connection, alert_id: str, why: str, now: float) -> int:
    with transaction(outbox):
        outbox.execute(
            "update alerts set state = 'dead', why = ?, is_leased = 0, settled_at = ? where alert_id = ?",
            (why, now, alert_id),
        )
    return 1


def _disable(outbox: sqlite3.Connection, sink: str, why: str, now: float) -> int:
    """The receiver wants nothing more: what waits for it is dead until a person enables the sink."""
    with transaction(outbox):
        outbox.execute("insert or ignore into sinks (sink) values (?)", (sink,))
        outbox.execute("update sinks set disabled_at = ?, disabled_why = ? where sink = ?", (now, why, sink))
        buried = outbox.execute(
            "update alerts set state = 'dead', why = ?, is_leased = 0, settled_at = ?"
            " where sink = ? and state = 'pending'",
            (why, now, sink),
        )
    return buried.rowcount
