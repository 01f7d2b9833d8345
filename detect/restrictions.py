"""A restriction in an agent's way, the change that removed it, and the same call again, now let through."""

from __future__ import annotations

from typing import Final

import msgspec

from detect.memory import remember
from detect.step import Step, within

_LOOSENS: Final = frozenset({"network_path", "permission", "defence_impairment", "credential"})
_MOST_DENIED: Final = 16


class Denied(msgspec.Struct):
    """A call that was refused, and what the agent changed after it."""

    step: Step
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
            remember(self.denied, agent, [*kept, Denied(slim)][-_MOST_DENIED:])
            return None
        if not waiting or not step.is_done:
            return None
        for one in waiting:
            if one.change is not None and _is_same(one.step, step) and within(one.step, step, window_s):
                waiting.remove(one)
                return one.step, one.change
            if one.change is None and not is_covered and step.capability in _LOOSENS and not _is_same(one.step, step):
                one.change = step.without_payload()
        return None


def _is_same(refused: Step, step: Step) -> bool:
    return refused.tool == step.tool and refused.target == step.target
