"""A restriction in an agent's way, the change that removed it, and the same call again, now let through."""

from __future__ import annotations

from typing import Final

import msgspec

from detect.memory import remember
from detect.step import Step, within
from ingest.arguments import scalars_in

_LOOSENS: Final = frozenset({"network_path", "permission", "defence_impairment"})
_MOST_DENIED: Final = 16


class Denied(msgspec.Struct):
    """A call that was refused, and what the agent changed after it."""

    step: Step
    named: frozenset[str]
    """What the call named."""
    change: Step | None = None


class Restrictions(msgspec.Struct):
    """Agent -> the calls that were refused to it lately."""

    denied: dict[str, list[Denied]] = {}

    def take(self, step: Step, window_s: float, *, is_covered: bool) -> tuple[Step, Step] | None:
        """(the refused call, the change) where this step is the refused call again, let through after a change."""
        agent = step.agent_id
        waiting = self.denied.get(agent)
        if step.status == "denied":
            slim = step.without_payload()
            kept = [d for d in waiting or () if within(d.step, step, window_s) and not _is_same(d.step, step)]
            remember(self.denied, agent, [*kept, Denied(slim, _named(step))][-_MOST_DENIED:])
            return None
        if not waiting or not step.is_done:
            return None
        for one in waiting:
            if one.change is not None and _is_same(one.step, step) and within(one.step, step, window_s):
                waiting.remove(one)
                return one.step, one.change
            if one.change is not None or is_covered or step.capability not in _LOOSENS or _is_same(one.step, step):
                continue
            if (one.named | {agent}) & _named(step):
                one.change = step.without_payload()
        return None


def _named(step: Step) -> frozenset[str]:
    """The target and the texts in the arguments that are long enough to be a name."""
    values = (value for _, value in scalars_in(step.arguments) if len(value) >= 4)
    return frozenset((*values, *([step.target] if step.target else []), *([step.principal] if step.principal else [])))


def _is_same(refused: Step, step: Step) -> bool:
    return refused.tool == step.tool and refused.target == step.target
