from __future__ import annotations

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step


@detector(needs=("agent_id",), techniques=("T1548", "AML.T0053", "ASI03"), shows="movement")
def agent_acts_outside_its_registration(
    step: Step, facts: Facts, history: History, *, anomaly: float = 0.97
) -> Finding | None:
    """A privileged step lies outside of what the registries allow the agent, its parents or the human behind it.

    Quiet: without a registry; for what it does not say (no `targets` for an agent forbid none); where a person
    approved just this step, unless it acts as a principal that is not its own; for steps that failed.
    Misses: reads; a target that the log does not name.
    Method: effective authority = the human's grant ∩ the parent's authority ∩ the delegated scope ∩ the registration,
    after DelegationBench; the delegated scope is the question of `delegation_widens_authority`.
    """
    standing = facts.standing
    outside = standing.outside if standing is not None else None
    if outside is None or not step.is_done:
        return None
    if facts.coverage.is_covered and outside.part != "principals":
        return None
    handoffs = facts.delegation.handoffs if facts.delegation is not None else ()
    whose = "a person" if outside.whose.is_human else "an agent"
    return Finding(
        title="outside of the registered authority",
        observed=f"{step.tool} ({step.capability}) on {step.target or 'no stated target'} as "
        f"{step.principal or step.agent_id}: {outside.value} is none of the {outside.part}",
        expected=f"{outside.allowed}: the {outside.part} of {outside.whose.id}, {whose} of {outside.whose.source}",
        anomaly=anomaly,
        path=(*handoffs, step),
    )
