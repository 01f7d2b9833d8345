"""The store: each step once, whatever was ingested before and in what order."""

from __future__ import annotations

import random
from pathlib import Path

import polars as pl
import pytest

from ingest import store as store_module
from ingest.database import ask, open_published, write_for_people
from ingest.event import Observation
from ingest.replay import replay

SECOND = 1_000_000_000


def trace(number: int, steps: int = 5, session: str | None = None) -> list[Observation]:
    said = [
        Observation(
            event_id=f"{number}-{step}",
            trace_id=f"t{number}",
            session_id=session or f"s{number}",
            agent_id=f"agent-{number % 3}",
            kind="tool_call",
            operation="execute_tool",
            tool=f"tool-{step}",
            arguments=f'{{"n": {step}}}',
            status="pending",
            started_at=(number * 100 + step) * SECOND + 7,
            source=f"log.jsonl:{number * 10 + step}",
            source_sha256="0" * 64,
        )
        for step in range(steps)
    ]
    ends = [
        Observation(
            event_id=o.event_id,
            trace_id=o.trace_id,
            kind="tool_call",
            operation="result",
            status="ok",
            result='"done"',
            ended_at=(o.started_at or 0) + SECOND,
            witness="log",
            source="log.jsonl:9",
            source_sha256="1" * 64,
        )
        for o in said
    ]
    return said + ends


def everything(data: Path) -> pl.DataFrame:
    connection = open_published(data)
    columns = "event_id, session_id, agent_id, tool, arguments, result, status, ordered_at, ended_at, witnesses"
    return ask(connection, f"select {columns} from events order by event_id")


def test_a_result_is_folded_into_its_call(tmp_path: Path, store) -> None:
    assert store(*trace(1)) == {"events": 5, "folded": 5}
    events = everything(tmp_path / "data")
    assert events["status"].to_list() == ["ok"] * 5
    assert events["witnesses"].to_list() == [2] * 5
    assert events["ordered_at"].dt.epoch("ns").to_list() == [(100 + s) * SECOND + 7 for s in range(5)]


def test_the_same_records_again_change_nothing(tmp_path: Path, store) -> None:
    store(*trace(1), *trace(2))
    before = everything(tmp_path / "data")
    assert store(*trace(2), *trace(1)) == {"duplicates": 20}
    assert everything(tmp_path / "data").equals(before)


def test_an_overlapping_export_adds_only_what_is_new(tmp_path: Path, store) -> None:
    store(*trace(1, steps=3), *trace(2))
    assert store(*trace(1, steps=5)) == {"duplicates": 6, "events": 2, "folded": 2}
    assert everything(tmp_path / "data").height == 10


def test_split_and_shuffled_exports_give_the_same_events(tmp_path: Path, store, monkeypatch) -> None:
    records = [o for number in range(40) for o in trace(number, session=f"s{number // 2}")]
    store(*records, data=tmp_path / "once")
    monkeypatch.setattr(store_module, "FLUSH_OBSERVATIONS", 37)
    shuffled = records[:]
    random.Random(3).shuffle(shuffled)
    for start in range(0, len(shuffled), 90):
        store(*shuffled[start : start + 90], data=tmp_path / "split")
    assert everything(tmp_path / "split").equals(everything(tmp_path / "once"))
    once, split = (open_published(tmp_path / name) for name in ("once", "split"))
    for session in ("s0", "s7", "s19"):
        assert replay(once, session).drop("source").equals(replay(split, session).drop("source"))
    assert ask(once, "from sessions order by session_id").equals(ask(split, "from sessions order by session_id"))


def test_a_trace_lies_whole_in_one_segment(tmp_path: Path, store, monkeypatch) -> None:
    monkeypatch.setattr(store_module, "FLUSH_OBSERVATIONS", 20)
    store(*[o for number in range(20) for o in trace(number)])
    connection = open_published(tmp_path / "data")
    per_trace = ask(connection, "select count(distinct filename) as n from stored_events group by trace_id")
    assert per_trace["n"].to_list() == [1] * 20
    assert ask(connection, "select count(distinct filename) as n from stored_events").item() > 1


def test_sessions_count_their_steps_and_tokens(tmp_path: Path, store) -> None:
    call = Observation(
        event_id="m",
        trace_id="t1",
        kind="model_call",
        operation="chat",
        input_tokens=10,
        output_tokens=2,
        status="ok",
    )
    store(*trace(1), call)
    session = ask(open_published(tmp_path / "data"), "from sessions").to_dicts()[0]
    assert (session["session_id"], session["agent_id"], session["steps"]) == ("s1", "agent-1", 6)
    assert (session["tool_calls"], session["input_tokens"], session["output_tokens"]) == (5, 10, 2)


def test_an_empty_data_directory_answers_every_question_with_nothing(tmp_path: Path) -> None:
    connection = open_published(tmp_path)
    for view in ("events", "witnesses", "sessions", "findings", "cases", "counts", "files", "rejected"):
        assert ask(connection, f"from {view}").is_empty()


