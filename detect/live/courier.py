"""Alerts out of the door beside the judging: a receiver that is slow holds up nobody."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from ingest.errors import Trouble

log = logging.getLogger(__name__)

AGAIN_S: Final = 30.0
"""How long what was not taken waits for the next attempt where nothing new wakes the courier."""


class Courier:
    """Delivers on a thread of its own whenever something was raised, and again while something is pending."""

    def __init__(self, deliver: Callable[[], int], again_s: float = AGAIN_S) -> None:
        """`deliver` sends what is due and returns how many alerts are still pending."""
        self._deliver, self._again_s = deliver, again_s
        self._wake = threading.Event()
        self._ends = False
        self._thread = ThreadPoolExecutor(1, "courier")
        self._round = self._thread.submit(self._run)

    def wake(self) -> None:
        """Something was raised."""
        self._wake.set()

    def close(self) -> None:
        """Deliver once more, then end."""
        self._ends = True
        self._wake.set()
        self._thread.shutdown()
        self.check()

    def check(self) -> None:
        """Raise here what broke there."""
        if self._round.done():
            self._round.result()

    def _run(self) -> None:
        pending = 1
        while not self._ends:
            self._wake.wait(self._again_s if pending else None)
            self._wake.clear()
            try:
                pending = self._deliver()
            except (Trouble, OSError) as trouble:
                log.warning("alerts were not delivered, tried again: %s", trouble)
                pending = 1
