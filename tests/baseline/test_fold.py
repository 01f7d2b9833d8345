"""Counts that add: the same whatever was folded first, and taken off again without a trace."""

from __future__ import annotations

from pathlib import Path
from random import Random

import polars as pl
import pytest
from fleets import Fleet, approval, call

from baseline.capability import Capabilities
from baseline.fold import classify_tools, counts_of_sessions, fold
from ingest.database import ask, open_published
from ingest.published import editing
from ingest.store import EventWriter

CAPABILITIES = Capabilities.load()
_SUMMED = """
select day, agent_id, agent_version, aspect, context, value, sum(steps)::bigint as steps, sum(sessions)::bigint as sessions
from counts
group by all
order by all
"""


def busy(data: Path) -> Fleet:
    """Two agents over four days: failures, hand-offs, approvals, a session that spans traces and days."""
    fleet = Fleet(data)
    ask_first = {
        "kind": "message",
        "operation": "user",
        "tool": None,
        "arguments": '"open 10.0.0.7 for web-01.corp.example"',
    }
    for day in range(4):
        for minute in range(5):
            fleet.session(
                "triage", day, ask_first,
                call("search_logs", target="siem-1", result='{"host": "db-9.corp.example"}'),
                call("get_host", target=f"h{minute}", status="error" if minute == 2 else "ok"),
                approval("ana"),
                call("modify_firewall_rule", arguments='{"host": "db-9.corp.example", "cidr": "10.0.0.7", "port": 443}'),
                minute=minute * 7,
            )  # fmt: skip
            fleet.session(
                "rotator", day, call("assume_role", target="r1", principal="p"), call("rotate_key"), minute=minute
            )
    for part in range(3):
        fleet.session(
            "triage", part, call("search_logs"), call("delete_bucket", target="b"), minute=300, name=f"long-{part}"
        )
    for step in fleet.steps:
        if step.trace_id.startswith("long-"):
            step.session_id = "long"
    return fleet


def add(data: Path, steps: list, *, then_fold: bool) -> None:
    with editing(data) as edition:
        writer = EventWriter(edition)
        for step in steps:
            writer.add(0, step)
        writer.finish()
        edition.publish()
    if then_fold:
        fold(data, CAPABILITIES)


def counts(data: Path) -> pl.DataFrame:
    return ask(open_published(data), _SUMMED)


@pytest.mark.parametrize("seed", range(4))
def test_folding_day_by_day_in_any_order_is_recomputing(tmp_path: Path, seed: int) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    steps = busy(whole).steps
    add(whole, steps, then_fold=True)
    traces = sorted({s.trace_id for s in steps})
    Random(seed).shuffle(traces)
    for start in range(0, len(traces), 7):
        these = set(traces[start : start + 7])
        add(parts, [s for s in busy(parts).steps if s.trace_id in these], then_fold=True)
    assert counts(parts).equals(counts(whole))
    assert counts(whole).height > 100


def test_a_session_over_several_segments_is_one_session_a_day(tmp_path: Path) -> None:
    steps = busy(tmp_path).steps
    for part in range(3):
        add(tmp_path, [s for s in steps if s.trace_id == f"long-{part}"], then_fold=True)
    (row,) = counts(tmp_path).filter(pl.col("aspect") == "session", pl.col("day") == pl.date(2026, 3, 2)).to_dicts()
    assert row["sessions"] == 1
    same_day = [s for s in busy(tmp_path).steps if s.trace_id == "long-0"]
    for step in same_day:
        step.trace_id, step.event_id = "again", step.event_id + "again"
        step.session_id = "long"
    add(tmp_path, same_day, then_fold=True)
    (row,) = counts(tmp_path).filter(pl.col("aspect") == "session", pl.col("day") == pl.date(2026, 3, 2)).to_dicts()
    assert (row["steps"], row["sessions"]) == (4, 1)


def test_folding_again_folds_nothing(tmp_path: Path) -> None:
    add(tmp_path, busy(tmp_path).steps, then_fold=True)
    assert fold(tmp_path, CAPABILITIES) == 0


def test_taking_a_session_off_leaves_what_was_there_without_it(tmp_path: Path) -> None:
    with_it, without = tmp_path / "with", tmp_path / "without"
    steps = busy(with_it).steps
    add(with_it, steps, then_fold=True)
    add(without, [s for s in busy(without).steps if s.session_id != "long"], then_fold=True)
    connection = open_published(with_it)
    classify_tools(connection, CAPABILITIES)
    numbers = [pl.col("steps"), pl.col("sessions")]
    off = counts_of_sessions(connection, ["long"]).drop("session_id").with_columns(-number for number in numbers)
    left = pl.concat([counts(with_it), off]).group_by(pl.exclude("steps", "sessions")).agg(n.sum() for n in numbers)
    left = left.filter(pl.col("steps") != 0).sort(pl.all())
    assert left.equals(counts(without).sort(pl.all()))


def rows_of(data: Path, aspect: str) -> set[tuple[str, str, int]]:
    found = counts(data).filter(pl.col("aspect") == aspect, pl.col("agent_id") == "triage")
    summed = found.group_by("context", "value").agg(pl.col("steps").sum())
    return set(summed.iter_rows())


def test_where_values_came_from_is_counted(tmp_path: Path) -> None:
    add(tmp_path, busy(tmp_path).steps, then_fold=True)
    assert rows_of(tmp_path, "origin") == {
        ("modify_firewall_rule cidr", "request", 20),
        ("modify_firewall_rule host", "answer", 20),
        ("modify_firewall_rule port", "nowhere", 20),
    }
    assert rows_of(tmp_path, "value") == {
        ("host", "db-9.corp.example", 20), ("address", "10.0.0.7", 20), ("amount", "10^2", 20),
    }  # fmt: skip


def test_states_carry_their_outcome_and_three_of_them_are_kept(tmp_path: Path) -> None:
    add(tmp_path, busy(tmp_path).steps, then_fold=True)
    after_a_failure = {row for row in rows_of(tmp_path, "next_1") if row[0] == "get_host failed"}
    assert after_a_failure == {("get_host failed", "modify_firewall_rule", 4)}
    assert ("^ → search_logs → get_host", "modify_firewall_rule", 16) in rows_of(tmp_path, "next_3")


def test_decisions_and_links_are_counted(tmp_path: Path) -> None:
    add(tmp_path, busy(tmp_path).steps, then_fold=True)
    assert rows_of(tmp_path, "approver") == {("approved", "ana", 20)}
    roles = counts(tmp_path).filter(pl.col("aspect") == "role_role").select("context", "value", "steps").rows()
    assert roles == [("p", "r1", 5)] * 4
