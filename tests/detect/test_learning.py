"""What a run learns from, taken up from an earlier one, is what it would have learnt from the beginning."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import duckdb
import msgspec
import pytest
from fleets import Fleet, call

from baseline.capability import Capabilities
from baseline.fold import classify_tools, fold
from baseline.history import History
from detect.learning import Learning, Learnt
from ingest.database import ask, open_published

DAYS = 6
_DAYS = "select distinct cast(ordered_at as date) as day from events where ordered_at is not null order by day"


@pytest.fixture
def stored(tmp_path: Path) -> duckdb.DuckDBPyConnection:
    """Six days of three agents; one session of each day goes on in another trace on the next."""
    fleet = Fleet(tmp_path / "data")
    for day in range(DAYS):
        for agent in ("triage", "fw", "rotator"):
            for number in range(4):
                look = call("search_logs", target=f"siem-{number}", principal=f"role-{day % 2}")
                fleet.session(agent, day, look, call("delete_bucket", target=f"b-{day}"), minute=number)
    for day in range(1, DAYS):
        before = len(fleet.steps)
        fleet.session("fw", day, call("run_remote_command", target=f"host-{day}"), minute=50)
        for step in fleet.steps[before:]:
            step.session_id = f"fw-{day - 1}-1"
    fleet.store()
    fold(fleet.data, Capabilities.load())
    connection = open_published(fleet.data)
    classify_tools(connection, Capabilities.load())
    return connection


def walk(learning: Learning, days: list[date], flagged: dict[date, set[str]]) -> None:
    for day in days:
        learning.before(day)
        learning.unlearn(flagged[day], day)


def told(history: History) -> dict[str, object]:
    """All that a history holds but for what came to nothing."""
    shown, sessions, agents, *rest = msgspec.msgpack.decode(history.state(), strict=False)
    held = {kind: {v: seen for v, seen in values.items() if any(seen)} for kind, (values, *_) in shown.items()}
    fleet = [{kind: {v: n for v, n in of.items() if n} for kind, of in some.items()} for some in (sessions, agents)]
    return {"shown": {k: v for k, v in held.items() if v}, "fleet": [{k: v for k, v in f.items() if v} for f in fleet],
            "rest": rest}  # fmt: skip


@pytest.mark.parametrize("until", range(DAYS))
def test_a_history_that_is_taken_up_is_the_one_that_began_at_the_beginning(
    stored: duckdb.DuckDBPyConnection, until: int
) -> None:
    days = ask(stored, _DAYS).get_column("day").to_list()
    flagged = {day: {f"fw-{number}-1", f"triage-{number}-2"} for number, day in enumerate(days)}
    whole, first = Learning(stored, None), Learning(stored, None)
    walk(whole, days, flagged)
    walk(first, days[: until + 1], flagged)
    resumed = Learning(stored, None, first.state(days[until]))
    assert resumed.history.sessions("rotator") == first.history.sessions("rotator") == 4 * until
    resumed.unlearn_of_before(set().union(*(flagged[day] for day in days[: until + 1])), days[until])
    walk(resumed, days[until + 1 :], flagged)
    after = days[-1] + timedelta(days=1)
    whole.before(after)
    resumed.before(after)
    assert whole.history.seen("fw", "target", "host-1").steps == 0
    assert whole.history.sessions("rotator") == 4 * DAYS
    assert told(resumed.history) == told(whole.history)


def test_a_history_of_other_counts_is_not_taken_up(stored: duckdb.DuckDBPyConnection) -> None:
    days = ask(stored, _DAYS).get_column("day").to_list()
    first = Learning(stored, None)
    first.before(days[-1])
    state = first.state(days[-1])
    assert state is not None
    learnt = msgspec.structs.replace(msgspec.msgpack.decode(state, type=Learnt), added="0-0")
    anew = Learning(stored, None, msgspec.msgpack.encode(learnt))
    assert anew.history.sessions("rotator") == 0
    anew.before(days[-1])
    assert told(anew.history) == told(first.history)
