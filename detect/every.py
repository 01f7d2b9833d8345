"""Again and again in the foreground: when the next run begins, and how the whole ends in order."""

from __future__ import annotations

import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION: Final = re.compile(r"(\d{1,6})(s|m|h|d)")


def seconds_of(duration: str) -> int:
    """`90s`, `15m`, `1h` or `1d` in seconds. Raises `ValueError` that says how to write it."""
    said = _DURATION.fullmatch(duration.strip())
    if said is None or not int(said[1]):
        raise ValueError(f"{duration!r} is no duration; write 90s, 15m, 1h or 1d")
    return int(said[1]) * _UNITS[said[2]]


@contextmanager
def until_told() -> Iterator[threading.Event]:
    """An event that SIGTERM and Ctrl-C set; what is under way ends in its own time."""
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def again_and_again(
    every_s: float, stop: threading.Event, run: Callable[[int], None], now: Callable[[], float] = time.monotonic
) -> int:
    """Call `run` with 1, 2, 3 … each `every_s` after the beginning of the one before, until told to stop.

    A run that takes longer is followed at once by the next, never by those that were missed. Returns how many ran.
    """
    number = 0
    while not stop.is_set():
        began = now()
        number += 1
        run(number)
        stop.wait(max(0.0, began + every_s - now()))
    return number
