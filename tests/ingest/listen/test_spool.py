"""The spool: on disk before it is acknowledged, or refused."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest
from otlp_lines import line

from ingest.listen.spool import Refused, Spool, mend

T = TypeVar("T")


def put_all(spool: Spool, lines: list[bytes]) -> list[BaseException | None]:
    async def put() -> list[BaseException | None]:
        return await asyncio.gather(*(spool.put(said) for said in lines), return_exceptions=True)

    try:
        return in_a_loop(put())
    finally:
        spool.close()


def in_a_loop(work: Coroutine[Any, Any, T]) -> T:
    """In a thread of its own: a browser test of the same process may have left a loop running in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def stored(folder: Path) -> list[bytes]:
    return [said for path in sorted(folder.iterdir()) for said in path.read_bytes().splitlines()]


def test_what_came_together_is_synced_together_before_anybody_is_answered(tmp_path: Path) -> None:
    synced: list[int] = []

    def sync(descriptor: int) -> None:
        os.fdatasync(descriptor)
        synced.append(os.fstat(descriptor).st_size)

    lines = [f'{{"n":{number}}}'.encode() for number in range(500)]
    assert put_all(Spool(tmp_path, sync=sync), lines) == [None] * 500
    assert sorted(stored(tmp_path)) == sorted(lines)
    assert synced[-1] == sum(len(said) + 1 for said in lines)
    assert len(synced) < 250


def test_a_file_that_is_large_enough_is_finished(tmp_path: Path) -> None:
    for number in range(5):
        put_all(Spool(tmp_path, file_bytes=100), [b'{"n":%d, "long": "%s"}' % (number, b"x" * 200)])
    assert len(list(tmp_path.iterdir())) == 5
    assert len(stored(tmp_path)) == 5


def test_a_disk_that_fails_refuses_and_leaves_no_half_line(tmp_path: Path) -> None:
    calls = 0

    def sync(_: int) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise OSError(errno.ENOSPC, "No space left on device")

    spool = Spool(tmp_path, sync=sync)

    async def put() -> None:
        await spool.put(b"{}")
        with pytest.raises(Refused, match="No space left"):
            await spool.put(b'{"lost": 1}')
        await spool.put(b'{"after": 1}')

    in_a_loop(put())
    spool.close()
    assert stored(tmp_path) == [b"{}", b'{"after": 1}']


def test_a_nearly_full_disk_refuses(tmp_path: Path) -> None:
    (answer,) = put_all(Spool(tmp_path, least_free_bytes=1 << 60), [b"{}"])
    assert isinstance(answer, Refused)
    assert stored(tmp_path) == []


def test_more_than_is_kept_waiting_is_refused(tmp_path: Path) -> None:
    answers = put_all(Spool(tmp_path, waiting_bytes=100), [b"x" * 60] * 3)
    assert [type(answer) for answer in answers] == [type(None), Refused, Refused]


def test_a_torn_line_of_a_killed_writer_is_cut_off(tmp_path: Path) -> None:
    file = tmp_path / "20260101T000000-0000.otlp.jsonl"
    file.write_text(line(0) + line(1)[:70])
    mend(tmp_path)
    assert file.read_text() == line(0)
    file.write_text("x" * 200_000)
    mend(tmp_path)
    assert file.read_text() == ""
