"""A mapping that keeps only the most recently written entries, so that a pass over any number of days stays small."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

MOST: Final = 200_000
"""About 100 MB of entries: what a fleet of a hundred agents writes in several days."""


class Recent(Generic[K, V]):
    """Written entries move to the end; beyond `most` the oldest are forgotten."""

    def __init__(self, most: int = MOST) -> None:
        self._entries: OrderedDict[K, V] = OrderedDict()
        self._most = most

    def __setitem__(self, key: K, value: V) -> None:
        self._entries[key] = value
        self._entries.move_to_end(key)
        if len(self._entries) > self._most:
            self._entries.popitem(last=False)

    def get(self, key: K) -> V | None:
        """The entry, or None where it was never written or is forgotten."""
        return self._entries.get(key)
