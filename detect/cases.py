"""Findings -> cases: what has one causal root is one case, across agents and sessions."""

from __future__ import annotations

from collections import defaultdict
from math import prod
from typing import Final, Literal, get_args

import msgspec

from detect.detectors import Detector, Finding
from detect.step import Step
from ingest.event import identify

_MOST_TOOLS_SHOWN: Final = 5
_MOST_FOR_NOVELTY: Final = 0.5
"""Benign work has one of the two properties of an attack every day: alone it is never more than medium."""

Severity = Literal["info", "low", "medium", "high", "critical"]
SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)
"""The least first."""

_SEVERITIES: Final[tuple[tuple[float, Severity], ...]] = (
    (0.75, "critical"),
    (0.65, "high"),
    (0.4, "medium"),
    (0.2, "low"),
)
"""Of anomaly times impact."""


class Found(msgspec.Struct, frozen=True):
    """A finding with the detector that made it and the step that it is about."""

    detector: Detector
    step: Step
    finding: Finding

    @property
    def finding_id(self) -> str:
        return identify("finding", self.detector.name, self.step.event_id)

    @property
    def weight(self) -> float:
        """Anomaly times impact."""
        return self.finding.anomaly * self.step.impact


class Case(msgspec.Struct, frozen=True):
    """Findings of one causal root, the heaviest first."""

    found: tuple[Found, ...]

    @property
    def case_id(self) -> str:
        """Of the earliest step that a raising finding is about. What led to it may become known later: the id stays."""
        return identify("case", min((f.step for f in self.found if f.detector.raises_case), key=_when).event_id)

    @property
    def path(self) -> tuple[Step, ...]:
        """The steps of the raising findings, each once, in time."""
        steps = {step.event_id: step for f in self.found if f.detector.raises_case for step in f.finding.path}
        return tuple(sorted(steps.values(), key=_when))

    @property
    def worst(self) -> Found:
        return self.found[0]

    @property
    def why(self) -> str:
        """The path in one line: its tools in order, and what the last of them touched."""
        tools = [step.tool or step.operation for step in self.path]
        shown = tools if len(tools) <= _MOST_TOOLS_SHOWN else [*tools[:2], "…", *tools[-2:]]
        target = self.worst.step.target
        return " → ".join(shown) + (f" on {target}" if target else "")

    @property
    def anomaly(self) -> float:
        """That not all detectors are mistaken, were they independent; each detector counted once, at its best."""
        best: dict[str, float] = defaultdict(float)
        for f in self.found:
            best[f.detector.name] = max(best[f.detector.name], f.finding.anomaly)
        return 1 - prod(1 - anomaly for anomaly in best.values())

    @property
    def impact(self) -> float:
        return max(f.step.impact for f in self.found)

    @property
    def severity(self) -> Severity:
        weight = self.anomaly * self.impact
        if all(f.detector.shows != "movement" for f in self.found):
            weight = min(weight, _MOST_FOR_NOVELTY)
        return next((name for least, name in _SEVERITIES if weight >= least), "info")


def _when(step: Step) -> tuple[int, str]:
    return (-1 if step.at_ns is None else step.at_ns, step.event_id)


def build_cases(found: list[Found]) -> list[Case]:
    """Group findings that share a session or a step of their paths; groups with nothing raising are no case.

    Cases come heaviest first; ties by id.
    """
    root: dict[str, str] = {}

    def find(key: str) -> str:
        while root.setdefault(key, key) != key:
            root[key] = root[root[key]]
            key = root[key]
        return key

    for f in found:
        first, *others = [step.session_id for step in f.finding.path]
        for other in others:
            low, high = sorted((find(first), find(other)))
            root[high] = low
    groups: dict[str, list[Found]] = defaultdict(list)
    for f in found:
        groups[find(f.step.session_id)].append(f)
    cases = [
        Case(
            tuple(
                sorted(
                    group,
                    key=lambda f: (not f.detector.raises_case, -f.weight, _when(f.step), f.detector.name),
                )
            )
        )
        for group in groups.values()
        if any(f.detector.raises_case for f in group)
    ]
    return sorted(cases, key=lambda case: (-case.anomaly * case.impact, case.case_id))
