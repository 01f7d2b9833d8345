from __future__ import annotations

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step


@detector(needs=("target",), techniques=("T1686", "T1021"), shows="movement")
def network_path_opened_then_crossed(
    step: Step, facts: Facts, history: History, *, anomaly: float = 0.97
) -> Finding | None:
    """One agent opened a network path that nobody approved, and another agent crossed it to a new target.

    Quiet: where the opening was approved; where the agent that crosses has reached the target before; where
    nobody crosses within a day (within a week, where opening it was new to its agent); where somebody closed it before.
    Misses: a crossing by something that leaves no agent log; a path opened by an approval that was too wide.
    Method: LATMA's switched bridge (Silverfort), with the opening of the path as its first edge.
    """
    opener = facts.opened_by
    if (
        opener is None
        or opener.agent_id == step.agent_id
        or not facts.is_new_reach
        or facts.coverage.is_covered
        or facts.reach.is_common
        or not facts.has_history
    ):
        return None
    return Finding(
        title="network path opened, then crossed by another agent",
        observed=f"{opener.tool} by {opener.agent_id} opened the way; {step.tool} on {step.target} crossed it",
        expected=f"0 of {history.sessions(step.agent_id):,} sessions of {step.agent_id} reached this target",
        anomaly=anomaly,
        path=(opener, step),
    )
