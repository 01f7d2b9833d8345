"""A live pipeline over folders, started from what is published: what `custodiet watch` and `listen` run."""

from __future__ import annotations

import fcntl
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from baseline.capability import Capabilities
from baseline.fold import fold
from detect.budget import stored_days
from detect.cases import Case
from detect.live.bars import Bars
from detect.live.beside import Beside
from detect.live.courier import Courier
from detect.live.judge import Judge
from detect.live.pipeline import PUBLISH_EVERY_S, Pipeline
from detect.live.publish import publish
from detect.live.raising import Raise, Raising, Tables
from detect.live.warm import warm
from detect.outbox_raise import raise_alerts
from detect.outbox_send import deliver
from detect.people import changed_at
from detect.registry import load
from detect.retention import retain
from detect.run import Detected, detect_in
from detect.settings import Settings
from detect.sigma.rules import Rule, rules_of
from detect.verdicts import tuning_of
from ingest.database import open_published, open_tables, put, write_for_people
from ingest.errors import AlreadyRunning, Trouble
from ingest.follow import Follower
from ingest.load import Report, ingest_paths
from ingest.mapped import mapped_reader
from ingest.pieces import registered
from ingest.published import Edition, published
from ingest.store_settings import Store

log = logging.getLogger(__name__)

LOCK: Final = ".live.lock"
Told = Callable[[str, Case | None], None]
"""Hears of every case that changed, by its id; None: it is none any more."""


@dataclass(frozen=True)
class Live:
    """What runs; `caught_up` is what was read before."""

    pipeline: Pipeline
    caught_up: Report


@contextmanager
def live(
    data: Path,
    folders: Sequence[Path],
    capabilities: Capabilities,
    settings: Settings,
    *,
    mappings: Sequence[Path] = (),
    told: Told = lambda *_: None,
    mend: Callable[[], object] = lambda: None,
    publish_every_s: float = PUBLISH_EVERY_S,
    clock: Callable[[], float] = time.monotonic,
    today: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Iterator[Live]:
    """Catch up with what the folders hold, as a batch does; then a warm pipeline that follows them.

    `mend` is called about every second, to look after what feeds the folders.

    Raises `AlreadyRunning` where another live pipeline has the data directory.
    """
    rules = rules_of(settings.detect.rules)
    with _alone(data):
        report, detected = catch_up(data, folders, capabilities, settings, rules, mappings)
        raise_alerts(data, open_published(data), settings)
        registry, hours = load(settings.detect.registries), settings.detect.window_hours
        judge, cases = warm(data, capabilities, today(), registry, hours, detected.beside)
        for name, why in judge.failed.items():
            log.error("the detector %s broke: %s", name, why)
        state = Edition(data, published(data))
        follower = Follower(
            folders, mapped=tuple(map(mapped_reader, mappings)), register=registered(state), clock=clock
        )
        beside = Beside(rules, detected.beside, state.tables.get("session_scores", ()))
        bars = Bars(settings.detect.cases_per_day)
        bars.renew(cases.items(), stored_days(open_published(data)), judge.learnt_to)
        courier = Courier(lambda: deliver(data, settings).pending)
        daily = Daily(settings.store, lambda: today().date())

        def reconcile() -> None:
            """What is published is all there is: a case that is none any more is closed."""
            raise_alerts(data, open_published(data), settings)
            courier.wake()

        pipeline = Pipeline(
            data,
            follower,
            capabilities,
            judge,
            beside,
            Raising(judge, beside, cases, bars, raiser(data, settings, courier, told)),
            lambda handover: publish(data, capabilities, handover, beside, daily.retain),
            reconcile,
            publish_every_s=publish_every_s,
            mend=looking_after(data, judge, courier, mend),
            clock=clock,
            today=today,
        )
        try:
            yield Live(pipeline, report)
        finally:
            courier.close()


def catch_up(
    data: Path,
    folders: Sequence[Path],
    capabilities: Capabilities,
    settings: Settings,
    rules: Sequence[Rule],
    mappings: Sequence[Path] = (),
) -> tuple[Report, Detected]:
    """Read, count and judge what came while nothing ran; days that are judged already cost nothing."""
    report = ingest_paths([folder for folder in folders if folder.exists()], data, mappings=mappings)
    fold(data, capabilities)
    detected = detect_in(
        data,
        capabilities,
        window_hours=settings.detect.window_hours,
        cases_per_day=settings.detect.cases_per_day,
        rules=rules,
        registry=load(settings.detect.registries),
    )
    write_for_people(data)
    return report, detected


def raiser(data: Path, settings: Settings, courier: Courier, told: Told) -> Raise:
    """Writes the alerts of the cases that changed, and has them sent."""
    connection = open_tables()

    def raised(changed: dict[str, Case | None], tables: Tables) -> None:
        for case_id, case in changed.items():
            told(case_id, case)
        for name in ("cases", "findings", "events"):
            put(connection, name, getattr(tables, name))
        try:
            raise_alerts(data, connection, settings, is_whole=False)
        except Trouble as trouble:
            # The next publication raises it: nothing is lost but time.
            log.error("an alert could not be written, tried again at the next publication: %s", trouble)
        courier.wake()

    return raised


def looking_after(data: Path, judge: Judge, courier: Courier, mend: Callable[[], object]) -> Callable[[], None]:
    """What is done about every second: what people said since is taken up, what broke is raised."""
    said = changed_at(data)

    def look_after() -> None:
        nonlocal said
        mend()
        courier.check()
        if (now := changed_at(data)) != said:
            said, judge.tuning = now, tuning_of(data)

    return look_after


class Daily:
    """Retention, at the first publication and then once a day. The publishing thread's."""

    def __init__(self, wanted: Store, today: Callable[[], date]) -> None:
        self._wanted, self._today = wanted, today
        self._done_on: date | None = None

    def retain(self, data: Path, capabilities: Capabilities) -> frozenset[str]:
        """Drop what is too old by now. Returns the sessions."""
        wanted, today = self._wanted, self._today()
        if wanted.retain_days is None or self._done_on == today:
            return frozenset()
        counts_days = wanted.retain_counts_days
        dropped = retain(data, capabilities, today, wanted.retain_days, counts_days=counts_days).dropped
        self._done_on = today
        return dropped


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    try:
        data.mkdir(parents=True, exist_ok=True)
        lock = (data / LOCK).open("w")
    except OSError as error:
        raise Trouble(f"{data}: cannot be written ({error.strerror or error}); name another --data") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning(
                f"{data}: another `custodiet watch` or `listen` runs here; `listen --watch DIR` does both"
            ) from error
        yield
