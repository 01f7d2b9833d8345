from __future__ import annotations

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step


@detector(needs=("tool",), techniques=("T1548", "T1098.003"), shows="movement")
def privilege_escalation_combination(
    step: Step, facts: Facts, history: History, *, anomaly: float = 0.95
) -> Finding | None:
    """The agent did, within a day, all the parts of a known way to more privilege, on things that belong together.

    Quiet: where the agent did the same before; where a person approved the step that completes it; where the parts
    name no role, user, policy or service in common, and none acts with what another one handed out.
    Misses: ways that are not in `escalation.toml`; parts spread over agents; a part that names its object in a way
    of its own (a policy that is attached to the acting user elsewhere).
    Method: sets of actions of one principal: Rhino Security Labs' and pathfinding.cloud's methods, Kubernetes' and the
    clouds' own documentation, each named in the file.
    """
    method = facts.method
    if method is None or method.shown or facts.coverage.is_covered or not facts.has_history:
        return None
    return Finding(
        title="a known way to more privilege",
        observed=f"{method.name}: {', '.join(str(s.tool) for s in method.steps)}",
        expected=f"0 earlier sessions of this agent did this (method: {method.source})",
        anomaly=anomaly,
        path=method.steps,
    )
