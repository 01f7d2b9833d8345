"""From files to the published table: every record accounted for, and the fates of what is broken."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from random import Random

import msgspec
import pytest

import ingest.load
from ingest.database import ask, open_published
from ingest.errors import Trouble
from ingest.load import Report, all_readers, choose_reader, ingest_paths
from ingest.readers import Reader
from ingest.records import Unread
from ingest.replay import replay

SHARED = Path(__file__).parents[2] / ".." / "shared" / "samples"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared sample logs are not on this machine")
SAMPLES = [SHARED / name for name in ("temporal", "aws/agentcore", "otlp_genai", "openinference", "openai")]


def conversation(number: int, calls: int = 2) -> bytes:
    messages: list[dict[str, object]] = [{"role": "user", "content": f"case {number}"}]
    for call in range(calls):
        call_id = f"c{number}-{call}"
        function = {"name": "lookup_ip", "arguments": f'{{"ip": "10.0.{number % 250}.{call}"}}'}
        messages.append(
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": call_id, "type": "function", "function": function}],
            }
        )
        messages.append({"role": "tool", "tool_call_id": call_id, "content": "{}"})
    return msgspec.json.encode({"run_id": f"run-{number}", "agent_id": "triage", "messages": messages})


def lines(count: int) -> list[bytes]:
    return [conversation(number) for number in range(count)]


def totals(report: Report) -> dict[str, int]:
    names = ("records", "events", "folded", "rejected", "duplicates")
    found = {name: sum(getattr(file, name) for file in report.files) for name in names}
    assert found["records"] == sum(found[name] for name in names[1:])
    return found


def test_a_broken_line_in_the_middle_costs_itself_alone(tmp_path: Path) -> None:
    content = lines(10_000)
    content[5_000] = b'{"run_id": "half'
    (tmp_path / "log.jsonl").write_bytes(b"\n".join(content))
    report = ingest_paths([tmp_path / "log.jsonl"], tmp_path / "data")
    assert totals(report)["rejected"] == 1
    connection = open_published(tmp_path / "data")
    (row,) = ask(connection, "from rejected").to_dicts()
    assert (row["path"], row["line"]) == ((tmp_path / "log.jsonl").as_posix(), 5_001)
    assert "not JSON" in row["reason"]
    assert ask(connection, "select count(distinct session_id) from events").item() == 9_999


def test_again_renamed_and_overlapping_change_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(lines(30)))
    first = totals(ingest_paths([tmp_path / "a.jsonl"], tmp_path / "data"))
    steps = replay(open_published(tmp_path / "data"), "run-7")
    (tmp_path / "copy.jsonl").write_bytes((tmp_path / "a.jsonl").read_bytes())
    (tmp_path / "packed.jsonl.gz").write_bytes(gzip.compress(b"\n".join(lines(30))))
    (tmp_path / "overlap.jsonl").write_bytes(b"\n".join(lines(40)[20:]))
    again = totals(
        ingest_paths([tmp_path / "a.jsonl", tmp_path / "copy.jsonl", tmp_path / "packed.jsonl.gz"], tmp_path / "data")
    )
    assert again == {
        "records": first["records"] * 3,
        "events": 0,
        "folded": 0,
        "rejected": 0,
        "duplicates": first["records"] * 3,
    }
    assert replay(open_published(tmp_path / "data"), "run-7").equals(steps)
    overlap = totals(ingest_paths([tmp_path / "overlap.jsonl"], tmp_path / "data"))
    assert overlap["events"] == first["events"] // 3
    assert overlap["duplicates"] == overlap["records"] // 2


def test_every_bad_file_has_its_own_outcome_and_nothing_else_is_lost(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "random").write_bytes(b"\x00" + Random(7).randbytes(200_000))
    (logs / "empty.jsonl").write_bytes(b"")
    noisy = b"\n".join(lines(3_000))
    (logs / "cut.jsonl.gz").write_bytes(gzip.compress(noisy)[:20_000])
    (logs / "good.jsonl").write_bytes(conversation(77_777))
    (logs / "foreign.json").write_bytes(b'{"hello": [1, 2, 3]}')
    report = ingest_paths([logs], tmp_path / "data")
    why = {Path(unread.path).name: unread.reason for unread in report.unread}
    assert set(why) == {"random", "empty.jsonl", "foreign.json"}
    assert "binary" in why["random"]
    assert "empty" in why["empty.jsonl"]
    assert "no reader knows" in why["foreign.json"]
    cut = next(file for file in report.files if file.path.endswith("cut.jsonl.gz"))
    assert cut.rejected in (1, 2)
    assert cut.events > 1_000
    assert replay(open_published(tmp_path / "data"), "run-77777").height > 0
    totals(report)


LONG_LINE = """
import resource, sys
from pathlib import Path
from ingest.load import ingest_paths
report = ingest_paths([Path(sys.argv[1])], Path(sys.argv[2]))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
status = Path("/proc/self/status")
if status.exists():  # getrusage counts what the process that started this one held; the peak of this program is here
    peak = next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))
