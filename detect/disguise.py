"""What a tool of an unknown name does: renamed, it still takes what it needs, gives what it gives and leaves traces.

Witnesses, the most telling first: what the call itself shows (`detect/behaviour.py`); a credential that it carries and
that somebody was given; the shape of its arguments (the set of their names) where the fleet's privileged tools alone
had it before; and another log that shows a privileged step on the same target in the same moment.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from functools import lru_cache
from typing import Final

import msgspec

from baseline.capability_table import PRIVILEGED
from detect.behaviour import Behaviour, behaviour
from detect.handed_out import fingerprint
from detect.memory import remember
from detect.step import Step
from ingest.arguments import scalars_in

_LEAST_KEYS: Final = 2
_SHORTEST_CREDENTIAL: Final = 8
_SAME_MOMENT_NS: Final = 5 * 1_000_000_000
"""A call and its record in another system's log: seconds, for clocks that are kept."""
_MOST_TARGETS: Final = 2_000
_MOST_TOOLS: Final = 2_000
_LEAST_WITNESSED: Final = 2
"""Times that another log must have shown the same class before a name has it: once may be chance."""


class Traced(msgspec.Struct, frozen=True):
    """A step as the witness of another one."""

    tool: str
    agent_id: str
    at_ns: int
    capability: str


class Shapes(msgspec.Struct):
    """What shows a tool's class beside its name."""

    of: dict[str, str] = {}
    """Shape -> the one class of the privileged tools that take it; "" where others take it as well."""
    latest: dict[str, Traced] = {}
    """Target -> the last privileged step on it that its name classed."""
    nameless: dict[str, Traced] = {}
    """Target -> the last step on it whose name said nothing."""
    witnessed: dict[str, dict[str, int]] = {}
    """Tool -> class -> how often another log showed a step of the class on its target in the same moment."""
    told: dict[str, dict[str, int]] = {}
    """Tool whose name says nothing -> `class: how that showed` -> steps."""

    def unmask(self, step: Step, handed: Container[str] = (), *, is_usual: bool = False) -> Behaviour | None:
        """What a step shows whose name says nothing, or None; what known tools show is learnt on the way.

        `handed` holds the fingerprints of the credentials that were given to somebody; `is_usual` says that the agent
        used the tool before: what it carries says then as whom it acts, and not what it does.
        """
        if step.capability == "read" and step.is_sure:
            return None
        scalars = scalars_in(step.arguments)
        shape = _shape(step, scalars)
        if step.is_sure:
            self._learn(step, shape)
            return None
        shown = behaviour(step, scalars) or self._by_others(step, scalars, shape, handed, is_usual=is_usual)
        if shown is None:
            return None
        told = self.told.get(step.tool or "", {})
        words = f"{shown.capability}: {shown.shows}"
        remember(self.told, step.tool or "", {**told, words: told.get(words, 0) + 1}, _MOST_TOOLS)
        return shown

    def _by_others(
        self,
        step: Step,
        scalars: Sequence[tuple[str, str]],
        shape: str | None,
        handed: Container[str],
        *,
        is_usual: bool,
    ) -> Behaviour | None:
        """What the rest of the fleet's logs say of a step that does not show its class by itself."""
        for _, value in scalars if step.capability is None and not is_usual else ():
            if len(value) >= _SHORTEST_CREDENTIAL and value != step.target and fingerprint(value) in handed:
                return Behaviour("remote_execution", "a credential that somebody was given")
        if step.capability is not None:
            return None
        alike = self.of.get(shape) if shape is not None else None
        if alike in PRIVILEGED:
            return Behaviour(alike, "the arguments of known tools")
        return self._witness(step)

    def _witness(self, step: Step) -> Behaviour | None:
        """The class that another log shows for this step, or showed for its tool before."""
        tool = step.tool or ""
        if step.at_ns is None or step.target is None:
            return None
        trace = Traced(tool, step.agent_id, step.at_ns, "")
        other = self.latest.get(step.target)
        if other is not None and _is_witness(trace, other):
            self._note(tool, other.capability)
        else:
            remember(self.nameless, step.target, trace, _MOST_TARGETS)
        classes = self.witnessed.get(tool, {})
        often = max(classes, key=lambda c: (classes[c], c), default="")
        if often in PRIVILEGED and classes[often] >= _LEAST_WITNESSED and classes[often] * 2 > sum(classes.values()):
            return Behaviour(often, "another log's step on its target in the same moment")
        return None

    def _learn(self, step: Step, shape: str | None) -> None:
        said = step.capability if step.is_privileged and step.capability else ""
        if shape is not None and self.of.setdefault(shape, said) != said:
            remember(self.of, shape, "")
        if said and step.target is not None and step.at_ns is not None:
            trace = Traced(step.tool or "", step.agent_id, step.at_ns, said)
            remember(self.latest, step.target, trace, _MOST_TARGETS)
            other = self.nameless.get(step.target)
            if other is not None and _is_witness(other, trace):
                del self.nameless[step.target]
                self._note(other.tool, said)

    def _note(self, tool: str, capability: str) -> None:
        classes = self.witnessed.get(tool, {})
        remember(self.witnessed, tool, {**classes, capability: classes.get(capability, 0) + 1}, _MOST_TOOLS)


def _shape(step: Step, scalars: Sequence[tuple[str, str]]) -> str | None:
    return _joined(tuple([key for key, value in scalars if value != step.credential_id]))


@lru_cache(maxsize=1 << 14)
def _joined(keys: tuple[str, ...]) -> str | None:
    names = sorted(set(keys))
    return ",".join(names) if len(names) >= _LEAST_KEYS else None


def _is_witness(nameless: Traced, named: Traced) -> bool:
    """Whether two logs tell of one step: within seconds, and each under its own name for the actor."""
    return nameless.agent_id != named.agent_id and abs(nameless.at_ns - named.at_ns) <= _SAME_MOMENT_NS
