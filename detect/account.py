"""Which detectors a step is put to, and the account of it: who could judge how many steps, and what the others lacked.

Thousands of steps of an agent show the same fields, so that they are counted together and told by detector in the end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from detect.continuing import Judged
from detect.detectors import Detector
from detect.facts import Asked, Facts
from detect.step import Step

_HISTORY: Final = "enough history"
"""What is missing where nothing may be said about the agent; its steps are put to detectors all the same."""

_Shown = tuple[object, ...]
"""What a step is, whether its agent has enough history, who is asked no more, and which fields are known."""


@dataclass(frozen=True, eq=False)
class Asking:
    """What is asked of steps that show the same."""

    detectors: tuple[Detector, ...]
    """Those that they are put to."""
    missing: tuple[tuple[str, str], ...]
    """(detector, what it lacks or "") of everyone whom the question is for."""


class Account:
    """Of a day, or of some days."""

    def __init__(self, detectors: tuple[Detector, ...]) -> None:
        self._detectors = detectors
        self._fields = sorted({need for detector in detectors for need in detector.needs})
        self._askings: dict[_Shown, Asking] = {}
        self._steps: Counter[tuple[str, Asking]] = Counter()

    def ask(self, step: Step, facts: Facts, failed: Iterable[str]) -> tuple[Detector, ...]:
        """Count a step; returns the detectors that it is put to. Those that `failed` are asked no more."""
        shown = (facts.asked, facts.has_history, *failed, *[bool(getattr(step, field)) for field in self._fields])
        asking = self._askings.get(shown)
        if asking is None:
            asking = self._askings[shown] = self._asking(step, facts.asked, set(failed), facts.has_history)
        self._steps[step.agent_id, asking] += 1
        return asking.detectors

    def told(self) -> Judged:
        """By detector, agent and what was missing."""
        judged: Judged = Counter()
        for (agent, asking), steps in self._steps.items():
            for name, missing in asking.missing:
                judged[name, agent, missing] += steps
        return judged

    def clear(self) -> None:
        """A day is over."""
        self._steps.clear()

    def _asking(self, step: Step, asked: Asked, failed: set[str], has_history: bool) -> Asking:
        whole = _HISTORY if not has_history and asked == "privileged" else ""
        some = [one for one in self._detectors if one.asked == asked and one.name not in failed]
        lacked = {one.name: next((need for need in one.needs if not getattr(step, need)), "") for one in some}
        able = tuple(one for one in some if not lacked[one.name])
        return Asking(able, tuple((name, lack or whole) for name, lack in lacked.items()))
