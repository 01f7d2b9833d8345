"""One question a file. To add one: drop a file here with a function of the file's name, decorated `@detector`.

A detector gets one privileged step, the facts of the causal pass and the history before that day, and
answers with the finding or None. Its docstring is its page: the first line in an analyst's words, then when
it stays quiet, what it is known to miss, and the source of the method. Thresholds are keyword arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import msgspec

from baseline.history import History
from detect.facts import Asked, Facts
from detect.step import Step
from ingest.plugins import first_line


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What a detector says of one step."""

    title: str
    observed: str
    expected: str
    anomaly: float
    """0..1: how sure the detector is that the agent's usual work does not explain the step."""
    path: tuple[Step, ...]
    """The steps that prove it, in causal order; the last is the step itself."""
    impact: float = 0.0
    """0..1: for a step that is of no class itself, a hand-off or an approval, what it lets happen."""
    share_after_excuse: float = 1.0
    """0..1: how much of the evidence is left by what speaks for the step (`detect/excuses.py`)."""
    share_after_update: float = 1.0
    """The share of its evidence that it keeps; less than all of it raises no case, and supports those of others."""


Shows = Literal["movement", "novelty", "support"]
"""What a finding amounts to by itself: both properties of lateral movement; one of them, which makes a case of
medium severity at most; or only support for a case that others raise."""

Judge = Callable[[Step, Facts, History], Finding | None]


@dataclass(frozen=True, eq=False)
class Detector:
    """A question asked of every privileged step."""

    name: str
    summary: str
    judge: Judge
    needs: tuple[str, ...]
    """Fields of the step without which it cannot fire; what lacks them is reported, not passed over."""
    techniques: tuple[str, ...]
    """ATT&CK v20 or ATLAS ids."""
    shows: Shows
    asked: Asked = "privileged"
    """Which steps it is asked about."""
    is_pure_novelty: bool = False
    """Whether it asks for no more than what an update brings: another tool, another name, another order."""

    @property
    def raises_case(self) -> bool:
        """Whether its findings alone make a case."""
        return self.shows != "support"


def detector(
    *,
    needs: tuple[str, ...],
    techniques: tuple[str, ...],
    shows: Shows,
    asked: Asked = "privileged",
    is_pure_novelty: bool = False,
) -> Callable[[Judge], Detector]:
    """Declare a detector."""

    def declare(judge: Judge) -> Detector:
        summary = first_line(judge.__doc__)
        return Detector(judge.__name__, summary, judge, needs, techniques, shows, asked, is_pure_novelty)

    return declare
