"""What the pipeline holds to: days begin with what the days before showed, trouble is tried again, memory is bounded."""

from __future__ import annotations

import json
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

import detect.live.pipeline
import ingest.open_traces
from baseline.capability import Capabilities
from baseline.fold import fold
from detect.live.service import Live, live
from detect.run import detect_in
from detect.settings import load_settings
from ingest.database import ask, open_published
from ingest.load import ingest_paths
from ingest.published import editing

CAPABILITIES = Capabilities.load()
DAY_NS = 86_400_000_000_000
MONDAY = int(datetime(2026, 3, 2, 9, 0, tzinfo=UTC).timestamp()) * 1_000_000_000


def session(number: int, day: int, tools: list[str], host: str = "web-1", agent: str = "keeper") -> str:
    """One session as an OTLP/JSON line."""
    start = MONDAY + day * DAY_NS + number * 60_000_000_000
    spans = []
    for step, tool in enumerate(tools):
        told = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": tool,
            "gen_ai.agent.name": agent,
            "gen_ai.conversation.id": f"s-{day}-{number}",
            "gen_ai.tool.call.arguments": json.dumps({"host": host, "access_key_id": "AKIAKEEPER0000000001"}),
        }
        spans.append(
            {
                "traceId": f"{day * 1000 + number + 1:032x}",
                "spanId": f"{step + 1:016x}",
                "startTimeUnixNano": str(start + step * 1_000_000_000),
                "endTimeUnixNano": str(start + step * 1_000_000_000 + 5),
                "attributes": [{"key": k, "value": {"stringValue": v}} for k, v in told.items()],
            }
        )
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}) + "\n"


def days(first: int, last: int) -> str:
    return "".join(
        session(n, day, ["get_host", "modify_firewall_rule"]) for day in range(first, last) for n in range(8)
    )


def judged_as_batch(folder: Path, data: Path) -> list[tuple[object, ...]]:
    ingest_paths([folder], data)
    fold(data, CAPABILITIES)
    detect_in(data, CAPABILITIES)
    return found(data)


def found(data: Path) -> list[tuple[object, ...]]:
    sql = "select finding_id, case_id, detector, observed, expected, anomaly, event_ids from findings order by all"
    return ask(open_published(data), sql).rows()


def tick(started: Live, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        started.pipeline.tick()
        time.sleep(0.02)


def test_days_that_turn_while_it_runs_are_learnt_as_a_batch_learns_them(tmp_path: Path) -> None:
    data, folder = tmp_path / "data", tmp_path / "logs"
    folder.mkdir()
    log = folder / "keeper.jsonl"
    log.write_text(days(0, 3))
    judged_as_batch(folder, data)
    with live(data, [folder], CAPABILITIES, load_settings()) as started:
        for day in (3, 4, 5):
            odd = ["run_remote_command"] if day == 5 else ["get_host"]
            with log.open("a") as file:
                file.write(days(day, day + 1) + session(50, day, odd, host=f"vault-{day}"))
            tick(started, 0.4)
        started.pipeline.finish()
    batch = judged_as_batch(folder, tmp_path / "batch")
    assert len(batch) > 0
    assert found(data) == batch


def test_while_another_writes_it_goes_on_and_publishes_afterwards(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(detect.live.pipeline, "AGAIN_S", 0.1)
    data, folder = tmp_path / "data", tmp_path / "logs"
    folder.mkdir()
    with live(data, [folder], CAPABILITIES, load_settings(), publish_every_s=0.1) as started:
        (folder / "a.jsonl").write_text(days(0, 1))
        with editing(data):
            tick(started, 1.0)
        assert started.pipeline.account.troubles
        tick(started, 0.3)
        started.pipeline.finish()
    assert ask(open_published(data), "select count(*) from events").item() == 16
    assert ask(open_published(data), "select records, events, duplicates from files").rows() == [(16, 16, 0)]


def test_traces_are_let_go_and_come_back_for_a_late_record(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(ingest.open_traces, "QUIET_S", 0.0)
    data, folder = tmp_path / "data", tmp_path / "logs"
    folder.mkdir()
    whole = session(0, 0, ["get_host", "modify_firewall_rule", "get_host"])
    spans = json.loads(whole)["resourceSpans"][0]["scopeSpans"][0]["spans"]
    lines = [json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}) + "\n" for span in spans]
    with live(data, [folder], CAPABILITIES, load_settings(), publish_every_s=0.1) as started:
        for line in (lines[0], lines[2], lines[0], lines[1]):
            with (folder / "a.jsonl").open("a") as file:
                file.write(line)
            tick(started, 0.8)
        started.pipeline.finish()
    sql = "select tool, sequence, ordered_at, session_id from events order by ordered_at, event_id"
    ingest_paths([folder], tmp_path / "batch")
    assert ask(open_published(data), sql).equals(ask(open_published(tmp_path / "batch"), sql))
    assert ask(open_published(data), "select records, events, duplicates from files").rows() == [(4, 3, 1)]


def test_a_publication_that_breaks_ends_the_pipeline_loudly(tmp_path: Path, monkeypatch) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    with live(tmp_path / "data", [folder], CAPABILITIES, load_settings(), publish_every_s=0.0) as started:
        monkeypatch.setattr("detect.live.service.publish", broken)
        shutil.copy(__file__, folder / "no_log.py")
        with pytest.raises(ZeroDivisionError):
            tick(started, 2.0)
