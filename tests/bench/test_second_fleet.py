"""The second generator's promises, on a small fleet that went through ingest."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from bench.second_fleet.chains import kinds
from bench.second_fleet.make import make
from bench.second_fleet.settings import Settings
from ingest.database import open_published
from ingest.event import identify
from ingest.load import ingest_paths

SMALL = Settings(seed=5, event_count=9000, attacks=24, look_alikes=24)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("fleet")
    make(SMALL, out)
    return out


@pytest.fixture(scope="module")
def events(fleet: Path) -> duckdb.DuckDBPyConnection:
    ingest_paths([fleet / "logs"], fleet / "data")
    return open_published(fleet / "data")


def truth(fleet: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (fleet / "truth.jsonl").read_text().splitlines()]


def files(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def trails(fleet: Path) -> dict[str, str]:
    """The id that ingest gives to each CloudTrail event, by CloudTrail's own."""
    found = {}
    for path in (fleet / "logs" / "cloudtrail").rglob("*.json.gz"):
        for record in json.loads(gzip.decompress(path.read_bytes()))["Records"]:
            at_ns = int(datetime.fromisoformat(record["eventTime"]).timestamp()) * 1_000_000_000
            named = (record["eventID"], record["eventSource"], record["eventName"], at_ns)
            found[record["eventID"]] = identify("cloudtrail", *named)
    return found


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_fleet(tmp_path: Path) -> None:
    for name, seed in (("one", 5), ("again", 5), ("other", 6)):
        make(Settings(seed=seed, event_count=9000, attacks=24, look_alikes=24), tmp_path / name)
    assert files(tmp_path / "one") == files(tmp_path / "again")
    assert files(tmp_path / "one") != files(tmp_path / "other")


def test_every_kind_is_there_as_attack_and_as_look_alike_and_what_is_harmless_says_why(fleet: Path) -> None:
    told = truth(fleet)
    assert len(kinds()) >= 12
    for is_malicious in (True, False):
        chosen = [chain for chain in told if chain["malicious"] is is_malicious]
        assert len(chosen) == 24
        assert {chain["kind"] for chain in chosen} == set(kinds())
    assert all(bool(chain["why"]) is not chain["malicious"] for chain in told)


def test_no_chain_begins_in_the_history(fleet: Path) -> None:
    first = datetime.fromtimestamp(SMALL.start_ns / 1e9 + SMALL.history_days * 86_400, UTC)
    assert min(chain["first_at"] for chain in truth(fleet)) >= first.isoformat()[:10]


def test_nothing_is_rejected_and_there_are_about_as_many_events_as_asked_for(
    events: duckdb.DuckDBPyConnection,
) -> None:
    assert events.execute("select count(*) from rejected").fetchall() == [(0,)]
    (count,) = events.execute("select count(*) from events").fetchall()[0]
    assert 0.85 * SMALL.event_count < count < 1.15 * SMALL.event_count


def test_each_step_of_a_chain_is_an_event_of_the_sessions_and_agents_that_the_truth_names(
    fleet: Path, events: duckdb.DuckDBPyConnection
) -> None:
    rows = events.execute("select event_id, session_id, agent_id from events").fetchall()
    known = {event: (session, agent) for event, session, agent in rows}
    in_trails = trails(fleet)
    for chain in truth(fleet):
        found: set[tuple[str, str]] = set()
        for event in chain["events"]:
            if event["source"] == "otlp":
                found.add(known[identify("otlp", event["trace_id"], event["span_id"])])
            elif event["source"] == "temporal":
                found.add(known[identify("temporal", event["run_id"], event["event_id"])])
            else:
                found.add(known[in_trails[event["event_id"]]])
        assert {session for session, _ in found} == set(chain["sessions"])
        assert {agent for _, agent in found} == set(chain["agents"])
