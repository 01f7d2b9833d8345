"""Publishing: all or nothing, one writer, and words instead of tracebacks."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ingest.errors import AlreadyRunning, Trouble
from ingest.published import POINTER, editing, empty, published


def test_nothing_is_seen_before_it_is_published(tmp_path: Path) -> None:
    with editing(tmp_path) as edition:
        edition.replace("cases", empty("cases"))
        assert published(tmp_path).generation == 0
        edition.publish()
    assert published(tmp_path).generation == 1
    assert len(published(tmp_path).files("cases")) == 1


def test_a_second_writer_is_told_so(tmp_path: Path) -> None:
    with editing(tmp_path), pytest.raises(AlreadyRunning, match="another custodiet"), editing(tmp_path):
        pass


def test_an_abandoned_edition_leaves_the_last_state_and_is_swept(tmp_path: Path) -> None:
    with editing(tmp_path) as edition:
        edition.replace("cases", empty("cases"))
        edition.publish()
    with editing(tmp_path) as edition:
        abandoned = edition.write("findings", empty("findings"))
    assert (tmp_path / abandoned).exists()
    with editing(tmp_path):
        assert not (tmp_path / abandoned).exists()
    assert published(tmp_path).generation == 1


def test_a_full_disk_is_one_line_and_publishes_nothing(tmp_path: Path, monkeypatch) -> None:
    with editing(tmp_path) as edition:
        edition.replace("cases", empty("cases"))
        edition.publish()

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(pq, "write_table", full)
    with editing(tmp_path) as edition, pytest.raises(Trouble, match=r"No space left.*last state stands"):
        edition.replace("cases", empty("cases"))
    assert published(tmp_path).generation == 1
    assert not list(tmp_path.rglob("*.draft"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_really_full_disk_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "000001-0000.draft").symlink_to("/dev/full")
    with editing(tmp_path) as edition:
        (tmp_path / "cases" / "000001-0000.draft").unlink(missing_ok=True)
        (tmp_path / "cases" / "000001-0000.draft").symlink_to("/dev/full")
        with pytest.raises(Trouble, match="cannot be written"):
            edition.write("cases", empty("cases"))


@pytest.mark.parametrize("content", [b"", b"{", b'{"generation": "x"}', b'{"format": 99}'])
def test_a_damaged_pointer_names_itself_and_the_remedy(tmp_path: Path, content: bytes) -> None:
    (tmp_path / POINTER).write_bytes(content)
    with pytest.raises(Trouble, match=r"published\.json.*--data"):
        published(tmp_path)


KILLED = """
import sys, time
from pathlib import Path
from ingest.published import editing, empty
with editing(Path(sys.argv[1])) as edition:
    edition.replace("cases", empty("cases"))
    print("writing", flush=True)
    time.sleep(60)
"""


def test_a_killed_run_leaves_the_last_state_and_lets_the_next_one_in(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"writing\n"
    with pytest.raises(AlreadyRunning), editing(tmp_path):
        pass
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            with editing(tmp_path) as edition:
                assert edition.before.generation == 0
                return
        except AlreadyRunning:
            time.sleep(0.05)
    pytest.fail("the lock of a killed process was not released")
