"""What is old leaves, what stays is judged as before, and a process killed within it leaves one state or the other."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

import custodiet
import ingest.published
from baseline.capability import Capabilities
from baseline.fold import fold
from bench._small_fleet import attack, days, write
from detect.notes import note
from detect.retention import Retained, retain
from detect.run import detect_in
from detect.scheduled import Wanted, scheduled
from detect.upkeep import compact_all
from ingest.database import ask, open_published
from ingest.load import ingest_paths
from ingest.published import editing, published

ROOT = Path(__file__).parents[2]
CAPABILITIES = Capabilities.load()
COUNTED = (
    "select day, agent_id, agent_version, aspect, context, value, sum(steps)::bigint as steps,"
    " sum(sessions)::bigint as sessions from counts group by all order by all"
)
EVENTS = "select * exclude (filename) from stored_events order by event_id, content_key"
CASES = "from cases order by case_id"
FINDINGS = "from findings order by finding_id"


@pytest.fixture(autouse=True)
def no_settings(monkeypatch) -> None:
    monkeypatch.setenv("CUSTODIET_CONFIG", os.devnull)


def asked(data: Path, sql: str) -> list[tuple[object, ...]]:
    connection = open_published(data)
    rows = ask(connection, sql).rows()
    connection.close()
    return rows


@pytest.fixture(scope="module")
def judged(tmp_path_factory) -> Path:
    """Twelve days, with an attack on the 6th, the 9th and the 11th day, read a day at a time."""
    folder = tmp_path_factory.mktemp("judged")
    for day in range(12):
        more = attack(day, f"x{day}") if day in (6, 9, 11) else []
        write(folder / "logs", days(day, day + 1), more, name=f"day-{day:02}")
        ingest_paths([folder / "logs" / f"day-{day:02}.otlp.jsonl"], folder / "data")
    assert scheduled(Wanted([folder / "logs"], folder / "data")).trouble is None
    assert len(asked(folder / "data", CASES)) >= 3
    return folder


@pytest.fixture
def data(judged: Path, tmp_path: Path) -> Path:
    shutil.copytree(judged / "data", tmp_path / "data")
    return tmp_path / "data"


def eight_days_on(data: Path, **more: object) -> Retained:
    """As of the 13th, five days: the first seven days end before the 9th of March."""
    return retain(data, CAPABILITIES, date(2026, 3, 14), 5, **more)  # type: ignore[arg-type]


def test_old_sessions_leave_with_their_findings_and_cases_and_the_rest_stays_as_it_was(data: Path) -> None:
    before = {sql: asked(data, sql) for sql in (EVENTS, CASES, FINDINGS, COUNTED)}
    young = "session_id in (select session_id from sessions where last_at >= timestamp '2026-03-09')"
    events = asked(data, f"select event_id from events where {young} order by event_id")
    young_cases = asked(data, "select * from cases where first_at >= timestamp '2026-03-09' order by case_id")
    done = eight_days_on(data)
    assert (done.before, done.kept_as_evidence) == (date(2026, 3, 9), 0)
    assert done.sessions == 7 * 40 + 2
    assert asked(data, "select event_id from events order by event_id") == events
    assert len(before[EVENTS]) - len(events) == done.events
    assert asked(data, CASES) == young_cases
    assert 0 < len(young_cases) == len(before[CASES]) - done.cases
    assert "2026-03-08" not in json.dumps(asked(data, FINDINGS), default=str)
    again = detect_in(data, CAPABILITIES)
    assert again.days_judged == 0
    assert asked(data, CASES) == young_cases
    assert sorted(asked(data, FINDINGS)) == sorted(row for row in before[FINDINGS] if row[4].split("-")[1] not in "6")


def test_counts_stay_but_those_of_flagged_sessions_from_which_nothing_is_learnt(data: Path) -> None:
    def of(sql_where: str) -> dict[tuple[object, ...], tuple[object, ...]]:
        return {row[:6]: row[6:] for row in asked(data, COUNTED) if sql_where in str(row[0])}

    before = {row[:6]: row[6:] for row in asked(data, COUNTED)}
    eight_days_on(data)
    after = {row[:6]: row[6:] for row in asked(data, COUNTED)}
    differs = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    assert {str(key[0]) for key in differs} == {"2026-03-08"}, "the day of the attack"
    assert of("2026-03-03")


def test_what_comes_later_is_judged_as_if_nothing_had_been_dropped(data: Path, judged: Path, tmp_path: Path) -> None:
    dropped, whole = data, tmp_path / "whole"
    shutil.copytree(judged / "data", whole)
    eight_days_on(dropped)
    write(tmp_path / "new", days(12, 13), attack(12, "new"), attack(10, "late"), name="new")
    for each in (dropped, whole):
        done = scheduled(Wanted([tmp_path / "new"], each))
        assert done.ran is not None
        assert done.ran.days_judged == 3
    since = "where first_at >= timestamp '2026-03-09' order by case_id"
    told = asked(dropped, f"from cases {since}")
    assert len(told) >= 4
    assert told == asked(whole, f"from cases {since}")


def test_an_old_file_read_again_changes_nothing_however_it_is_packed(data: Path, judged: Path, tmp_path: Path) -> None:
    eight_days_on(data)
    before = {sql: asked(data, sql) for sql in (EVENTS, CASES, COUNTED)}
    report = ingest_paths([judged / "logs"], data)
    assert sum(file.events for file in report.files) == 0
    repacked = write(tmp_path, days(2, 4), days(8, 9), attack(6, "x6"))
    report = ingest_paths([repacked], data)
    assert report.expired == 2 * 120 + 4
    assert scheduled(Wanted([repacked], data)).trouble is None
    assert {sql: asked(data, sql) for sql in before} == before


def test_what_people_look_at_stays_unless_everything_must_go(data: Path) -> None:
    (old, *_) = [row[0] for row in asked(data, CASES) if row[-3].isoformat() < "2026-03-09"]
    note(data, by="ana", at=1.0, case_id=str(old), words="looking at it")
    note(data, by="ana", at=1.0, session_id="triage-1-20", words="odd")
    (event,) = asked(data, "select min(event_id) from events where session_id = 'triage-2-40'")
    note(data, by="ana", at=1.0, event_id=str(event[0]), is_evidence=True)
    done = eight_days_on(data)
    assert done.kept_as_evidence == 4
    left = {row[0] for row in asked(data, "select session_id from sessions where last_at < timestamp '2026-03-09'")}
    assert left == {"rotator-6-x6", "triage-6-x6", "triage-1-20", "triage-2-40"}
    assert str(old) in {row[0] for row in asked(data, CASES)}
    assert eight_days_on(data, with_evidence=True).sessions == 4
    assert str(old) not in {row[0] for row in asked(data, CASES)}


def test_nothing_is_counted_twice_where_a_kill_came_before_the_counting(data: Path, monkeypatch) -> None:
    before = {row[:6]: row[6] for row in asked(data, COUNTED)}
    monkeypatch.setattr("detect.retention.fold", lambda *_: None)
    eight_days_on(data)
    after = {row[:6]: row[6] for row in asked(data, COUNTED)}
    assert after
    assert all(steps <= before[key] for key, steps in after.items())  # type: ignore[operator]
    fold(data, CAPABILITIES)
    whole = {row[:6]: row[6] for row in asked(data, COUNTED)}
    assert {str(key[0]) for key in before if before[key] != whole.get(key)} == {"2026-03-08"}


def test_counts_leave_when_that_is_asked_for(data: Path) -> None:
    assert asked(data, "select count(learnt) > 0 from memories") == [(True,)]
    eight_days_on(data, counts_days=8)
    first = asked(data, "select min(day) from counts")
    assert first == [(date(2026, 3, 6),)]
    assert asked(data, "select count(learnt), count(memory) > 0 from memories") == [(0, True)]


def test_a_session_goes_on_and_stays_whole(data: Path, tmp_path: Path) -> None:
    late = [line.replace("rotator-12-0", "rotator-1-20") for line in days(12, 13)[:3]]
    write(tmp_path / "new", late, name="new")
    assert scheduled(Wanted([tmp_path / "new"], data)).trouble is None
    eight_days_on(data)
    assert asked(data, "select count(*) from events where session_id = 'rotator-1-20'") == [(6,)]


def test_the_command_says_what_it_did_and_needs_to_know_how_long(data: Path) -> None:
    def run(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(custodiet.app, ["retain", "--data", str(data), *arguments])
        return done.exit_code, done.output

    assert run()[0] == 2
    code, told = run("--days", "5", "--as-of", "2026-03-14", "--json")
    assert (code, json.loads(told)["before"], json.loads(told)["sessions"]) == (0, "2026-03-09", 282)
    assert "0 sessions" in run("--days", "5", "--as-of", "2026-03-14")[1]


def test_a_run_heeds_the_settings(tmp_path: Path, monkeypatch) -> None:
    settings = tmp_path / "custodiet.toml"
    settings.write_text("[store]\nretain_days = 1\ncompact_above_segments = 9\n")
    data = tmp_path / "data"
    for day in range(10):
        write(tmp_path / "logs", days(day, day + 1), name=f"day-{day}")
        ingest_paths([tmp_path / "logs" / f"day-{day}.otlp.jsonl"], data)
    monkeypatch.setattr("detect.upkeep.today", lambda: date(2026, 3, 6))
    monkeypatch.setenv("CUSTODIET_CONFIG", str(settings))
    done = scheduled(Wanted([tmp_path / "logs"], data))
    assert done.retained is not None
    assert (done.ran and done.ran.sessions_dropped, done.compacted) == (3 * 40, None)
    settings.write_text("[store]\ncompact_above_segments = 2\n")
    again = scheduled(Wanted([tmp_path / "logs"], data))
    assert again.retained is None
    assert again.compacted is not None
    assert len(published(data).files("events")) == 7, "seven of a size are not yet worth it"


def test_compaction_leaves_every_answer_as_it_was(data: Path) -> None:
    queries = (EVENTS, CASES, FINDINGS, COUNTED, "from files", "from sessions order by session_id", "from could_fire",
               "select * exclude (segment) from stored_traces order by all", "from gaps order by all")  # fmt: skip
    before = {sql: asked(data, sql) for sql in queries}
    order = asked(data, "select event_id from events where agent_id = 'triage' order by ordered_at, event_id")
    done = compact_all(data, CAPABILITIES)
    assert (done.segments_before, done.segments) == (12, 1)
    assert len(published(data).files("files")) == 1
    assert {sql: asked(data, sql) for sql in queries} == before
    assert asked(data, "select event_id from events where agent_id = 'triage' order by ordered_at, event_id") == order
    assert detect_in(data, CAPABILITIES).days_judged == 0
    assert {sql: asked(data, sql) for sql in queries} == before
    assert compact_all(data, CAPABILITIES).files_merged == 0


def test_a_reader_of_the_former_edition_has_an_hour(data: Path, monkeypatch) -> None:
    hour_ago = time.time() - 2 * ingest.published.KEPT_AFTER_USE_S
    for file in data.rglob("*.parquet"):
        os.utime(file, (hour_ago, hour_ago))
    reader = open_published(data)
    before = ask(reader, "select count(*) from stored_events").item()
    compact_all(data, CAPABILITIES)
    eight_days_on(data)
    with editing(data):
        pass
    assert ask(reader, "select count(*) from (from stored_events)").item() == before
    assert ask(reader, "select max(length(arguments)) from stored_events").item()
    monkeypatch.setattr(ingest.published, "KEPT_AFTER_USE_S", -1)
    with editing(data):
        pass
    named = {name for files in published(data).tables.values() for name in files}
    assert {f.relative_to(data).as_posix() for f in data.rglob("*.parquet")} == named


@pytest.mark.parametrize("command", ["retain", "compact"])
def test_killed_at_any_moment_it_leaves_the_state_before_or_the_state_after(
    command: str, data: Path, tmp_path: Path
) -> None:
    arguments = [sys.executable, "-m", "custodiet", command, "--data"]
    more = ["--days", "5", "--as-of", "2026-03-14"] if command == "retain" else []
    done = tmp_path / "done"
    shutil.copytree(data, done)
    subprocess.run([*arguments, str(done), *more], cwd=ROOT, check=True, capture_output=True)
    either = [asked(data, EVENTS), asked(done, EVENTS)]
    for number in range(4):
        child = subprocess.Popen([*arguments, str(data), *more], cwd=ROOT, stdout=subprocess.DEVNULL)
        while child.poll() is None and not (data / "published.draft").exists():
            lock = (data / ".run.lock").read_bytes()
            if number and f'"pid":{child.pid}'.encode() in lock and command[:4].encode() in lock:
                time.sleep(0.02 * number)
                break
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert asked(data, EVENTS) in either
    subprocess.run([*arguments, str(data), *more], cwd=ROOT, check=True, capture_output=True)
    assert scheduled(Wanted([tmp_path], data)).trouble is None
    assert asked(data, EVENTS) == either[1]
    assert asked(data, COUNTED) == asked(done, COUNTED)
    assert asked(data, CASES) == asked(done, CASES)
