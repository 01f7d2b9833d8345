"""What the causal pass remembers: plain mappings that forget their oldest entries, so that a pass stays small.

They hold texts, numbers and structs alone, so that a state can be written down and taken up again.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from itertools import islice
from typing import Final, TypeVar

import msgspec
import pyarrow as pa

K = TypeVar("K")
V = TypeVar("V")

MOST: Final = 100_000
"""Entries of one mapping: what a fleet of a hundred agents writes in several days."""
_MOST_HABITS: Final = 1_000_000
_SEPARATOR: Final = "\x1f"


def remember(entries: dict[K, V], key: K, value: V, most: int = MOST) -> None:
    """Write an entry as the newest; a tenth beyond `most`, the oldest are forgotten at once."""
    entries.pop(key, None)
    entries[key] = value
    if len(entries) > most + most // 10:
        for old in list(islice(entries, len(entries) - most)):
            del entries[old]


def packed(state: bytes) -> bytes:
    """A written state, small: its texts repeat. A run holds one for each of the last days."""
    small: bytes = pa.compress(state, codec="zstd", asbytes=True)
    return len(state).to_bytes(8, "little") + small


def unpacked(state: bytes) -> bytes:
    """What was packed."""
    whole: bytes = pa.decompress(state[8:], int.from_bytes(state[:8], "little"), codec="zstd", asbytes=True)
    return whole


class Habits(msgspec.Struct):
    """How many sessions of the days before showed something. A day counts once it is over, and only what was not
    flagged in it."""

    shown: dict[str, int] = {}
    values: dict[str, int] = {}
    """How many distinct last parts were shown under the same parts before it."""
    today: dict[str, dict[str, bool]] = {}
    """Session -> what it showed since the day began."""

    def note(self, session: str, *parts: str) -> None:
        """Remember that this session showed it."""
        self.today.setdefault(session, {})[_SEPARATOR.join(parts)] = True

    def is_noted(self, session: str, *parts: str) -> bool:
        """Whether this session showed it since the day began."""
        return _SEPARATOR.join(parts) in self.today.get(session, ())

    def seen(self, *parts: str) -> int:
        """Sessions of earlier days, a session counted once a day."""
        return self.shown.get(_SEPARATOR.join(parts), 0)

    def seen_among(self, lasts: Iterable[str], *parts: str) -> int:
        """The sum of `seen` over some last parts."""
        under = _SEPARATOR.join(parts) + _SEPARATOR
        return sum([self.shown.get(under + last, 0) for last in lasts])

    def distinct(self, *parts: str) -> int:
        """How many different last parts sessions of earlier days showed under these parts."""
        return self.values.get(_SEPARATOR.join(parts), 0)

    def end_day(self, flagged: Set[str]) -> None:
        """Add up the day that is over; nothing is learnt from flagged sessions."""
        for session, showed in self.today.items():
            if session not in flagged:
                for key in showed:
                    sessions = self.shown.get(key, 0)
                    self.shown[key] = sessions + 1
                    if not sessions:
                        above = key.rpartition(_SEPARATOR)[0]
                        self.values[above] = self.values.get(above, 0) + 1
        self.today.clear()
        if len(self.shown) > _MOST_HABITS:
            once = [key for key, sessions in self.shown.items() if sessions == 1]
            for key in once[: len(once) // 2]:
                del self.shown[key]
