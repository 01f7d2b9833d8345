"""Weight shift: two fans, the second from a target of the first."""

from __future__ import annotations

import pytest
from fleets import Fleet, approval, call

from baseline.history import History
from detect.detectors.weight_shift import weight_shift
from detect.facts import Facts
from detect.memory import Habits
from detect.reach import Reach
from detect.shift import Shift, Shifts
from detect.step import Step

LOOK = call("search_logs", target="siem-1")
DAY = 7


def hop(target: str, **fields: object) -> dict[str, object]:
    return call("run_remote_command", target=target, **fields)


def step(target: str, event_id: str, source_host: str | None = None) -> Step:
    empty = dict.fromkeys(Step.__struct_fields__, None) | {"previous_tool": "", "gives": False, "status": "ok"}
    named = {"event_id": event_id, "session_id": "s", "agent_id": "ops", "tool": "run_remote_command"}
    return Step(**(empty | named | {"target": target, "source_host": source_host, "source": "x:1"}))  # type: ignore[arg-type]


def shifts(fleet: Fleet, second_from: str = "db-2", at_minute: int = 20, **second: object) -> list:
    """A fan of three from `jump`, then one of three."""
    fleet.habit("ops", LOOK)
    fleet.habit("other", LOOK)
    fleet.session("ops", DAY, *(hop(f"db-{n}", source_host="jump") for n in range(3)), minute=0)
    steps = [hop(f"app-{n}", source_host=second_from, **second) for n in range(3)]
    fleet.session("other", DAY, *steps, minute=at_minute)
    detected = fleet.judge()
    assert not detected.failed
    return [f for f in detected.found if f.detector.name == "weight_shift"]


def test_a_second_fan_from_a_target_of_the_first_is_found_with_both_on_its_path(fleet: Fleet) -> None:
    (found,) = shifts(fleet)
    assert [s.target for s in found.finding.path] == ["db-0", "db-1", "db-2", "app-0", "app-1", "app-2"]
    assert "3 new targets by ops, one of them db-2; then 3 from there" in found.finding.observed


@pytest.mark.parametrize("where", [{"second_from": "elsewhere"}, {"second_from": "jump"}, {"status": "denied"}])
def test_a_fan_from_elsewhere_or_from_the_same_place_or_one_that_failed_is_quiet(fleet: Fleet, where: dict) -> None:
    assert not shifts(fleet, **where)


def test_a_second_fan_after_the_window_is_quiet(fleet: Fleet) -> None:
    assert not shifts(fleet, at_minute=30 * 60)


def test_an_assumed_role_is_a_place_too(fleet: Fleet) -> None:
    role = "arn:aws:iam::123456789012:role/deploy"
    fleet.habit("ops", LOOK)
    first = [hop("db-1"), hop("db-2"), call("assume_role", target=role)]
    acting = "arn:aws:sts::123456789012:assumed-role/deploy/run-1"
    fleet.session("ops", DAY, *first, *(hop(f"app-{n}", principal=acting) for n in range(3)))
    assert [f.step.target for f in fleet.judge().found if f.detector.name == "weight_shift"] == ["app-2"]


def test_a_fan_that_a_person_approved_is_quiet(fleet: Fleet) -> None:
    fleet.habit("ops", LOOK)
    fleet.session("ops", DAY, *(hop(f"db-{n}", source_host="jump") for n in range(3)))
    yes = [s for n in range(3) for s in (approval(target=f"app-{n}"), hop(f"app-{n}", source_host="db-2"))]
    fleet.session("ops", DAY, *yes, minute=20)
    assert not [f for f in fleet.judge().found if f.detector.name == "weight_shift"]


@pytest.mark.parametrize(("shown", "is_found"), [(0, True), (2, True), (3, False)])
def test_what_more_than_one_in_five_hundred_sessions_show_is_quiet(shown: int, is_found: bool) -> None:
    first, second = ([step(f"{name}-{n}", f"{name}{n}") for n in range(3)] for name in ("db", "app"))
    shift = Shift("db-2", first[2], tuple(first), tuple(second), shown)
    facts = Facts(reach=Reach(True, True, False, True, 0.01, 0), shift=shift, has_history=True, fan_sessions=1_000)
    assert bool(weight_shift.judge(second[2], facts, History())) is is_found


def test_a_shift_is_a_habit_once_its_day_is_over_but_not_from_a_flagged_session() -> None:
    for flagged, shown in ((set(), 1), ({"s"}, 0)):
        habits, shifts = Habits(), Shifts()
        shifts.take(step("db-2", "a", source_host="jump"), {}, habits, 3600)
        touched = {"db-2": [step("db-2", "a", source_host="jump")]}
        assert shifts.take(step("app-1", "b", source_host="db-2"), touched, habits, 3600) is not None
        habits.end_day(flagged)
        assert habits.seen("shift", "1") == shown
