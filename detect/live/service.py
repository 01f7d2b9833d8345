"""A live pipeline over folders, started from what is published: what `custodiet watch` and `listen` run."""

from __future__ import annotations

import fcntl
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from baseline.capability import Capabilities
from baseline.fold import fold
from detect.cases import Case
from detect.live.courier import Courier
from detect.live.pipeline import PUBLISH_EVERY_S, Pipeline, Tables
from detect.live.publish import publish
from detect.live.warm import warm
from detect.outbox_raise import raise_alerts
from detect.outbox_send import deliver
from detect.people import changed_at
from detect.registry import load
from detect.run import detect_in
from detect.settings import Settings, load_settings
from detect.sigma.rules import rules_of
from detect.verdicts import tuning_of
from ingest.database import open_published, open_tables, put, write_for_people
from ingest.errors import AlreadyRunning, Trouble
from ingest.follow import Follower
from ingest.load import Report, ingest_paths
from ingest.mapped import mapped_reader
from ingest.pieces import registered
from ingest.published import Edition, published

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
    with _alone(data):
        report = catch_up(data, folders, capabilities, mappings)
        raise_alerts(data, open_published(data), settings)
        judge, cases = warm(data, capabilities, today(), load(settings.detect.registries))
        for name, why in judge.failed.items():
            log.error("the detector %s broke: %s", name, why)
        register = registered(Edition(data, published(data)))
        mapped = tuple(mapped_reader(file) for file in mappings)
        follower = Follower(folders, mapped=mapped, register=register, clock=clock)
        courier = Courier(lambda: deliver(data, settings).pending)
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

        def reconcile() -> None:
            """What is published is all there is: a case that is none any more is closed."""
            raise_alerts(data, open_published(data), settings)
            courier.wake()

        said = changed_at(data)

        def look_after() -> None:
            nonlocal said
            mend()
            courier.check()
            if (now := changed_at(data)) != said:
                said, judge.tuning = now, tuning_of(data)

        pipeline = Pipeline(
            data,
            follower,
            capabilities,
            judge,
            cases,
            lambda handover: publish(data, capabilities, handover),
            raised,
            reconcile,
            publish_every_s=publish_every_s,
            mend=look_after,
            clock=clock,
            today=today,
        )
        try:
            yield Live(pipeline, report)
        finally:
            courier.close()


def catch_up(data: Path, folders: Sequence[Path], capabilities: Capabilities, mappings: Sequence[Path] = ()) -> Report:
    """Read, count and judge what came while nothing ran; days that are judged already cost nothing."""
    report = ingest_paths([folder for folder in folders if folder.exists()], data, mappings=mappings)
    fold(data, capabilities)
    judging = load_settings().detect
    detect_in(
        data,
        capabilities,
        window_hours=judging.window_hours,
        cases_per_day=judging.cases_per_day,
        rules=rules_of(judging.rules),
        registry=load(judging.registries),
    )
    write_for_people(data)
    return report


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
