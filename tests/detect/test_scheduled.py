"""`custodiet run` on a schedule: real processes that loop, overlap, fail, are told to stop, and meet late data."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bench._small_fleet import attack, days, write
from detect.every import again_and_again, seconds_of
from detect.ran import LateDay, Ran, remember, remembered
from detect.scheduled import Wanted, scheduled
from ingest.at_work import at_work, is_held, last_at_work
from ingest.database import ask, open_published
from ingest.errors import AlreadyRunning

ROOT = Path(__file__).parents[2]


def started(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "custodiet", "run", *map(str, arguments)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | {"CUSTODIET_CONFIG": "/dev/null"},
    )  # fmt: skip


@pytest.mark.parametrize(("said", "seconds"), [("90s", 90), ("15m", 900), ("1h", 3600), (" 2d ", 172_800)])
def test_a_duration_is_a_number_and_a_unit(said: str, seconds: int) -> None:
    assert seconds_of(said) == seconds


@pytest.mark.parametrize("said", ["", "15", "m", "0m", "-5m", "1.5h", "15 minutes", "15M"])
def test_what_is_no_duration_is_refused_with_how_to_write_one(said: str) -> None:
    with pytest.raises(ValueError, match="15m"):
        seconds_of(said)


def test_runs_begin_on_time_and_those_that_were_missed_are_not_made_up_for() -> None:
    at, began, stop = [0.0], [], threading.Event()
    waits: list[float] = []
    stop.wait = lambda seconds=None: (waits.append(seconds), at.__setitem__(0, at[0] + seconds))[0] and False  # type: ignore[method-assign, assignment, func-returns-value]

    def run(number: int) -> None:
        began.append(at[0])
        at[0] += 250 if number == 2 else 10
        if number == 4:
            stop.set()

    assert again_and_again(100, stop, run, now=lambda: at[0]) == 4
    assert began == [0, 100, 350, 450]


def test_a_loop_says_a_line_a_run_goes_on_after_trouble_and_ends_in_order(tmp_path: Path) -> None:
    logs, data = tmp_path / "logs", tmp_path / "data"
    write(logs, days(0, 2))
    child = started(logs, "--data", data, "--every", "1s", "--json")
    assert child.stderr is not None
    said = [child.stderr.readline(), child.stderr.readline()]
    assert "a run every 1 s" in said[0]
    assert "run 1: done: 240 records, 240 new events" in said[1]
    logs.rename(tmp_path / "away")
    while "failed" not in said[-1]:
        said.append(child.stderr.readline())
        assert child.poll() is None
    assert "no such file or folder" in said[-1]
    (tmp_path / "away").rename(logs)
    while "done" not in said[-1]:
        said.append(child.stderr.readline())
    child.send_signal(signal.SIGTERM)
    out, rest = child.communicate(timeout=60)
    assert child.returncode == 0
    assert "told to stop after" in rest
    ran = remembered(data)
    assert {r.outcome for r in ran} >= {"done", "failed"}
    assert [json.loads(line)["outcome"] for line in out.splitlines()] == [r.outcome for r in ran]
    assert (ran[0].events, sum(r.events for r in ran)) == (240, 240)


def test_two_runs_at_once_the_second_says_so_and_leaves_with_75(tmp_path: Path) -> None:
    logs, data = tmp_path / "logs", tmp_path / "data"
    write(logs, days(0, 2))
    children = [started(logs, "--data", data) for _ in range(2)]
    told = [child.communicate(timeout=120) for child in children]
    codes = [child.returncode for child in children]
    if 75 not in codes:  # one was over before the other began
        assert codes == [0, 0]
    with at_work(data) as say:
        say("reading")
        late = started(logs, "--data", data)
        out, err = late.communicate(timeout=120)
    assert late.returncode == 75
    assert f"another custodiet runs here (process {os.getpid()}, reading)" in err
    assert out == ""
    assert ask(open_published(data), "select count(*) from events").item() == 240, told
    assert remembered(data)[-1].outcome == "overlapped"


def test_the_lock_ends_with_its_process_and_what_it_was_at_stays(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", "import sys, time; from pathlib import Path; from ingest.at_work import at_work\n"
         "with at_work(Path(sys.argv[1])) as say:\n    say('judging'); print('held', flush=True); time.sleep(60)", str(tmp_path)],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    assert is_held(tmp_path / ".run.lock")
    with pytest.raises(AlreadyRunning, match="judging"), at_work(tmp_path):
        pass
    holder.kill()
    holder.communicate()
    assert not is_held(tmp_path / ".run.lock")
    left = last_at_work(tmp_path)
    assert left is not None
    assert (left.pid, left.step) == (holder.pid, "judging")
    with at_work(tmp_path):
        pass


def test_told_to_stop_a_run_ends_before_its_next_step_and_the_next_one_takes_the_rest(tmp_path: Path) -> None:
    logs, data = tmp_path / "logs", tmp_path / "data"
    write(logs, days(0, 1))

    class AfterReading(threading.Event):
        def is_set(self) -> bool:
            left = last_at_work(data)
            return left is not None and left.step == "reading"

    done = scheduled(Wanted([logs], data), AfterReading())
    assert done.ran is not None
    assert (done.ran.outcome, done.ran.events, done.detected) == ("stopped", 120, None)
    again = scheduled(Wanted([logs], data))
    assert again.ran is not None
    assert (again.ran.outcome, again.ran.events, again.ran.days_judged) == ("done", 0, 1)


def test_late_events_of_a_day_change_that_days_case_and_nothing_else(tmp_path: Path) -> None:
    logs, data = tmp_path / "logs", tmp_path / "data"
    early, late = attack(3, "a")[:-1], attack(3, "a")[-1:]
    write(logs, days(0, 6), early, attack(5, "b"), name="first")
    first = scheduled(Wanted([logs], data)).detected
    assert first is not None
    before = cases(data)
    write(logs, late, name="late")
    done = scheduled(Wanted([logs], data))
    assert done.ran is not None
    assert done.ran.late == (LateDay(done.ran.late[0].day, len(late)),)
    assert done.ran.days_judged == 4, (
        "from the last day before it whose memory is kept: the day before, it, and two more"
    )
    after = cases(data)
    touched = {case for case in before.keys() | after.keys() if before.get(case) != after.get(case)}
    assert touched
    sessions = {s for case in touched for s in (after.get(case) or before[case])[0]}
    assert sessions == {"rotator-3-a", "triage-3-a"}
    whole = tmp_path / "whole"
    assert scheduled(Wanted([logs], whole)).trouble is None
    assert cases(whole) == after


def cases(data: Path) -> dict[str, tuple[object, ...]]:
    sql = "select case_id, sessions, why, findings, path from cases order by case_id"
    return {row[0]: row[1:] for row in ask(open_published(data), sql).iter_rows()}


def test_the_account_of_runs_survives_a_cut_line_and_stays_small(tmp_path: Path, monkeypatch) -> None:
    remember(tmp_path, Ran(1.0, 1.0, "done"))
    with (tmp_path / "runs.jsonl").open("a") as file:
        file.write('{"began_at": 2.0, "took')
    remember(tmp_path, Ran(3.0, 1.0, "failed", why="disk"))
    assert [r.began_at for r in remembered(tmp_path)] == [1.0, 3.0]
    monkeypatch.setattr("detect.ran.MOST_BYTES", 2_000)
    for number in range(200):
        remember(tmp_path, Ran(float(number), 1.0, "done"))
    assert (tmp_path / "runs.jsonl").stat().st_size < 2_200
    assert remembered(tmp_path)[-1].began_at == 199.0


def test_memory_is_flat_over_many_runs(tmp_path: Path) -> None:
    logs, data = tmp_path / "logs", tmp_path / "data"
    write(logs, days(0, 2))
    child = started(logs, "--data", data, "--every", "1s")
    sizes: list[int] = []
    assert child.stderr is not None
    for line in child.stderr:
        if ": done:" in line:
            sizes.append(int(Path(f"/proc/{child.pid}/statm").read_text().split()[1]))
        if len(sizes) == 12:
            break
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=60)
    assert child.returncode == 0
    assert sizes[-1] < sizes[3] * 1.1
