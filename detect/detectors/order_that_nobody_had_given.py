from __future__ import annotations

from typing import Final

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.provenance import ORDER
from detect.step import Step

_ANYWHERE: Final = frozenset({"defence_impairment", "permission"})
"""Classes that do harm on a thing that the agent knows."""


@detector(needs=("target",), techniques=("T1548", "AML.T0053"), shows="movement")
def order_that_nobody_had_given(
    step: Step, facts: Facts, history: History, *, least_sessions: int = 10, anomaly: float = 0.99
) -> Finding | None:
    """An agent did on another agent's order what the person who had asked that one does not name.

    Quiet: where the person's request names the target; where the agent took targets from such orders before, with this
    tool or for such work; where a person approved the step; where the target is not new to the agent, unless a defence
    is impaired or rights are given there; with fewer than ten sessions whose targets have a known origin; where the log
    shows no request.
    Misses: an order whose target the person named for something else.
    Method: effective authority = the human's grant ∩ the parent's authority ∩ the delegated scope (DelegationBench),
    for grants in prose: what the request names is the most that it can grant.
    """
    origin = facts.origin
    if origin is None or origin.of != ORDER or origin.is_usual or origin.cases < least_sessions:
        return None
    if facts.coverage.is_covered or not facts.has_history or not step.is_done:
        return None
    if not facts.is_new_reach and step.capability not in _ANYWHERE:
        return None
    handoffs = facts.delegation.handoffs if facts.delegation is not None else ()
    giver = handoffs[-1].agent_id if handoffs else "another agent"
    return Finding(
        title="an order that nobody had given",
        observed=f"{step.tool} on {step.target}, which {giver} ordered and the person's request does not name",
        expected=f"0 of {origin.cases:,} sessions of the agent took a privileged target from such an order",
        anomaly=min(anomaly, 1 - 1 / (origin.cases + 2)),
        path=(*handoffs, step),
    )
