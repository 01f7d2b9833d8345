"""One run at a time in a data directory, and which step it is at: a lock that ends with its process.

What stands in the file is for people (`custodiet status`) and outlives a killed process; the lock does not.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from ingest.errors import AlreadyRunning, Trouble

LOCK: Final = ".run.lock"


class AtWork(msgspec.Struct, frozen=True):
    """What the last run said of itself."""

    pid: int
    step: str
    began_at: float
    """Of the step, in seconds since 1970, UTC."""


@contextmanager
def at_work(data: Path, now: Callable[[], float] = time.time) -> Iterator[Callable[[str], None]]:
    """Hold the directory for a whole run; call what is yielded at the beginning of each step.

    Raises `AlreadyRunning` where another run holds it.
    """
    try:
        data.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(data / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise Trouble(f"{data}: cannot be written ({error.strerror or error}); name another --data") from error

    def say(step: str) -> None:
        told = msgspec.json.encode(AtWork(os.getpid(), step, now()))
        os.pwrite(descriptor, told.ljust(200), 0)

    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            other = last_at_work(data)
            who = f" (process {other.pid}, {other.step})" if other is not None else ""
            raise AlreadyRunning(f"{data}: another custodiet runs here{who}; this one leaves it to that") from error
        say("starting")
        yield say
        say("done")
    finally:
        os.close(descriptor)


def last_at_work(data: Path) -> AtWork | None:
    """What the run that works, or the last one, said of itself; None where none ever ran."""
    try:
        return msgspec.json.decode((data / LOCK).read_bytes(), type=AtWork)
    except (OSError, msgspec.MsgspecError):
        return None


def is_held(lock: Path) -> bool:
    """Whether a living process holds this lock."""
    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    except OSError as error:
        raise Trouble(f"{lock}: cannot be read ({error.strerror or error})") from error
    return False
