"""A finding about an agent with too little history of its own: by whose it was judged, and what that proves."""

from __future__ import annotations

from typing import Final

import msgspec

from baseline.history import History
from detect.detectors import Detector, Finding
from detect.facts import Facts
from detect.step import Step

RARE: Final = 0.05
"""Where something as new comes with more than this probability, that it is new to others says nothing of this agent."""


def borrowed(detector: Detector, finding: Finding, step: Step, facts: Facts, history: History) -> Finding | None:
    """The finding with whose history it rests on, and no surer than that something new is rare there; or None.

    Where every agent has tools or targets of its own, one more that does says nothing. What the detector would say
    without any history (a retired key, a scope that was left), or by that of the path's root, is not borrowed.
    """
    basis = history.basis(step.agent_id)
    if basis.level in ("own", "nobody"):
        return finding
    root = facts.switch.path[0].agent_id if facts.switch is not None else facts.root
    root_has_own = history.basis(root).level == "own"
    without = msgspec.structs.replace(facts, has_history=False, root_has_history=root_has_own)
    if detector.judge(step, without, history) is not None:
        return finding
    new = [("target", step.target)] if facts.is_new_reach and step.target is not None else []
    if step.tool is not None and not (new and history.seen(step.agent_id, "tool", step.tool).sessions):
        new.append(("tool", step.tool))
    if not new:
        return finding
    chance, aspect = max((history.link(step.agent_id, aspect, value).p, aspect) for aspect, value in new)
    if chance > RARE:
        return None
    return msgspec.structs.replace(
        finding,
        expected=f"{finding.expected}; {basis}, to whom a {aspect} as new as this comes with p = {chance:.2g}",
        anomaly=min(finding.anomaly, 1 - chance),
    )
