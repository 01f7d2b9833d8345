"""One run, step by step: logs to events, counts, cases and alerts. What `custodiet run` does once, or every so often.

Every step publishes by itself and is done again at no cost, so a run may be killed anywhere and started anew. Only one
runs in a data directory at a time; told to stop, a run ends before its next step.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from baseline.capability import Capabilities
from baseline.fold import fold
from detect.commands.detect import judge
from detect.late import Behind
from detect.outbox_send import Delivery, deliver
from detect.preview import previews
from detect.ran import LateDay, Outcome, Ran, remember
from detect.retention import Retained
from detect.run import Detected
from detect.settings import Settings, load_settings
from detect.upkeep import Compacted, upkeep
from ingest.at_work import at_work
from ingest.command import working
from ingest.commands.ingest import read_logs
from ingest.errors import AlreadyRunning, Trouble
from ingest.load import Report


@dataclass(frozen=True)
class Wanted:
    """What a run is asked to do; settings are read anew by every run."""

    paths: list[Path]
    data: Path
    capabilities: list[Path] | None = None
    maps: list[Path] | None = None
    agent_key: str | None = None
    budget: float | None = None
    is_rehearsal: bool = False
    """Send nothing, say what would be sent."""
    patience_s: float = 0.0
    """How long to wait for a receiver that asks to come back."""


@dataclass
class Done:
    """What one run did; a part is None where the run was stopped before it."""

    report: Report = field(default_factory=Report)
    detected: Detected | None = None
    delivery: Delivery | None = None
    would_send: list[dict[str, Any]] = field(default_factory=list)
    late: tuple[LateDay, ...] = ()
    retained: Retained | None = None
    compacted: Compacted | None = None
    trouble: Exception | None = None
    ran: Ran | None = None
    """The account of it."""

    @property
    def broken(self) -> list[str]:
        """Readers and detectors that broke."""
        detectors = self.detected.failed.items() if self.detected is not None else ()
        return [*self.report.failed, *(f"{name}: {why}" for name, why in sorted(detectors))]


def scheduled(wanted: Wanted, stop: threading.Event | None = None) -> Done:
    """One whole run, accounted for in `runs.jsonl` whatever becomes of it. What stopped it is its `trouble`."""
    began, clock = time.time(), time.monotonic()
    done = Done()
    outcome: Outcome
    try:
        outcome = "done" if _steps(wanted, done, (stop or threading.Event()).is_set) else "stopped"
    except AlreadyRunning as trouble:
        outcome, done.trouble = "overlapped", trouble
    except (Trouble, OSError, duckdb.Error, pa.ArrowException) as trouble:
        outcome, done.trouble = "failed", trouble
    done.ran = _told(done, began, time.monotonic() - clock, outcome)
    remember(wanted.data, done.ran)
    return done


def _steps(wanted: Wanted, done: Done, is_told_to_stop: Callable[[], bool]) -> bool:
    """Returns whether every step was taken."""
    data = wanted.data
    with at_work(data) as say:
        settings = load_settings()
        behind = Behind(data)
        steps: tuple[tuple[str, Callable[[], None]], ...] = (
            ("reading", lambda: _read(wanted, done)),
            ("counting", lambda: _count(wanted)),
            ("judging", lambda: _judge(wanted, done, settings)),
            ("sending", lambda: _send(wanted, done, settings)),
            ("tidying", lambda: _tidy(wanted, done, settings)),
        )
        for name, step in steps:
            if is_told_to_stop():
                return False
            say(name)
            step()
            if name == "reading":
                done.late = behind.late()
    return True


def _read(wanted: Wanted, done: Done) -> None:
    done.report = read_logs(wanted.paths, wanted.data, wanted.maps, wanted.agent_key)


def _count(wanted: Wanted) -> None:
    with working("counting"):
        fold(wanted.data, Capabilities.load(*(wanted.capabilities or [])))


def _judge(wanted: Wanted, done: Done, settings: Settings) -> None:
    budget = settings.detect.cases_per_day if wanted.budget is None else wanted.budget
    done.detected = judge(wanted.data, wanted.capabilities, None if wanted.is_rehearsal else settings, budget)


def _send(wanted: Wanted, done: Done, settings: Settings) -> None:
    if wanted.is_rehearsal:
        done.would_send = previews(wanted.data, settings)
        return
    with working("sending alerts"):
        done.delivery = deliver(wanted.data, settings, patience_s=wanted.patience_s)


def _tidy(wanted: Wanted, done: Done, settings: Settings) -> None:
    """Last, so that everything was judged and told before it leaves."""
    if not wanted.is_rehearsal:
        table = Capabilities.load(*(wanted.capabilities or []))
        done.retained, done.compacted = upkeep(wanted.data, table, settings.store)


def _told(done: Done, began: float, took_s: float, outcome: Outcome) -> Ran:
    files, unread = done.report.files, done.report.unread
    detected, delivery = done.detected, done.delivery
    return Ran(
        began_at=began,
        took_s=round(took_s, 3),
        outcome=outcome,
        why=None if done.trouble is None else str(done.trouble),
        records=sum(file.records for file in files),
        events=sum(file.events for file in files),
        rejected=sum(file.rejected for file in files),
        expired=done.report.expired,
        unread=sum(not file.is_no_log for file in unread),
        late=done.late,
        days_judged=detected.days_judged if detected is not None else 0,
        cases=len(detected.cases) if detected is not None else 0,
        broken=tuple(done.broken),
        delivered=delivery.delivered if delivery is not None else 0,
        pending=delivery.pending if delivery is not None else 0,
        sessions_dropped=done.retained.sessions if done.retained is not None else 0,
        segments_merged=done.compacted.files_merged if done.compacted is not None else 0,
    )
