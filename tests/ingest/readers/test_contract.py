"""What holds for every reader, without its author writing a test."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

import ingest.readers
from ingest.event import Rejected
from ingest.load import all_readers
from ingest.readers import Reader
from ingest.records import LogFile, Record, Unread, files_of

ROOT = Path(__file__).parents[3]
SHARED = ROOT / ".." / "shared" / "samples"
NOTHING: list[object] = [
    None,
    True,
    1,
    1.5,
    "",
    "text",
    [],
    {},
    [[]],
    [{}],
    [None],
    {"": None},
    {"events": None},
    {"a": {}},
]


def logs(folder: Path) -> list[Path]:
    return [path for path, is_no_log in files_of([folder]) if not is_no_log] if folder.is_dir() else []


@pytest.fixture(params=all_readers(), ids=lambda r: r.name)
def reader(request) -> Reader:
    return request.param


def test_a_file_of_this_name_defines_it_and_its_first_line_says_what_it_reads(reader: Reader) -> None:
    module = importlib.import_module(f"ingest.readers.{reader.name}")
    assert getattr(module, reader.name) is reader
    assert re.fullmatch(r"[A-Z].*\.", reader.summary), reader.summary
    assert 20 < len(reader.summary) < 140


@pytest.mark.parametrize("first", NOTHING, ids=repr)
def test_it_claims_nothing_that_is_nothing(reader: Reader, first: object) -> None:
    assert reader.claims(first) is False


def test_no_records_are_no_steps(reader: Reader) -> None:
    assert list(reader.read(iter(()))) == []


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"nonsense",
        b"null",
        b"7",
        b'"text"',
        b"[]",
        b"{}",
        b"[null]",
        b'{"a": 1e400}',
        b"[" * 5_000,
        b'{"a":1,"a":2}',
    ],
    ids=lambda raw: raw[:12].decode(),
)
def test_a_record_that_is_none_of_its_own_never_raises(reader: Reader, raw: bytes) -> None:
    told = list(reader.read(iter([Record("log.jsonl", 3, raw)])))
    assert all(said.line >= 3 for said in told if isinstance(said, Rejected))


def test_every_sample_log_is_claimed_by_exactly_one() -> None:
    for path in logs(ROOT / "sample_logs"):
        log = LogFile(path, path.name)
        log.close()
        claiming = [reader.name for reader in all_readers() if reader.claims(log.first)]
        assert len(claiming) == 1, (path, claiming)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared sample logs are not on this machine")
def test_no_real_file_is_claimed_by_two() -> None:
    for path in logs(SHARED):
        try:
            log = LogFile(path, path.name)
        except Unread:
            continue
        log.close()
        claiming = [reader.name for reader in all_readers() if reader.claims(log.first)]
        assert len(claiming) <= 1, (path, claiming)


def test_the_folder_is_the_registry() -> None:
    files = {p.stem for p in Path(ingest.readers.__path__[0]).glob("*.py") if not p.stem.startswith("_")}
    assert {reader.name for reader in all_readers()} == files
