"""The clock of deliveries, handed in: analysis has none, and a test lets days pass in a moment."""

from __future__ import annotations

import time
from typing import Final, Protocol


class Clock(Protocol):
    """Seconds since 1970, UTC, and a way to let some pass."""

    def now(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


class _Wall:
    def now(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


WALL: Final[Clock] = _Wall()
