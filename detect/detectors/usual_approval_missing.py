from __future__ import annotations

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step


@detector(needs=("tool",), techniques=("AML.T0053", "T1078"), shows="novelty")
def usual_approval_missing(
    step: Step, facts: Facts, history: History, *, usual: float = 0.1, impact: float = 0.7
) -> Finding | None:
    """The agent did without a yes what a person had approved in nearly all of its sessions before.

    Quiet: with less than ten approved sessions; where one session in ten went without; where the source cannot record
    approvals. A privileged step with a yes for something else is `approval_stretched_over_another_action`.
    Misses: a tool for which nobody was ever asked.
    Method: the rate of approved sessions by Laplace's rule of succession; a control that is left out is a finding of
    its own (OWASP ASI09).
    """
    missing = facts.missing_yes
    if missing is None or facts.coverage.is_covered:
        return None
    if facts.coverage.cover != "none" and (step.is_privileged or facts.coverage.cover != "other_arguments"):
        return None
    chance = (missing.called - missing.approved + 1) / (missing.called + 2)
    if chance > usual:
        return None
    return Finding(
        title="done without the usual approval",
        observed=f"{step.tool} on {step.target or 'no stated target'}, {facts.coverage}",
        expected=f"a person approved it in {missing.approved:,} of {missing.called:,} sessions of the agent",
        anomaly=1 - chance,
        path=(step,),
        impact=impact,
    )
