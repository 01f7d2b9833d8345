"""Plain traces settled in columns: the same tables and the same account as settling them one by one."""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ingest.store
from ingest.event import Observation, Row
from ingest.joins import joined_by
from ingest.load import ingest_paths
from ingest.plain import linked_traces
from ingest.published import published
from ingest.segments import in_storage_order, to_rows, to_table, traces_of
from ingest.settle import content_key, settle

MAPPING = """
name = "bench"
[match]
"/vendor" = "bench"
[fields]
time = "/at"
agent = "/agent"
[optional]
id = "/id"
parent = "/parent"
trace = "/trace"
session = "/session"
version = "/version"
sequence = "/n"
kind = "/kind"
human = "/human"
arguments = "/given"
status = "/status"
input_tokens = "/tokens"
[kinds]
model = "model_call"
handoff = "handoff"
run = "lifecycle"
"""

_few = st.sampled_from([None, None, "a", "b", "ä"])
_record = st.fixed_dictionaries(
    {
        "vendor": st.just("bench"),
        "at": st.sampled_from([1_790_000_000, 1_790_000_001.5, "2026-05-04T10:00:00.123456789Z", "soon", None]),
        "agent": _few,
        "id": st.sampled_from([None, "1", "2", "3", "4", "5", "6"]),
        "trace": st.sampled_from(["t1", "t2", "t3", "t4", "t5", "t6"]),
        "session": _few,
        "version": _few,
        "human": _few,
        "kind": st.sampled_from([None, None, "model", "tool", "run", "handoff"]),
        "status": st.sampled_from([None, "ok", "failed", 403]),
        "given": st.sampled_from([None, {"host": "h1", "n": 10**25}, '{"run_as": "root"}', [{"url": "u"}], "x", 7]),
    },
    optional={
        "parent": st.sampled_from([None, None, None, "1", "2"]),
        "n": st.sampled_from([None, None, None, 1, 2]),
        "tokens": st.sampled_from([5, "7", -1]),
    },
)
_line = st.one_of(
    *[_record.map(json.dumps)] * 9, st.sampled_from(["", "{", "3", '{"vendor": "bench", "agent": 1e999}'])
)
_files = st.lists(st.lists(_line, min_size=1, max_size=12), min_size=1, max_size=3)


def stored(data: Path) -> dict[str, list[pa.Table]]:
    state = published(data)
    names = ("events", "traces", "files", "rejected")
    return {table: [pq.read_table(data / name) for name in state.files(table)] for table in names}


def ingested(folder: Path, name: str, runs: list[list[Path]]) -> tuple[object, ...]:
    reports = [ingest_paths(paths, folder / name, mappings=[folder / "bench.toml"]).as_dict() for paths in runs]
    return reports, stored(folder / name)


@settings(max_examples=60, deadline=None)
@given(files=_files, splits=st.booleans(), flush=st.sampled_from([3, 100_000]))
def test_both_ways_give_the_same_tables_and_the_same_account(files: list[list[str]], splits: bool, flush: int) -> None:
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        folder = Path(name)
        (folder / "bench.toml").write_text(MAPPING)
        paths = [folder / f"{number}.jsonl" for number in range(len(files))]
        for path, lines in zip(paths, files, strict=True):
            path.write_text("\n".join(['{"vendor": "bench", "agent": "a", "at": 1790000000}', *lines]))
        runs = [[path] for path in paths] if splits else [paths]
        patch.setattr(ingest.store, "FLUSH_OBSERVATIONS", flush)
        in_columns = ingested(folder, "columns", runs)
        patch.setattr(ingest.store, "linked_traces", lambda said: {o.trace_id for o in said})
        assert in_columns == ingested(folder, "one-by-one", runs)


