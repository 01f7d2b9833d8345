"""Weight shift: somebody fans out from one place, then somebody fans out from a place that the first fan reached.

A place is where a step goes out from: its host, and the principal that it acts as (an assumed role by the role).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from detect.handed_out import role_of
from detect.memory import Habits, remember
from detect.reach import HOUR_S
from detect.step import Step, within

_MOST_STEPS: Final = 64


class Shift(msgspec.Struct, frozen=True):
    """Two fans, the second from a target of the first."""

    place: str
    """Where the second fan goes out from."""
    arrival: Step
    """The step of the first fan that reached it."""
    first: tuple[Step, ...]
    """A step each new target, in an hour around the arrival."""
    second: tuple[Step, ...]
    """A step each new target, in the last hour, after the arrival."""
    shown: int
    """Sessions of the whole fleet in which a weight shift was as large."""

    @property
    def size(self) -> int:
        return _size(self.first, self.second)


class Shifts(msgspec.Struct):
    """Place -> the uncovered privileged steps to new targets that went out from it, the latest last."""

    fans: dict[str, list[Step]] = {}

    def take(self, step: Step, touched: Mapping[str, list[Step]], habits: Habits, window_s: float) -> Shift | None:
        """The largest weight shift that this uncovered step to a new target completes.

        `touched`: target -> the steps like this one on it, from before this one.
        """
        slim = step.without_payload()
        for place in _places(step):
            recent = [s for s in self.fans.get(place, ()) if within(s, step, window_s)]
            remember(self.fans, place, [*recent, slim][-_MOST_STEPS:])
        found = [shift for place in _places(step) if (shift := self._from(place, step, touched, habits, window_s))]
        largest = max(found, key=lambda shift: shift.size, default=None)
        for number in range(1, largest.size + 1 if largest is not None else 1):
            habits.note(step.session_id, "shift", str(number))
        return largest

    def _from(
        self, place: str, step: Step, touched: Mapping[str, list[Step]], habits: Habits, window_s: float
    ) -> Shift | None:
        best: Shift | None = None
        for arrival in touched.get(place, ()):
            if place in _places(arrival) or not within(arrival, step, window_s):
                continue
            second = _by_target(s for s in self.fans[place] if within(s, step, HOUR_S) and within(arrival, s, window_s))
            for origin in _places(arrival):
                around = self.fans.get(origin, ())
                first = _by_target(s for s in around if within(s, arrival, HOUR_S) or within(arrival, s, HOUR_S))
                size = _size(first, second)
                if size and (best is None or size > best.size):
                    best = Shift(place, arrival, first, second, habits.seen("shift", str(size)))
        return best


def _size(first: tuple[Step, ...], second: tuple[Step, ...]) -> int:
    return min(len(first), len(second))


def _by_target(steps: Iterable[Step]) -> tuple[Step, ...]:
    """The last step to each target."""
    return tuple({s.target: s for s in steps}.values())


def _places(step: Step) -> tuple[str, ...]:
    principal = step.principal
    acting = (role_of(principal) or principal) if principal else None
    return tuple(dict.fromkeys(p for p in (step.source_host, acting) if p)) or (step.agent_id,)
