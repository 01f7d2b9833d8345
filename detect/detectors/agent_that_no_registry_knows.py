from __future__ import annotations

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step


@detector(needs=("agent_id",), techniques=("T1078", "ASI03"), shows="novelty")
def agent_that_no_registry_knows(
    step: Step, facts: Facts, history: History, *, least: int = 2, share: float = 0.8
) -> Finding | None:
    """An agent that stands in no registry acts with privilege, among agents that do.

    Quiet: without a registry; where it knows fewer than two of the agents that acted with privilege in this log on
    the days before, or not four in five of them: then it is no register of this log.
    Misses: the first day of a log; an agent that takes a registered one's name.
    Method: NIST SP 800-53 CM-8, unauthorised components against an inventory.
    """
    standing = facts.standing
    if standing is None or standing.agent is not None or not step.is_privileged:
        return None
    known, beside = standing.known_beside, standing.known_beside + standing.unknown_beside
    if known < least or known < share * beside:
        return None
    return Finding(
        title="an agent that no registry knows",
        observed=f"{step.agent_id} did {step.tool} ({step.capability}) on {step.target or 'no stated target'}",
        expected=f"a registered agent, as {known:,} of the {beside:,} others in this log are",
        anomaly=(known + 1) / (beside + 2),
        path=(step,),
    )
