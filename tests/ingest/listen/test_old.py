"""Old files of the spool leave when all of them was read and nothing that is stored comes from them."""

from __future__ import annotations

import os
from pathlib import Path

from otlp_lines import lines

from ingest.database import open_published
from ingest.listen.old import drop_old_files
from ingest.load import ingest_paths
from ingest.published import editing
from ingest.retention import drop_sessions

NOW_NS = 2_000_000_000_000_000_000


def spool(data: Path, *told: str) -> list[Path]:
    (data / "spool").mkdir(parents=True)
    files = []
    for number, text in enumerate(told):
        file = data / "spool" / f"20260101T00000{number}-0000.otlp.jsonl"
        file.write_text(text)
        os.utime(file, ns=(NOW_NS, NOW_NS + number))
        files.append(file)
    return files


def drop(data: Path, before_ns: int, sessions: set[str] = frozenset()) -> int:  # type: ignore[assignment]
    with editing(data) as edition:
        if sessions:
            drop_sessions(edition, sessions)
            edition.publish()
        return drop_old_files(edition, open_published(data), before_ns)


def test_a_file_leaves_with_the_last_event_that_came_from_it(tmp_path: Path) -> None:
    first, second, newest = spool(tmp_path, lines(0, 2), lines(2, 4), lines(4, 5))
    ingest_paths([tmp_path / "spool"], tmp_path)
    assert drop(tmp_path, NOW_NS + 10) == 0
    assert drop(tmp_path, NOW_NS + 10, {"s-0", "s-1", "s-2"}) == 1
    assert (first.exists(), second.exists()) == (False, True)
    assert drop(tmp_path, NOW_NS + 10, {"s-3", "s-4"}) == 1
    assert newest.exists(), "the receiver may be writing it"


def test_what_is_young_or_not_read_to_its_end_stays(tmp_path: Path) -> None:
    young, grown, _ = spool(tmp_path, lines(0, 1), lines(1, 2), lines(2, 3))
    ingest_paths([tmp_path / "spool"], tmp_path)
    with grown.open("a") as file:
        file.write(lines(7, 8))
    os.utime(grown, ns=(NOW_NS - 5, NOW_NS - 5))
    assert drop(tmp_path, NOW_NS, {"s-0", "s-1", "s-2"}) == 0
    assert young.exists() and grown.exists()
