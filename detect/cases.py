"""Findings -> cases: what has one causal root is one case, across agents and sessions."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import Final, Literal, get_args

import msgspec

from detect.detectors import Detector, Finding, Shows
from detect.handed_out import IS_TEMPORARY
from detect.run_names import names_of
from detect.step import Step
from ingest.event import identify

_MOST_TOOLS_SHOWN: Final = 5
_SHOWS: Final = get_args(Shows)
_EACH_FURTHER: Final = 0.5
"""What a further detector adds to the strongest: they look at the same steps, so they are no independent witnesses."""
_SAME_STEP: Final = 0.4
"""Of what a further detector says of a step that another one has told."""
_A_DECADE: Final = 8.0
"""Evidence of this many powers of ten is an anomaly of 0.9."""
_MOST_ON_TARGET: Final = 4
"""Agents with movements on one target; what more of them share is a gateway or a default, not a root."""
_PRIVILEGED: Final = 0.5
"""The least impact of a privileged class."""
_TOGETHER_NS: Final = 24 * 3600 * 1_000_000_000
MOST_CARRIED: Final = 200
"""Findings that a case carries whole; nobody reads more, and each is written again with every revision."""
MOST_PATH: Final = 500
"""Steps that a case shows as its path."""
_MOST_FOR_NOVELTY: Final = 0.4
"""Benign work has one of the two properties of an attack every day: alone it is never more than medium."""

Severity = Literal["info", "low", "medium", "high", "critical"]
SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)
"""The least first."""

_SEVERITIES: Final[tuple[tuple[float, Severity], ...]] = (
    (0.68, "critical"),
    (0.48, "high"),
    (0.28, "medium"),
    (0.13, "low"),
)
"""Of anomaly times impact."""


class Found(msgspec.Struct, frozen=True):
    """A finding with the detector that made it and the step that it is about."""

    detector: Detector
    step: Step
    finding: Finding
    evidence: float = 0.0
    """How rare such a finding is in this fleet, in powers of ten (`detect/evidence.py`)."""

    @property
    def raises_case(self) -> bool:
        """Whether it alone makes a case."""
        return self.detector.raises_case and self.finding.share_after_update == 1

    @property
    def finding_id(self) -> str:
        return identify("finding", self.detector.name, self.step.event_id)

    @property
    def weight(self) -> float:
        """Anomaly times impact."""
        return self.finding.anomaly * self.impact

    @property
    def impact(self) -> float:
        """0..1: what the class of the step can do; where a step has none, what the finding says."""
        return max(self.step.impact, self.finding.impact)


class Case(msgspec.Struct, frozen=True):
    """Findings of one causal root, the heaviest first.

    A case of very many carries those that make it what it is: its first, its gravest, the best of each detector, then
    the heaviest. The others are counted.
    """

    found: tuple[Found, ...]
    beyond: tuple[str, ...] = ()
    """The ids of the findings that are only counted, in the same order."""

    @property
    def finding_ids(self) -> tuple[str, ...]:
        """Of all findings, those that are only counted last."""
        return (*(f.finding_id for f in self.found), *self.beyond)

    @property
    def findings(self) -> int:
        """How many there are."""
        return len(self.found) + len(self.beyond)

    @property
    def case_id(self) -> str:
        """Of the earliest step that a raising finding is about. What led to it may become known later: the id stays."""
        return identify("case", min((f.step for f in self.found if f.raises_case), key=_when).event_id)

    @property
    def path(self) -> tuple[Step, ...]:
        """The steps that prove a movement, else those of the raising findings, each once, in time.

        Of very many only those of the heaviest findings."""
        shown = [f for f in self.found if f.detector.shows == "movement"]
        raising = shown or [f for f in self.found if f.raises_case]
        steps: dict[str, Step] = {}
        for f in raising:
            steps.update((step.event_id, step) for step in f.finding.path)
            if len(steps) >= MOST_PATH:
                break
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
    def evidence(self) -> float:
        """Powers of ten: each detector at its best, the strongest whole, every further one half of the one before.

        What is said of a step that is told already adds little: a new tool is a new order of tools as well.
        """
        best: dict[str, Found] = {}
        for f in self.found:
            if f.detector.name not in best or f.evidence > best[f.detector.name].evidence:
                best[f.detector.name] = f
        total, share, told = 0.0, 1.0, set[str]()
        for f in sorted(best.values(), key=lambda f: (-f.evidence, f.detector.name)):
            total += f.evidence * share * (_SAME_STEP if f.step.event_id in told else 1.0)
            told.add(f.step.event_id)
            share *= _EACH_FURTHER
        return total

    @property
    def anomaly(self) -> float:
        """0..1, of the evidence; comparable between cases, whatever detectors raised them."""
        return float(1 - 10 ** (-self.evidence / _A_DECADE))

    @property
    def impact(self) -> float:
        """0..1: of the worst class; a privileged one halfway (as a geometric mean) to 1, since it is a way to more."""
        worst = max(f.impact for f in self.found if f.raises_case)
        return float(worst**0.5) if worst >= _PRIVILEGED else worst

    @property
    def severity(self) -> Severity:
        weight = self.anomaly * self.impact
        if all(f.detector.shows != "movement" for f in self.found):
            weight = min(weight, _MOST_FOR_NOVELTY)
        return next((name for least, name in _SEVERITIES if weight >= least), "info")


def _when(step: Step) -> tuple[int, str]:
    return (-1 if step.at_ns is None else step.at_ns, step.event_id)


class _Groups:
    """Sets of keys that belong together."""

    def __init__(self) -> None:
        self._root: dict[str, str] = {}

    def find(self, key: str) -> str:
        while self._root.setdefault(key, key) != key:
            self._root[key] = self._root[self._root[key]]
            key = self._root[key]
        return key

    def join(self, one: str, other: str) -> None:
        low, high = sorted((self.find(one), self.find(other)))
        self._root[high] = low


def shared(f: Found) -> set[tuple[str, str]]:
    """What two findings of different sessions may share within a day: (what, its name)."""
    step, keys = f.step, set[tuple[str, str]]()
    if step.target is not None and f.detector.shows == "movement":
        keys.add(("target", step.target))
    if step.credential_id is not None and IS_TEMPORARY.match(step.credential_id):
        keys.add(("credential", step.credential_id))
    keys.update(("run", name) for name in names_of(step))
    return keys


def build_cases(found: list[Found]) -> list[Case]:
    """Group findings of one causal root; groups with nothing raising are no case.

    One root: they share a step of their paths (the one that gave a credential, handed on, opened the way), or within
    a day of each other they share a session, act with one temporary credential, bear one run's name in several logs, or
    as movements end at one target.
    Cases come heaviest first; ties by id.
    """
    groups = _Groups()
    keys = [f.finding_id for f in found]
    agent_of = {key: f.step.agent_id for key, f in zip(keys, found, strict=True)}
    touches: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
    for key, f in zip(keys, found, strict=True):
        for step in f.finding.path:
            touches[f"step {step.event_id}"].append((*_when(step), key))
        at, event_id = _when(f.step)
        touches[f"session {f.step.session_id}"].append((at, event_id, key))
        for what, name in shared(f):
            touches[f"{what} {name}"].append((at, event_id, key))
    for name, touched in touches.items():
        if name.startswith("target ") and len({agent_of[key] for _, _, key in touched}) > _MOST_ON_TARGET:
            continue
        touched.sort()
        for (before, _, one), (after, _, other) in pairwise(touched):
            if after - before <= _TOGETHER_NS:
                groups.join(one, other)
    members: dict[str, list[Found]] = defaultdict(list)
    for key, f in zip(keys, found, strict=True):
        members[groups.find(key)].append(f)
    cases = [_case(group) for group in members.values() if any(f.raises_case for f in group)]
    return sorted(cases, key=lambda case: (-case.anomaly * case.impact, case.case_id))


def _case(group: list[Found]) -> Case:
    ordered = sorted(
        group,
        key=lambda f: (_SHOWS.index(f.detector.shows), -f.evidence * f.impact, _when(f.step), f.detector.name),
    )
    if len(ordered) <= MOST_CARRIED:
        return Case(tuple(ordered))
    raising = [f for f in ordered if f.raises_case]
    chosen = [min(raising, key=lambda f: (_when(f.step), f.detector.name)), max(raising, key=lambda f: f.impact)]
    best: dict[str, Found] = {}
    for f in ordered:
        if f.detector.name not in best or f.evidence > best[f.detector.name].evidence:
            best[f.detector.name] = f
    ids = {f.finding_id for f in (*chosen, *best.values())}
    room = MOST_CARRIED - len(ids)
    ids.update([f.finding_id for f in ordered if f.finding_id not in ids][:room])
    return Case(
        tuple(f for f in ordered if f.finding_id in ids),
        tuple(f.finding_id for f in ordered if f.finding_id not in ids),
    )
