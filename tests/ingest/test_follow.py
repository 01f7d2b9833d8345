"""Folders that are written to: nothing lost and nothing said twice, whatever happens to the files."""

from __future__ import annotations

import gzip
import os
import shutil
from collections import Counter
from pathlib import Path

import pytest
from otlp_lines import line, lines

from ingest.database import ask, open_published
from ingest.follow import Follower
from ingest.followed import Piece
from ingest.load import ingest_paths
from ingest.pieces import registered, store_pieces
from ingest.published import Edition, editing, published


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder


def follower(logs: Path, clock: Clock, data: Path | None = None) -> Follower:
    register = registered(Edition(data, published(data))) if data else ()
    return Follower([logs], register=register, clock=clock)


def look(follower: Follower, clock: Clock, seconds: float = 60.0) -> list[Piece]:
    """What every look within these seconds brought."""
    pieces: list[Piece] = []
    for _ in range(int(seconds)):
        pieces += follower.look()
        clock.now += 1
    return pieces


def said(pieces: list[Piece]) -> Counter[str]:
    return Counter(o.event_id for piece in pieces for o in piece.said)


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def test_a_growing_file_is_read_on_from_where_it_ended(logs: Path, clock: Clock) -> None:
    file = logs / "a.otlp.jsonl"
    append(file, lines(0, 3))
    following = follower(logs, clock)
    first = look(following, clock, 2)
    append(file, lines(3, 5))
    second = look(following, clock, 2)
    assert ([len(p.said) for p in first], [len(p.said) for p in second]) == ([3], [2])
    assert [o.source for p in second for o in p.said] == [f"{file}:4", f"{file}:5"]


def test_a_line_is_taken_when_its_end_has_come(logs: Path, clock: Clock) -> None:
    file, whole = logs / "a.otlp.jsonl", line(1)
    append(file, line(0) + whole[:40])
    following = follower(logs, clock)
    assert len(said(look(following, clock, 2))) == 1
    append(file, whole[40:])
    assert len(said(look(following, clock, 2))) == 1


def test_a_last_line_without_its_end_is_taken_after_a_while_and_not_again_when_the_end_comes(logs, clock) -> None:
    file = logs / "a.otlp.jsonl"
    append(file, lines(0, 2).rstrip("\n"))
    following = follower(logs, clock)
    assert len(said(look(following, clock, 20))) == 2
    append(file, "\n" + line(2))
    assert len(said(look(following, clock, 20))) == 1


@pytest.mark.parametrize("way", ["rename", "copytruncate", "rename_and_pack", "move_away"])
def test_rotation_loses_and_doubles_nothing(way: str, logs: Path, clock: Clock, tmp_path: Path) -> None:
    file, turned = logs / "a.otlp.jsonl", logs / "a.otlp.jsonl.1"
    following = follower(logs, clock)
    append(file, lines(0, 10))
    pieces = look(following, clock, 2)
    append(file, lines(10, 15))  # written after the last look and before the rotation
    if way == "copytruncate":
        shutil.copy(file, turned)
        pieces += look(following, clock, 2)
        os.truncate(file, 0)
    elif way == "move_away":
        file.rename(tmp_path / "elsewhere.jsonl")
    else:
        file.rename(turned)
        if way == "rename_and_pack":
            pieces += look(following, clock, 2)
            turned.with_suffix(".gz").write_bytes(gzip.compress(turned.read_bytes()))
            turned.unlink()
    append(file, lines(15, 40))
    pieces += look(following, clock, 30)
    assert len(said(pieces)) == 40
    assert set(said(pieces).values()) == {1}


def test_a_file_that_was_overwritten_is_a_new_one(logs: Path, clock: Clock) -> None:
    file = logs / "a.otlp.jsonl"
    append(file, lines(0, 3))
    following = follower(logs, clock)
    look(following, clock, 2)
    file.write_text(lines(10, 20))
    assert len(said(look(following, clock, 10))) == 10


def test_a_packed_file_that_appears_is_read(logs: Path, clock: Clock) -> None:
    following = follower(logs, clock)
    look(following, clock, 2)
    (logs / "old.jsonl.gz").write_bytes(gzip.compress(lines(0, 7).encode()))
    assert len(said(look(following, clock, 10))) == 7


def test_a_file_whose_reader_needs_it_whole_is_read_again_and_says_no_more(logs: Path, clock: Clock, tmp_path) -> None:
    samples = Path(__file__).parents[2] / "sample_logs" / "role_chain_to_another_account"
    (sample,) = (p for p in samples.iterdir() if "temporal" in p.name)
    whole = sample.read_bytes().splitlines(keepends=True)
    following, data = follower(logs, clock), tmp_path / "data"
    file = logs / sample.name
    file.write_bytes(b"".join(whole[: len(whole) // 2]))
    pieces = look(following, clock, 5)
    file.write_bytes(b"".join(whole))
    pieces += look(following, clock, 60)
    with editing(data) as edition:
        store_pieces(edition, pieces)
        edition.publish()
    again = ingest_paths([logs], data)
    assert [f.duplicates == f.records > 0 for f in again.files] == [True]
    beside = tmp_path / "beside"
    ingest_paths([logs], beside)
    sql = "select event_id, session_id, agent_id, status, tool from events order by event_id"
    assert ask(open_published(data), sql).equals(ask(open_published(beside), sql))


def test_what_was_published_is_read_on_after_a_restart_and_known_to_a_batch(logs: Path, clock, tmp_path: Path) -> None:
    file, data = logs / "a.otlp.jsonl", tmp_path / "data"
    append(file, lines(0, 10) + "{broken\n" + lines(10, 12) + line(12)[:30])
    with editing(data) as edition:
        store_pieces(edition, look(follower(logs, clock), clock, 3))
        edition.publish()
    append(file, line(12)[30:] + lines(13, 15))
    following = follower(logs, clock, data)
    pieces = look(following, clock, 3)
    assert len(said(pieces)) == 3
    assert next(o.source for p in pieces for o in p.said) == f"{file}:14"
    with editing(data) as edition:
        store_pieces(edition, pieces)
        edition.publish()
    register = ask(open_published(data), "from files").to_dicts()
    assert [(r["records"], r["events"], r["rejected"], r["duplicates"]) for r in register] == [(16, 15, 1, 0)]
    assert register[0]["size_bytes"] == file.stat().st_size
    assert ask(open_published(data), "select line from rejected").rows() == [(11,)]
    (known,) = ingest_paths([file], data).files
    assert known.duplicates == known.records == 16


def test_a_file_renamed_and_grown_while_nothing_ran_is_read_on(logs: Path, clock: Clock, tmp_path: Path) -> None:
    file, data = logs / "a.otlp.jsonl", tmp_path / "data"
    append(file, lines(0, 10))
    with editing(data) as edition:
        store_pieces(edition, look(follower(logs, clock), clock, 3))
        edition.publish()
    append(file, lines(10, 12))
    file.rename(logs / "a.otlp.jsonl.1")
    append(file, lines(12, 15))
    assert len(said(look(follower(logs, clock, data), clock, 3))) == 5


def test_a_file_that_nobody_reads_is_named_and_read_once_it_can_be(logs: Path, clock: Clock) -> None:
    file = logs / "a.otlp.jsonl"
    append(file, line(0)[:50])
    following = follower(logs, clock)
    assert not said(look(following, clock, 3))
    assert [u.path for u in following.unread()] == [file.as_posix()]
    append(file, line(0)[50:])
    assert len(said(look(following, clock, 3))) == 1
    assert not following.unread()
