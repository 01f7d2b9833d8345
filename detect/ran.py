"""What runs left behind: a line each in `runs.jsonl`, so that `custodiet status` can tell how the last ones went."""

from __future__ import annotations

import fcntl
import os
from datetime import date
from pathlib import Path
from typing import Final, Literal

import msgspec

FILE: Final = "runs.jsonl"
_LOCK: Final = ".runs.lock"
MOST_BYTES: Final = 1 << 20
"""Beyond this the older half goes."""

Outcome = Literal["done", "stopped", "failed", "overlapped"]


class LateDay(msgspec.Struct, frozen=True):
    """Steps that a run read of a day that earlier runs had left behind them."""

    day: date
    steps: int


class Ran(msgspec.Struct, frozen=True, omit_defaults=True):
    """One run. Times are seconds since 1970, UTC; `why` says what stopped or broke it."""

    began_at: float
    took_s: float
    outcome: Outcome
    why: str | None = None
    records: int = 0
    events: int = 0
    rejected: int = 0
    unread: int = 0
    expired: int = 0
    late: tuple[LateDay, ...] = ()
    days_judged: int = 0
    cases: int = 0
    broken: tuple[str, ...] = ()
    delivered: int = 0
    pending: int = 0
    sessions_dropped: int = 0
    segments_merged: int = 0


def remember(data: Path, ran: Ran) -> None:
    """Add a run to the account. A disk that is full costs the line, not the run."""
    try:
        with (data / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            path = data / FILE
            if path.exists() and path.stat().st_size > MOST_BYTES:
                _halve(path)
            with path.open("ab") as file:
                file.write(b"\n" * _is_cut(path) + msgspec.json.encode(ran) + b"\n")
    except OSError:
        return


def remembered(data: Path) -> list[Ran]:
    """The runs that are remembered, the oldest first; a line that a killed run left unfinished is none."""
    try:
        lines = (data / FILE).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    found = []
    for line in lines:
        try:
            found.append(msgspec.json.decode(line, type=Ran))
        except msgspec.MsgspecError:
            continue
    return found


def _halve(path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    draft = path.with_suffix(".draft")
    draft.write_bytes(b"".join(lines[len(lines) // 2 :]))
    draft.replace(path)


def _is_cut(path: Path) -> bool:
    """Whether the last line has no end."""
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) == 0:
            return False
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"
