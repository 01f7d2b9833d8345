"""How fast and how often a person says yes, beside how that person usually does."""

from __future__ import annotations

from typing import Final

import msgspec

from detect.memory import Habits, remember
from detect.step import Step, within

_WINDOW_S: Final = 600


class Stamp(msgspec.Struct, frozen=True):
    """A person's yeses in the last ten minutes."""

    approver: str
    steps: tuple[Step, ...]
    latency_s: float | None
    """From the request to the yes."""
    shown: int
    """Sessions of earlier days in which this person said yes as often within ten minutes."""
    sessions: int
    """Sessions of earlier days in which this person said yes at all."""
    shown_by_all: int
    """Sessions in which anybody said yes as often."""
    sessions_of_all: int
    """Sessions with anybody's yes."""
    usual_latency_s: float | None


class Stamps(msgspec.Struct):
    """The latest yeses of each person, and the requests that wait."""

    yeses: dict[str, list[Step]] = {}
    asked: dict[str, int] = {}
    """Session -> when its last request was made."""
    latency: dict[str, tuple[int, float]] = {}
    """Person -> (how many yeses, the mean of their latency in seconds)."""

    def take(self, step: Step, habits: Habits) -> Stamp | None:
        """The burst that this yes belongs to; None for a request and a no."""
        if step.approval == "pending" and step.at_ns is not None:
            remember(self.asked, step.session_id, step.at_ns)
        person = step.approver
        if step.approval != "approved" or person is None:
            return None
        burst = [s for s in self.yeses.get(person, ()) if within(s, step, _WINDOW_S)]
        burst = [*burst, step.without_payload()][-64:]
        remember(self.yeses, person, burst)
        asked = self.asked.get(step.session_id)
        latency = (step.at_ns - asked) / 1e9 if asked is not None and step.at_ns is not None else None
        count, mean = self.latency.get(person, (0, 0.0))
        if latency is not None:
            self.latency[person] = (count + 1, mean + (latency - mean) / (count + 1))
        number = str(len(burst))
        shown, sessions = habits.seen("yes", person, number), habits.seen("yes", person)
        by_all, of_all = habits.seen("anyone's yes", number), habits.seen("anyone's yes")
        for parts in (("yes", person, number), ("yes", person), ("anyone's yes", number), ("anyone's yes",)):
            habits.note(step.session_id, *parts)
        return Stamp(person, tuple(burst), latency, shown, sessions, by_all, of_all, mean if count else None)
