"""Live is the same as batch: what is known at once, what is known later, and what a killed process leaves."""

from __future__ import annotations

import shutil
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from otlp_lines import line

from baseline.capability import Capabilities
from baseline.fold import fold
from detect.live.service import Live, live
from detect.run import detect_in
from detect.settings import load_settings
from ingest.database import ask, open_published
from ingest.load import ingest_paths

SAMPLES = Path(__file__).parents[3] / "sample_logs"
CAPABILITIES = Capabilities.load()
SCENARIOS = (
    "approval_for_other_arguments",
    "delegation_widens_authority",
    "firewall_opened_then_crossed",
    "minted_key_used_elsewhere",
    "role_chain_to_another_account",
    "approved_rotation",
)


@pytest.fixture(scope="module")
def judged_weeks(tmp_path_factory) -> Path:
    """The four benign weeks, judged."""
    data = tmp_path_factory.mktemp("weeks") / "data"
    ingest_paths([SAMPLES / "four_weeks"], data)
    fold(data, CAPABILITIES)
    detect_in(data, CAPABILITIES)
    return data


@contextmanager
def running(data: Path, folder: Path, heard: list[tuple[str, str | None]] | None = None):
    told = [] if heard is None else heard
    folder.mkdir(exist_ok=True)
    with live(
        data,
        [folder],
        CAPABILITIES,
        load_settings(),
        told=lambda case_id, case: told.append((case_id, case and case.severity)),
    ) as started:
        yield started


def tick(started: Live, seconds: float = 1.5) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        started.pipeline.tick()
        time.sleep(0.02)


def cases(data: Path) -> list[tuple[object, ...]]:
    """What a case is. Some scenarios lie weeks before the newest day: live, their supporting findings are weighed by
    all the history, where a batch weighs them by the days before."""
    return ask(open_published(data), "select case_id, severity, why, path, first_at from cases order by case_id").rows()


def events(data: Path) -> list[tuple[object, ...]]:
    return ask(
        open_published(data),
        "select * exclude (source) from events order by event_id",
    ).rows()


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_same_events_give_the_same_cases_and_ids_as_a_batch(name: str, judged_weeks: Path, tmp_path: Path) -> None:
    batch, data, folder = tmp_path / "batch", tmp_path / "live", tmp_path / "logs"
    shutil.copytree(judged_weeks, batch)
    ingest_paths([SAMPLES / name], batch)
    fold(batch, CAPABILITIES)
    detect_in(batch, CAPABILITIES)
    shutil.copytree(judged_weeks, data)
    heard: list[tuple[str, str | None]] = []
    with running(data, folder, heard) as started:
        for log in sorted((SAMPLES / name).glob("*.json*")):
            shutil.copy(log, folder)
            tick(started, 0.3)  # agent by agent, as their exporters would send
        tick(started)
        at_once = dict(heard)
        started.pipeline.finish()
    assert cases(data) == cases(batch)
    assert events(data) == events(batch)
    assert {case_id for case_id, *_ in cases(batch)} == {i for i, severity in heard if severity is not None}
    assert set(at_once) == set(dict(heard)), "a case was only found at the end"


def test_a_killed_pipeline_loses_nothing_and_a_new_one_gives_the_same_ids(judged_weeks: Path, tmp_path: Path) -> None:
    name = "firewall_opened_then_crossed"
    data, folder, batch = tmp_path / "live", tmp_path / "logs", tmp_path / "batch"
    shutil.copytree(judged_weeks, data)
    shutil.copytree(judged_weeks, batch)
    first: list[tuple[str, str | None]] = []
    with running(data, folder, first) as started:
        for log in (SAMPLES / name).glob("*.jsonl"):
            shutil.copy(log, folder)
        tick(started)
        # Nothing is finished or published: as if it were killed here.
        assert cases(data) == []
    again: list[tuple[str, str | None]] = []
    with running(data, folder, again) as started:
        tick(started, 0.3)
        started.pipeline.finish()
    ingest_paths([SAMPLES / name], batch)
    fold(batch, CAPABILITIES)
    detect_in(batch, CAPABILITIES)
    assert cases(data) == cases(batch)
    assert events(data) == events(batch)
    assert {i for i, _ in first} == {case_id for case_id, *_ in cases(data)}


def test_a_step_whose_agent_comes_later_is_judged_again_under_the_same_id(judged_weeks: Path, tmp_path: Path) -> None:
    (log,) = (SAMPLES / "delegation_widens_authority").glob("*.jsonl")
    whole = log.read_text().splitlines(keepends=True)
    data, folder = tmp_path / "live", tmp_path / "logs"
    shutil.copytree(judged_weeks, data)
    heard: list[tuple[str, str | None]] = []
    with running(data, folder, heard) as started:
        for number, told in enumerate(whole):
            with (folder / log.name).open("a") as file:
                file.write(told)
            tick(started, 0.7 if number < 3 else 0.1)
        started.pipeline.finish()
    assert {i for i, _ in heard} == {case_id for case_id, *_ in cases(data)}
    assert len(cases(data)) == 1


def test_a_second_pipeline_on_the_same_data_is_refused(tmp_path: Path) -> None:
    from ingest.errors import AlreadyRunning

    with (
        running(tmp_path / "data", tmp_path / "logs"),
        pytest.raises(AlreadyRunning, match="--watch"),
        running(tmp_path / "data", tmp_path / "logs"),
    ):
        pass


def test_a_reader_that_cannot_read_a_file_does_not_stop_the_others(tmp_path: Path) -> None:
    with running(tmp_path / "data", tmp_path / "logs") as started:
        (tmp_path / "logs" / "odd.json").write_text('{"nobody": "knows"}')
        (tmp_path / "logs" / "good.jsonl").write_text(line(0))
        tick(started, 0.3)
        started.pipeline.finish()
    assert ask(open_published(tmp_path / "data"), "select count(*) from events").item() == 1
