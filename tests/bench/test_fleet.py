"""The generated fleet: the same bytes for the same seed, and a truth that the events bear out after ingest."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from pathlib import Path

import pytest

import bench.fleet
from bench.fleet.chains import kinds
from bench.fleet.evasion import EVASIONS
from bench.fleet.settings import DAY_NS, Settings, playbook
from bench.fleet.truth import read_truth
from ingest.database import ask, open_published
from ingest.event import identify
from ingest.load import Report, ingest_paths

SMALL = bench.fleet.load().with_(seed=7, agents=40, days=9, history_days=4, events=4000, attacks=30, look_alikes=30)


def written(folder: Path, settings: Settings = SMALL) -> Path:
    bench.fleet.generate(folder, settings)
    return folder


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest() for path in files}


def ingested(logs: Path, data: Path) -> Report:
    return ingest_paths([logs / source for source in ("otlp", "temporal", "cloudtrail")], data)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Report]:
    """Logs, the data directory that they were read into, and ingest's account."""
    folder = tmp_path_factory.mktemp("fleet")
    logs = written(folder / "logs")
    return logs, folder / "data", ingested(logs, folder / "data")


def test_the_same_seed_writes_the_same_bytes_and_another_seed_others(
    fleet: tuple[Path, Path, Report], tmp_path: Path
) -> None:
    again = digests(written(tmp_path / "again"))
    assert again == digests(fleet[0])
    other = digests(written(tmp_path / "other", SMALL.with_(seed=8)))
    assert set(other.values()).isdisjoint(again.values())


def test_ingest_reads_every_file_and_rejects_no_record(fleet: tuple[Path, Path, Report]) -> None:
    _, _, report = fleet
    assert not report.unread
    assert {file.reader for file in report.files} == {"otlp", "temporal", "cloudtrail"}
    assert sum(file.rejected for file in report.files) == 0
    events = sum(file.events for file in report.files)
    assert events == pytest.approx(SMALL.events, rel=0.5)


def test_there_are_as_many_chains_of_every_kind_as_were_asked_for(fleet: tuple[Path, Path, Report]) -> None:
    truth = read_truth(fleet[0] / "truth.jsonl")
    assert len({told.chain for told in truth}) == len(truth) == 60
    for malicious in (True, False):
        counted = Counter(told.kind for told in truth if told.malicious is malicious)
        assert set(counted) == set(kinds()) and len(counted) >= 12
        assert set(counted.values()) == {30 // len(counted)}


def test_what_the_truth_refers_to_is_in_the_events(fleet: tuple[Path, Path, Report]) -> None:
    logs, data, _ = fleet
    connection = open_published(data)
    known = set(ask(connection, "select event_id from stored_events")["event_id"])
    acting = set(ask(connection, "select distinct session_id, agent_id from events").iter_rows())
    trails = sorted((logs / "cloudtrail").glob("*.json"))
    trail = "".join(path.read_text() for path in trails)
    for told in read_truth(logs / "truth.jsonl"):
        assert told.sessions <= {session for session, _ in acting}, told.chain
        assert told.agents <= {agent for _, agent in acting}, told.chain
        assert told.events, told.chain
        for event in told.events:
            match event["source"]:
                case "otlp":
                    assert identify("otlp", event["trace_id"], event["span_id"]) in known, told.chain
                case "temporal":
                    assert identify("temporal", event["run_id"], event["event_id"]) in known, told.chain
                case _:
                    assert f'"eventID":"{event["event_id"]}"' in trail, told.chain


def test_nothing_malicious_happens_in_the_history_nor_after_the_end(fleet: tuple[Path, Path, Report]) -> None:
    begin = SMALL.start_ns + SMALL.history_days * DAY_NS
    end = SMALL.start_ns + (SMALL.days + 1) * DAY_NS
    for told in read_truth(fleet[0] / "truth.jsonl"):
        if told.malicious:
            assert told.first_ns is not None and told.last_ns is not None
            assert begin <= told.first_ns <= told.last_ns < end, told.chain


def test_some_actions_are_witnessed_twice_under_one_key_and_request_id(fleet: tuple[Path, Path, Report]) -> None:
    connection = open_published(fleet[1])
    doubled = ask(
        connection,
        """
        select count(*) as n
        from events as a
        join events as b on a.credential_id = b.credential_id and a.agent_id <> b.agent_id
        where starts_with(a.source, $otlp) and starts_with(b.source, $trail)
        """,
        otlp=(fleet[0] / "otlp").as_posix(),
        trail=(fleet[0] / "cloudtrail").as_posix(),
    )
    assert doubled["n"][0] > 20


@pytest.mark.parametrize("name", EVASIONS)
def test_an_evasion_changes_the_attacks_and_nothing_else(
    name: str, fleet: tuple[Path, Path, Report], tmp_path: Path
) -> None:
    logs = written(tmp_path / "logs", SMALL.with_(evasion=name))
    report = ingested(logs, tmp_path / "data")
    assert sum(file.rejected for file in report.files) == 0 and not report.unread
    before = {told.chain: told for told in read_truth(fleet[0] / "truth.jsonl")}
    after = {told.chain: told for told in read_truth(logs / "truth.jsonl")}
    assert set(after) == set(before)
    assert [after[chain] for chain in after if not after[chain].malicious] == [
        before[chain] for chain in before if not before[chain].malicious
    ]
    attacked = {session for told in (*before.values(), *after.values()) if told.malicious for session in told.sessions}
    lines = [
        {line for path in (folder / "temporal").glob("*.jsonl") for line in path.read_bytes().splitlines()}
        for folder in (fleet[0], logs)
    ]
    assert lines[0] != lines[1] or name in ("split_across_agents",)
    untouched = [{line for line in some if not any(s.encode() in line for s in attacked)} for some in lines]
    assert untouched[0] == untouched[1]


def test_a_folder_that_holds_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("x")
    with pytest.raises(ValueError, match="not empty"):
        bench.fleet.generate(tmp_path, SMALL)


def test_a_playbook_that_cannot_be_read_says_which_word() -> None:
    assert [plan.actions for plan in playbook("a.b!*1-3?0.5 >c d/e")] == [("a.b",), ("c",), ("d", "e")]
    with pytest.raises(ValueError, match=r"'\?\?'"):
        playbook("a.b ??")


def test_a_truth_line_may_hold_more_or_less_but_not_nonsense(tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    path.write_text('{"chain": "x", "malicious": true, "sessions": ["s"], "colour": "red"}\n\n')
    (told,) = read_truth(path)
    assert (told.kind, told.agents, told.first_ns, told.sessions) == ("unknown", frozenset(), None, {"s"})
    path.write_text('{"chain": "x", "malicious": true, "sessions": ["s"]}\n{"chain": "y"}\n')
    with pytest.raises(ValueError, match=r"truth\.jsonl:2"):
        read_truth(path)
    path.write_text('{"chain": "x", "malicious": true}\n')
    with pytest.raises(ValueError, match=r"truth\.jsonl:1: a chain of no session"):
        read_truth(path)