print(peak // 1024, report.as_dict())
"""


@pytest.mark.parametrize("shape", ["payload", "tiny_members", "garbage", "truncated"])
def test_a_line_of_50_mb_stays_under_one_gigabyte(tmp_path: Path, shape: str) -> None:
    size = 50_000_000
    body = {
        "payload": b'[{"role": "user", "content": "' + b"x" * size + b'"}]',
        "tiny_members": b'{"messages": [{"role": "user", "content": "a"}], "extra": ['
        + b'{"a":1},' * (size // 8)
        + b"1]}",
        "garbage": b"x" * size,
        "truncated": b'[{"role": "user", "content": "' + b"x" * size,
    }[shape]
    log = tmp_path / "log.jsonl"
    log.write_bytes(conversation(1) + b"\n" + body + b"\n" + conversation(2))
    done = subprocess.run(
        [sys.executable, "-c", LONG_LINE, log, tmp_path / "data"], capture_output=True, text=True, check=True
    )
    megabytes, _, told = done.stdout.partition(" ")
    assert int(megabytes) < 1_000, told
    sessions = ask(open_published(tmp_path / "data"), "select distinct session_id from events").get_column("session_id")
    assert {"run-1", "run-2"} <= set(sessions)
    if shape in ("garbage", "truncated"):
        rejected = ask(open_published(tmp_path / "data"), "select line from rejected").get_column("line").to_list()
        assert rejected == [2]


def test_a_missing_path_is_named(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match=r"nowhere.*no such file"):
        ingest_paths([tmp_path / "nowhere"], tmp_path / "data")


def test_a_broken_reader_is_reported_and_the_other_files_are_read(tmp_path: Path, monkeypatch) -> None:
    def broken(records):
        for _ in records:
            raise ZeroDivisionError("a fault in the reader")
        yield

    fragile = Reader("fragile", "", lambda first: isinstance(first, dict) and "fragile" in first, broken)
    monkeypatch.setattr(ingest.load, "all_readers", lambda: (*all_readers(), fragile))
    (tmp_path / "a.jsonl").write_bytes(b'{"fragile": 1}')
    (tmp_path / "b.jsonl").write_bytes(conversation(1))
    report = ingest_paths([tmp_path / "a.jsonl", tmp_path / "b.jsonl"], tmp_path / "data")
    assert ["fragile" in line and "a.jsonl" in line for line in report.failed] == [True]
    assert totals(report)["rejected"] == 1
    assert ask(open_published(tmp_path / "data"), "from sessions").height == 1


def test_a_reader_that_breaks_on_choosing_costs_the_file_and_not_the_run(tmp_path: Path, monkeypatch) -> None:
    def claims(first: object) -> bool:
        raise TypeError("unhashable")

    monkeypatch.setattr(ingest.load, "all_readers", lambda: (Reader("fragile", "", claims, lambda _: iter(())),))
    (tmp_path / "a.jsonl").write_bytes(b'{"fragile": 1}')
    report = ingest_paths([tmp_path / "a.jsonl"], tmp_path / "data")
    assert (len(report.failed), len(report.unread), report.files) == (1, 1, [])


def test_two_readers_that_claim_one_file_are_an_error_and_not_a_guess(monkeypatch) -> None:
    twins = tuple(Reader(name, "", lambda _: True, lambda _: iter(())) for name in ("one", "two"))
    monkeypatch.setattr(ingest.load, "all_readers", lambda: twins)
    with pytest.raises(Unread, match="one and two"):
        choose_reader({})


@needs_shared
def test_every_real_sample_is_read_and_the_counts_add_up(tmp_path: Path) -> None:
    report = ingest_paths(SAMPLES, tmp_path / "data")
    named = {file.path for file in report.files} | {unread.path for unread in report.unread}
    assert named == {p.as_posix() for folder in SAMPLES for p in folder.rglob("*") if p.is_file()}
    assert not [u for u in report.unread if not u.path.endswith(("SOURCES.md", "post-tool-use.hook.source.json"))]
    first = totals(report)
    assert first["rejected"] == 0
    stored = ask(open_published(tmp_path / "data"), "select count(*) from events").item()
    assert first["events"] == stored
    again = totals(ingest_paths(SAMPLES, tmp_path / "data"))
    assert again == {
        "records": first["records"],
        "events": 0,
        "folded": 0,
        "rejected": 0,
        "duplicates": first["records"],
    }


@needs_shared
def test_the_order_of_the_files_changes_no_replay(tmp_path: Path) -> None:
    files = sorted(f for folder in SAMPLES for f in folder.rglob("*.json*"))
    ingest_paths(files, tmp_path / "forward")
    for file in reversed(files):
        ingest_paths([file], tmp_path / "backward")
    forward, backward = (open_published(tmp_path / name) for name in ("forward", "backward"))
    sessions = ask(forward, "select session_id from sessions order by 1").get_column("session_id").to_list()
    assert sessions == ask(backward, "select session_id from sessions order by 1").get_column("session_id").to_list()
    for session in sessions:
        assert replay(forward, session).equals(replay(backward, session)), session


@needs_shared
def test_the_research_workflow_replays_its_calls_in_event_order_with_nothing_lost_or_doubled(tmp_path: Path) -> None:
    file = SHARED / "temporal" / "research-workflow-history.json"
    ingest_paths([file], tmp_path / "data")
    connection = open_published(tmp_path / "data")
    session = ask(connection, "select session_id from sessions").item()
    steps = replay(connection, session)
    scheduled = [
        int(event["eventId"])
        for event in json.loads(file.read_text())["events"]
        if event["eventType"].endswith("ACTIVITY_TASK_SCHEDULED")
    ]
    calls = steps.filter(steps["kind"].is_in(["model_call", "tool_call"]))
    assert calls["sequence"].to_list() == scheduled
    assert steps["step"].to_list() == list(range(1, steps.height + 1))
    assert calls["ordered_at"].is_sorted(), "the order holds although the history's own times run backwards"


@needs_shared
def test_no_sessions_input_tokens_are_counted_twice(tmp_path: Path) -> None:
    ingest_paths(SAMPLES, tmp_path / "data")
    connection = open_published(tmp_path / "data")
    agentcore = "select sum(input_tokens)::bigint from events where source like '%agentcore%strands_bedrock%'"
    assert ask(connection, agentcore).item() == 21_245 + 21_209 + 21_114
    nested = """
    select child.source from events as child
    join events as parent on parent.trace_id = child.trace_id and parent.event_id = child.parent_event_id
    where child.input_tokens is not null and parent.input_tokens is not null
    """
    assert ask(connection, nested).is_empty()
    misplaced = "select count(*) from events where input_tokens is not null and kind <> 'model_call'"
    assert ask(connection, misplaced).item() == 0


def test_a_file_that_grows_while_it_is_read_is_read_again(tmp_path: Path, monkeypatch) -> None:
    log = tmp_path / "log.jsonl"
    log.write_bytes(conversation(1) + b"\n")
    (chat,) = (reader for reader in all_readers() if reader.name == "chat")

    def growing(records):
        for number, record in enumerate(records):
            if number == 0:
                with log.open("ab") as file:
                    file.write(conversation(2)[:40])
            yield from chat.read(iter([record]))

    slow = Reader("chat", chat.summary, chat.claims, growing)
    monkeypatch.setattr(ingest.load, "all_readers", lambda: (slow,))
    ingest_paths([log], tmp_path / "data")
    monkeypatch.undo()
    log.write_bytes(conversation(1) + b"\n" + conversation(2) + b"\n")
    (file,) = ingest_paths([log], tmp_path / "data").files
    assert (file.rejected, file.duplicates > 0, file.events > 0) == (0, True, True)
    assert ask(open_published(tmp_path / "data"), "from sessions").height == 2


def test_a_zip_bomb_is_refused_in_bounded_memory(tmp_path: Path) -> None:
    import zlib

    bomb = zlib.compressobj(9, wbits=31)
    piece = b" " * (1 << 24)
    packed = bomb.compress(b"[") + b"".join(bomb.compress(piece) for _ in range(60)) + bomb.flush()
    assert len(packed) < 2_000_000
    (tmp_path / "bomb.json.gz").write_bytes(packed)
    script = LONG_LINE
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "bomb.json.gz", tmp_path / "data"],
        capture_output=True,
        text=True,
        check=True,
    )
    megabytes, _, told = done.stdout.partition(" ")
    assert int(megabytes) < 1_000
    assert "more than 128 MiB" in told