_observation = st.builds(
    Observation,
    event_id=st.sampled_from([f"e{number}" for number in range(9)]),
    trace_id=st.sampled_from(["t1", "t2", "t3"]),
    kind=st.sampled_from(["tool_call", "approval", "lifecycle", "handoff"]),
    operation=st.sampled_from(["invoke_agent", "step"]),
    session_id=st.sampled_from([None, "", "s"]),
    agent_id=st.sampled_from([None, "", "a", "b"]),
    agent_version=st.sampled_from([None, "", "1"]),
    on_behalf_of=st.sampled_from([None, "", "ana"]),
    service=st.sampled_from([None, "", "svc"]),
    started_at=st.sampled_from([None, 5, 9]),
    ended_at=st.sampled_from([None, 7]),
    status=st.sampled_from(["ok", "error", "unknown"]),
    approval=st.sampled_from([None, "approved", "not_recorded"]),
    witness=st.sampled_from(["span", "log", "infrastructure"]),
    input_tokens=st.sampled_from([None, 3]),
    joins=st.sampled_from(
        [None, None, None, joined_by(call=("call_wrrKpr7XnsTaNcHp3nssmJzH", "call_0123456789abcdef"))]
    ),
    parent_event_id=st.sampled_from([None, None, None, "e1"]),
)
_observations = st.lists(_observation, max_size=12)


@given(said=_observations)
def test_a_plain_trace_is_settled_as_any_other(said: list[Observation]) -> None:
    linked = linked_traces(said)
    plain = {content_key(o): o for o in said if o.trace_id not in linked}
    if plain:
        in_columns = in_storage_order(ingest.store.settled_plainly(plain, list(plain.values())))
        assert in_columns == in_storage_order(to_table(settle(plain.items())))


@given(said=_observations)
def test_rows_lie_in_the_total_order_of_their_sessions(said: list[Observation]) -> None:
    rows = settle({content_key(o): o for o in said}.items())
    assert to_rows(in_storage_order(to_table(rows))) == sorted(rows, key=_place)


def _place(row: Row) -> tuple[object, ...]:
    at = -1 if row.ordered_at is None else row.ordered_at
    order = (row.sequence if row.sequence is not None else -1, row.depth, row.kind_rank, row.event_id, row.content_key)
    return (row.agent_id or "", row.session_id or "", at, row.trace_id, *order)


@given(said=_observations)
def test_the_index_counts_what_each_agent_did_in_each_trace(said: list[Observation]) -> None:
    rows = settle({content_key(o): o for o in said}.items())
    told: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        told[row.trace_id, row.session_id or "", row.agent_id or "", row.agent_version or ""].append(row)
    index = traces_of(to_table(rows), "here")
    times = {name: index.column(name).cast(pa.int64()).to_pylist() for name in ("first_at", "last_at")}
    index = index.drop_columns(list(times))
    for name, values in times.items():
        index = index.append_column(name, pa.array(values, pa.int64()))
    assert index.to_pylist() == [_told(key, told[key]) for key in sorted(told)]


def _told(key: tuple[str, ...], rows: list[Row]) -> dict[str, object]:
    steps = [row for row in rows if row.witness_of is None]
    starts = [row.ordered_at for row in steps if row.ordered_at is not None]
    ends = [row.ended_at for row in steps if row.ended_at is not None]
    return {
        "trace_id": key[0],
        "session_id": key[1],
        "agent_id": key[2] or None,
        "agent_version": key[3] or None,
        "rows": len(rows),
        "steps": len(steps),
        "tool_calls": sum(row.kind == "tool_call" for row in steps),
        "errors": sum(row.status == "error" for row in steps),
        "input_tokens": sum(row.input_tokens or 0 for row in steps),
        "output_tokens": 0,
        "approvals": sorted({row.approval for row in steps if row.approval is not None}),
        "joins": sorted({key for row in rows if row.joins for key in row.joins.split(" ")}),
        "segment": "here",
        "first_at": min(starts, default=None),
        "last_at": max([*starts, *ends], default=None),
    }
