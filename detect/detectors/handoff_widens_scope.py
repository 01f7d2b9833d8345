from __future__ import annotations

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step


@detector(needs=("target",), techniques=("T1548", "AML.T0053"), shows="movement", asked="handoff")
def handoff_widens_scope(step: Step, facts: Facts, history: History, *, anomaly: float = 0.95) -> Finding | None:
    """An agent handed on more than it had been given itself.

    Quiet: where either hand-off states no scope; where the second one is within the first.
    Misses: a scope in prose.
    Method: effective authority = grant ∩ parent's authority ∩ delegated scope (DelegationBench): a delegation that
    widens it is a finding before anything is done with it.
    """
    delegation = facts.delegation
    if delegation is None or not delegation.added:
        return None
    above = delegation.handoffs[:-1]
    return Finding(
        title="a hand-off gave more than its giver had",
        observed=f"{step.agent_id} handed {', '.join(sorted(delegation.added))} to {step.target}",
        expected=f"no more than {above[-1].agent_id} had handed to {step.agent_id}",
        anomaly=anomaly,
        path=(*above, step),
        impact=0.7,
    )
