"""A run takes up where the last one stopped, and gives what one run over everything gives."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from fleets import Fleet, approval, call

from baseline.capability import Capabilities
from baseline.fold import fold
from detect.causal import CausalPass
from detect.continuing import is_kept
from detect.run import Detected, detect_in
from ingest.database import ask, open_published

KEY = "AKIAQ7EXAMPLE00NEWK"


def look(**fields: object) -> dict[str, object]:
    return call("search_logs", target="siem-1", **fields)


def story(data: Path) -> Fleet:
    """Ten days with a chain over three of them: a key minted, used elsewhere, a path opened and crossed."""
    fleet = Fleet(data)
    usual = "AKIATRIAGE00EXAMPLE0"
    fleet.habit("rotator", approval(target="svc-1"), call("create_access_key", target="svc-1"))
    fleet.habit("fw", approval(target="db-1"), call("modify_firewall_rule", target="db-1"))
    fleet.habit("triage", look(credential_id=usual), call("run_remote_command", target="host-1", credential_id=usual))
    fleet.session("rotator", 6, call("create_access_key", target="svc-2", result=f'{{"AccessKeyId": "{KEY}"}}'))
    fleet.session("fw", 7, call("modify_firewall_rule", arguments='{"firewall": "fw-1", "host": "db-9"}'))
    fleet.session("triage", 7, look(), call("run_remote_command", target="db-9", credential_id=KEY), minute=9)
    fleet.session("triage", 9, call("delete_bucket", target="b1", credential_id=usual), minute=5)
    return fleet


def outcome(data: Path) -> dict[str, list]:
    connection = open_published(data)
    return {table: ask(connection, f"from {table}").to_dicts() for table in ("findings", "cases", "could_fire")}


def run(fleet: Fleet, steps: list, **settings: float) -> Detected:
    fleet.steps = steps
    fleet.store()
    fold(fleet.data, Capabilities.load())
    return detect_in(fleet.data, Capabilities.load(), **settings)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> dict[str, list]:
    data = tmp_path_factory.mktemp("whole") / "data"
    fleet = story(data)
    detected = run(fleet, fleet.steps)
    assert detected.days_judged == 8
    assert len(detected.cases) >= 2
    return outcome(data)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.98])
@pytest.mark.parametrize("order", ["in time", "late", "mixed"])
def test_any_split_into_two_runs_equals_one(tmp_path: Path, whole, share: float, order: str) -> None:
    fleet = story(tmp_path / "data")
    sessions = sorted({s.session_id for s in fleet.steps}, key=lambda name: (int(name.split("-")[1]), name))
    if order == "late":
        sessions.reverse()
    elif order == "mixed":
        sessions.sort(key=lambda name: hash_of(name))
    first = set(sessions[: int(len(sessions) * share)])
    steps = fleet.steps
    run(fleet, [s for s in steps if s.session_id in first])
    run(fleet, [s for s in steps if s.session_id not in first])
    assert outcome(fleet.data) == whole


def hash_of(text: str) -> int:
    return sum(ord(c) * 31**n for n, c in enumerate(text)) % 1009


def test_a_run_without_anything_new_judges_nothing_and_keeps_everything(tmp_path: Path, whole) -> None:
    fleet = story(tmp_path / "data")
    run(fleet, fleet.steps)
    assert detect_in(fleet.data, Capabilities.load()).days_judged == 0
    assert outcome(fleet.data) == whole


def test_a_run_judges_only_the_days_that_gained_something_and_those_after(tmp_path: Path) -> None:
    fleet = story(tmp_path / "data")
    steps = fleet.steps
    run(fleet, [s for s in steps if not s.session_id.startswith("triage-9")])
    assert run(fleet, [s for s in steps if s.session_id.startswith("triage-9")]).days_judged == 1


def test_another_window_judges_everything_anew(tmp_path: Path) -> None:
    fleet = story(tmp_path / "data")
    run(fleet, fleet.steps)
    assert detect_in(fleet.data, Capabilities.load(), window_hours=6).days_judged == 8


def test_days_without_a_time_are_not_judged_twice(tmp_path: Path) -> None:
    fleet = story(tmp_path / "data")
    for step in fleet.steps:
        if step.session_id == "triage-7-9":
            step.started_at = None
    first = run(fleet, fleet.steps)
    again = detect_in(fleet.data, Capabilities.load())
    assert again.days_judged == 0
    assert [f.finding_id for f in again.found] == [f.finding_id for f in first.found]


def test_a_pass_resumed_from_its_state_goes_on_as_it_would_have(tmp_path: Path) -> None:
    from baseline.fold import classify_tools
    from baseline.history import History
    from detect.step import steps_in_time

    fleet = story(tmp_path / "data")
    fleet.store()
    connection = open_published(fleet.data)
    classify_tools(connection, Capabilities.load())
    steps = list(steps_in_time(connection))
    history = History()
    straight = CausalPass(history)
    expected = [straight.take(step) for step in steps]
    resumed, told = CausalPass(history), []
    for number, step in enumerate(list(steps_in_time(connection))):
        if number % 37 == 0:
            resumed = CausalPass.resume(resumed.state(), history)
        told.append(resumed.take(step))
    assert told == expected
    assert resumed.state() == straight.state()


def test_late_data_finds_a_memory_at_most_three_times_as_many_days_back() -> None:
    first = date(2026, 1, 1)
    for length in range(40, 80):
        last = first + timedelta(days=length)
        ages = [age for age in range(length) if is_kept(last - timedelta(days=age), last)]
        assert all(next(age for age in ages if age >= late) <= 3 * late for late in range(1, 17))
        assert len(ages) <= 7 + length // 16
        assert all(is_kept(last - timedelta(days=age), last - timedelta(days=1)) for age in ages[1:])


def test_how_the_history_stood_is_kept_of_the_days_that_late_data_belongs_to(tmp_path: Path) -> None:
    fleet = story(tmp_path / "data")
    run(fleet, fleet.steps)
    kept = ask(open_published(fleet.data), "select day from memories where learnt is not null order by day")
    days = ask(open_published(fleet.data), "select day from judged order by day desc limit 2")
    assert set(kept.get_column("day")) >= set(days.get_column("day"))
    assert kept.height < 8
