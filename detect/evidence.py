"""How much a finding weighs in this fleet: what a detector says every day weighs little, whatever it claims.

A finding's evidence is in powers of ten: how seldom the detector speaks of an agent on a day, by the days before
(shrunk from the fleet to the agent), together with how sure it is of this step. What it said of the same agent and
tool on earlier days it says with half the weight, a third, and so on: a person has seen it and let it be.
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
_ONE_STEP: Final = 0.7
"""Of a movement that a single step shows: nothing before or after it says the same."""
_NO_RECORD: Final = 0.7
"""Where a source cannot record approvals: that nobody approved the step is not known."""


class Rates:
    """How often each detector spoke of each agent, on the days before."""

    def __init__(self) -> None:
        self._days_found: Counter[tuple[str, str]] = Counter()
        self._days_everywhere: Counter[str] = Counter()
        self._days_same: Counter[tuple[str, str, str | None]] = Counter()
        self._agent_days: Counter[str] = Counter()

    def weigh(self, found: Iterable[Found]) -> list[Found]:
        """The findings of a day, with their evidence by the days before it."""
        return [msgspec.structs.replace(f, evidence=self._evidence(f)) for f in found]

    def add(self, day: date | None, agents: Iterable[str], found: Iterable[Found]) -> None:
        """A day is over: the agents that were judged in it, and what was found."""
        if day is not None:
            self._agent_days.update(set(agents))
        findings = list(found)
        of_agents = {(_question(f), _whose(f)) for f in findings}
        self._days_found.update(of_agents)
        self._days_everywhere.update(question for question, _ in of_agents)
        self._days_same.update({(_question(f), _whose(f), f.step.tool) for f in findings})

    def _evidence(self, f: Found) -> float:
        name, whose = _question(f), _whose(f)
        days = max(_LEAST_AGENT_DAYS, float(sum(self._agent_days.values())))
        of_fleet = (self._days_everywhere[name] + 0.5) / (days + 1)
        seen_days = self._agent_days[f.step.agent_id]
        of_agent = (self._days_found[name, whose] + _SHRINKAGE_DAYS * of_fleet) / (seen_days + _SHRINKAGE_DAYS)
        seldom = -log10(min(1.0, of_agent))
        sure = -log10(1 - min(_SUREST, f.finding.anomaly))
        said_before = self._days_same[name, whose, f.step.tool]
        return (
            _claimed(f)
            * f.finding.share_after_update
            * f.finding.share_after_excuse
            * (seldom + sure)
            / (1 + said_before)
        )


def _claimed(f: Found) -> float:
    claimed = _CLAIMED[f.detector.shows]
    if f.detector.shows == "movement" and len(f.finding.path) == 1:
        claimed *= _ONE_STEP
    return claimed * _NO_RECORD if f.step.approval == "cannot_record" else claimed


def _whose(f: Found) -> str:
    """Whose habit it may be: of who acted, or where a path leads from one to another, of just these two."""
    root, actor = f.finding.path[0].agent_id, f.step.agent_id
    return actor if root == actor else f"{root} → {actor}"


def _question(f: Found) -> str:
    """What is counted as one: a detector may answer in more than one way, each with a title of its own."""
    return f"{f.detector.name}: {f.finding.title}"
