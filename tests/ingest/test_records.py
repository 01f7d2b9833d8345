"""Files -> records: every shape, every compression, every way to be broken."""

from __future__ import annotations

import gzip
import os
import sys
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from ingest import records
from ingest.event import Rejected
from ingest.json_text import peek
from ingest.records import LogFile, Record, Unread, files_of

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


class Document(msgspec.Struct):
    events: list[msgspec.Raw]


def read(path: Path) -> list[Record | Rejected]:
    log = LogFile(path, path.name)
    try:
        return list(log.records())
    finally:
        log.close()


def write(tmp_path: Path, content: bytes, name: str = "log.jsonl") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


LINES = b"".join(b'{"n": %d}\n' % n for n in range(1000))


@pytest.mark.parametrize("pack", [lambda b: b, gzip.compress, zstd.compress], ids=["plain", "gzip", "zstd"])
def test_lines_come_out_the_same_however_they_are_packed(tmp_path: Path, pack) -> None:
    found = read(write(tmp_path, pack(LINES), "log"))
    assert [(r.line, r.raw) for r in found] == [(n + 1, b'{"n": %d}' % n) for n in range(1000)]


def test_several_compressed_members_are_one_file(tmp_path: Path) -> None:
    assert len(read(write(tmp_path, gzip.compress(LINES) + gzip.compress(LINES)))) == 2000
    assert len(read(write(tmp_path, zstd.compress(LINES) + zstd.compress(LINES)))) == 2000


def test_a_truncated_gzip_gives_all_that_stands_before_the_break(tmp_path: Path) -> None:
    noisy = b"".join(b'{"n": "%s"}\n' % os.urandom(20).hex().encode() for _ in range(5000))
    packed = gzip.compress(noisy)
    found = read(write(tmp_path, packed[: len(packed) // 2]))
    whole = [r for r in found if isinstance(r, Record) and r.raw.endswith(b"}")]
    assert len(whole) > 2000
    assert [r.raw for r in whole] == noisy.split(b"\n")[: len(whole)]
    assert isinstance(found[-1], Rejected)
    assert "ends early" in found[-1].reason


def test_a_pretty_document_is_one_record_and_its_elements_know_their_lines(tmp_path: Path) -> None:
    path = write(tmp_path, b'\n{\n "events": [\n  {"a": 1},\n\n  {"a": 1},\n  {"b":\n    2}\n ]\n}\n')
    (record,) = read(path)
    document = record.decode(msgspec.json.Decoder(Document))
    assert record.line == 2
    elements = list(record.elements(document.events))
    assert [(e.line, e.raw) for e in elements] == [
        (4, b'{"a": 1}'),
        (6, b'{"a": 1}'),
        (7, b'{"b":\n    2}'),
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"  \n \n", "empty"),
        (bytes(range(256)) * 800, "binary"),
        (b"hello there\nno json here\n", "not JSON"),
        (b'{"a": 1,\n "b": [1, 2\n', "whole JSON document"),
        ('{"a": 1}\n'.encode("utf-16"), "UTF-16"),
        (b"PK\x03\x04rest", "ZIP"),
        (gzip.compress(LINES)[:12], "broken from the start"),
    ],
)
def test_what_cannot_be_read_says_what_it_is(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(Unread, match=words):
        read(write(tmp_path, content))


def test_random_bytes_are_unread_and_not_guessed(tmp_path: Path) -> None:
    import random

    with pytest.raises(Unread, match="binary"):
        read(write(tmp_path, random.Random(7).randbytes(200_000)))


def test_a_broken_first_line_does_not_hide_the_others(tmp_path: Path) -> None:
    found = read(write(tmp_path, b'{"broken": \n{"n": 1}\n{"n": 2}\n'))
    assert [r.line for r in found] == [1, 2, 3]


def test_a_line_that_is_too_long_is_rejected_and_the_next_one_is_read(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(records, "MAX_LINE_BYTES", 100)
    found = read(write(tmp_path, b'{"n": 1}\n{"n": "' + b"x" * 1000 + b'"}\n{"n": 2}\n'))
    assert [(type(r), r.line) for r in found] == [(Record, 1), (Rejected, 2), (Record, 3)]


def test_a_document_that_is_too_large_names_the_remedy(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(records, "MAX_DOCUMENT_BYTES", 100)
    with pytest.raises(Unread, match="JSON lines"):
        read(write(tmp_path, b"[\n" + b'{"a": 1},\n' * 50 + b'{"a": 1}]'))


def test_peeking_at_a_large_record_is_bounded() -> None:
    raw = b'{"big": "' + b"x" * 100_000 + b'", "many": [' + b"1," * 100_000 + b'1], "small": {"a": [1]}}'
    assert peek(raw) == {"big": "", "many": [1] * 8, "small": {"a": [1]}}


def test_a_link_that_leads_back_up_is_followed_once(tmp_path: Path) -> None:
    write(tmp_path, LINES, "a.jsonl")
    (tmp_path / "up").symlink_to(tmp_path)
    (tmp_path / "again.jsonl").symlink_to(tmp_path / "a.jsonl")
    (tmp_path / ".hidden.jsonl").write_bytes(LINES)
    (tmp_path / "README.md").write_text("not a log")
    found = [(path.name, is_no_log) for path, is_no_log in files_of([tmp_path, tmp_path])]
    assert found == [("README.md", True), ("a.jsonl", False)]
    assert list(files_of([tmp_path / "README.md"])) == [(tmp_path / "README.md", False)]


def test_a_lone_surrogate_does_not_hide_its_record(tmp_path: Path) -> None:
    line = rb'{"n": "\ud83d cut \uDE00, whole \ud83d\ude00, escaped \\ud83d"}'
    found = read(write(tmp_path, line + b"\n" + line))
    assert [r.line for r in found] == [1, 2]
    first = found[0]
    assert isinstance(first, Record)
    decoded = first.decode(msgspec.json.Decoder(dict[str, str]))
    assert decoded == {"n": "\ufffd cut \ufffd, whole \U0001f600, escaped \\ud83d"}
    assert first.sha256 == sha256(line).hexdigest()


@pytest.mark.parametrize(
    "document",
    [
        b'[\n {"a": 1},\n {"a": 2}\n]\n',
        b'{\n "names": [\n  "banana"\n ],\n "n": [\n  {}\n ]\n}\n',
        b'[\n {"a": 1}\n]',
    ],
)
def test_a_line_of_a_document_that_is_json_by_itself_does_not_make_it_lines(tmp_path: Path, document: bytes) -> None:
    (record,) = read(write(tmp_path, document))
    assert isinstance(record, Record)
    assert (record.line, record.raw) == (1, document.strip())


def test_a_number_that_no_float_holds_is_looked_at_all_the_same() -> None:
    assert peek(b'{"a": 1e999, "b": [1]}') == {"a": "1e999", "b": [1]}
