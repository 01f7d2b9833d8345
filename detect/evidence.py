"""How much a finding weighs in this fleet: what a detector says every day weighs little, whatever it claims.

A finding's evidence is in powers of ten: how seldom the detector speaks of an agent on a day, by the days before
(shrunk from the fleet to the agent), together with how sure it is of this step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from math import log10
from typing import Final

import msgspec

from detect.cases import Found

_SHRINKAGE_DAYS: Final = 10.0
"""Days of an agent that the fleet's rate weighs as much as."""
_LEAST_AGENT_DAYS: Final = 100.0
"""A fleet that was hardly seen cannot say that something is rare."""
_SUREST: Final = 0.9999
_CLAIMED: Final = {"movement": 1.0, "novelty": 0.5, "support": 0.35}
"""How much of its evidence a finding keeps by itself: one property of an attack is benign most of the time."""


class Rates:
    """How often each detector spoke of each agent, on the days before."""

    def __init__(self) -> None:
        self._days_found: Counter[tuple[str, str]] = Counter()
        self._agent_days: Counter[str] = Counter()

    def weigh(self, found: Iterable[Found]) -> list[Found]:
        """The findings of a day, with their evidence by the days before it."""
        return [msgspec.structs.replace(f, evidence=self._evidence(f)) for f in found]

    def add(self, day: date | None, agents: Iterable[str], found: Iterable[Found]) -> None:
        """A day is over: the agents that were judged in it, and what was found."""
        if day is not None:
            self._agent_days.update(set(agents))
        self._days_found.update({(f.detector.name, f.step.agent_id) for f in found})

    def _evidence(self, f: Found) -> float:
        name, agent = f.detector.name, f.step.agent_id
        days = max(_LEAST_AGENT_DAYS, float(sum(self._agent_days.values())))
        everywhere = sum(count for (detector, _), count in self._days_found.items() if detector == name)
        of_fleet = (everywhere + 0.5) / (days + 1)
        of_agent = (self._days_found[name, agent] + _SHRINKAGE_DAYS * of_fleet) / (
            self._agent_days[agent] + _SHRINKAGE_DAYS
        )
        seldom = -log10(min(1.0, of_agent))
        sure = -log10(1 - min(_SUREST, f.finding.anomaly))
        return _CLAIMED[f.detector.shows] * (seldom + sure)