def test_the_connection_reads_nothing_else_and_cannot_be_unlocked(tmp_path: Path, store) -> None:
    import duckdb

    store(*trace(1))
    connection = open_published(tmp_path / "data")
    for sql in (
        "select * from read_text('/etc/hostname')",
        "set enable_external_access = true",
        "install httpfs",
    ):
        with pytest.raises(duckdb.Error):
            connection.execute(sql).fetchall()


def test_a_value_from_a_log_is_only_ever_a_value(tmp_path: Path, store) -> None:
    hostile = trace(1)
    for o in hostile:
        o.session_id = "'; drop view events; --"
    store(*hostile)
    connection = open_published(tmp_path / "data")
    assert replay(connection, "'; drop view events; --").height == 5


def test_people_get_a_database_file_with_the_same_views(tmp_path: Path, store) -> None:
    import duckdb

    store(*trace(1))
    path = write_for_people(tmp_path / "data")
    with duckdb.connect(str(path), read_only=True) as connection:
        assert connection.execute("select count(*) from events").fetchone() == (5,)


def test_a_store_from_before_a_column_was_added_still_opens(tmp_path: Path, store) -> None:
    import pyarrow.parquet as pq

    store(*trace(1))
    (segment,) = (tmp_path / "data" / "events").glob("*.parquet")
    pq.write_table(pq.read_table(segment).drop_columns(["gap", "model"]), segment)
    connection = open_published(tmp_path / "data")
    assert replay(connection, "s1")["gap"].null_count() == 5


def test_one_witness_among_many_rows_is_no_event(tmp_path: Path, store) -> None:
    # DuckDB 2.0.0 lets `is null` pass a column that has statistics, no dictionary, nulls and one other value.
    (one, *_), others = trace(1, steps=1), trace(2, steps=20)[:20]
    again = Observation(
        event_id=one.event_id, trace_id=one.trace_id, kind="tool_call", operation="result", status="ok", witness="log"
    )
    told = store(one, again, *others)
    assert told == {"events": 21, "folded": 1}
    connection = open_published(tmp_path / "data")
    assert ask(connection, "select count(*) from events").item() == 21
    assert ask(connection, "select count(*) from witnesses").item() == 1


def told_twice(number: int) -> list[Observation]:
    """A call that pauses in one trace and goes on in another, a session file that tells of it, and its approval."""
    call = f"call:toolu_{number:02}AbC8dEfG7hIjK"

    def said(event: str, trace_id: str, kind: str = "tool_call", **fields: object) -> Observation:
        defaults: dict[str, object] = {"operation": "execute_tool", "tool": "block", "joins": call}
        return Observation(event_id=f"{number}-{event}", trace_id=trace_id, kind=kind, **(defaults | fields))  # type: ignore[arg-type]

    at = number * 100 * SECOND
    return [
        said("run", f"a{number}", "lifecycle", tool=None, joins=None, operation="invoke_agent", started_at=at),
        said("asked", f"a{number}", status="pending", parent_event_id=f"{number}-run", started_at=at + 1),
        said("question", f"a{number}", "approval", status="pending", approval="pending", started_at=at + 2),
        said("answer", f"b{number}", "approval", status="ok", approval="approved", approver="ann", started_at=at + 3),
        said("made", f"b{number}", status="ok", approval="cannot_record", started_at=at + 4),
        said("after", f"b{number}", tool="look", joins=None, parent_event_id=f"{number}-made", started_at=at + 5),
        said(
            "told", f"file{number // 3}", witness="message", status="ok", result='"done"', session_id=f"s{number // 3}"
        ),
    ]


def test_a_call_told_in_three_traces_is_one_event_whatever_came_first(tmp_path: Path, store, monkeypatch) -> None:
    records = [o for number in range(9) for o in told_twice(number)]
    store(*records, data=tmp_path / "once")
    once = open_published(tmp_path / "once")
    calls = ask(once, "from events where tool = 'block' and kind = 'tool_call' order by event_id").to_dicts()
    assert [(c["event_id"], c["witnesses"], c["status"], c["approval"], c["approver"], c["result"]) for c in calls] == [
        (f"{n}-made", 3, "ok", "approved", "ann", '"done"') for n in range(9)
    ]
    assert ask(once, "select count(*) from events where kind = 'approval'").item() == 9
    assert ask(once, "select count(*) from gaps").item() == 0
    monkeypatch.setattr(store_module, "FLUSH_OBSERVATIONS", 11)
    columns = "* exclude (source, source_sha256)"
    for seed in range(6):
        shuffled = records[:]
        random.Random(seed).shuffle(shuffled)
        data = tmp_path / f"shuffled{seed}"
        counted: dict[str, int] = {}
        for start in range(0, len(shuffled), 17):
            for outcome, count in store(*shuffled[start : start + 17], data=data).items():
                counted[outcome] = counted.get(outcome, 0) + count
        assert sum(counted.values()) == len(records)
        again = open_published(data)
        query = f"select {columns} from events order by event_id"
        assert ask(again, query).equals(ask(once, query))
        assert ask(again, "from sessions order by session_id").equals(ask(once, "from sessions order by session_id"))
        assert store(*records, data=data) == {"duplicates": len(records)}
