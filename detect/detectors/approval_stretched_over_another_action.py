from __future__ import annotations

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step


@detector(needs=("approval",), techniques=("AML.T0053",), shows="movement")
def approval_stretched_over_another_action(
    step: Step, facts: Facts, history: History, *, anomaly: float = 0.95, known: float = 0.6
) -> Finding | None:
    """A person's yes was used for another action, after its time, again, or was no person's; or there was a no.

    Quiet: where any approval of the session covers the step; but for a no, where the agent did the same to the same
    target before, which makes a missing yes an omission; where the source cannot record approvals.
    Misses: a yes that was too wide from the start; a person who was deceived into just this yes.
    Method: an approval is bound to a hash of the canonical arguments, a scope, a time and a number of uses (OWASP
    ASI09; DelegationBench).
    """
    coverage = facts.coverage
    if not facts.has_history or not step.is_done:
        return None
    if coverage.cover == "denied":
        return Finding(
            title="done although it was denied",
            observed=f"{step.tool} on {step.target or 'no stated target'}: {coverage}",
            expected="what a person says no to is not done",
            anomaly=anomaly,
            path=(step,) if coverage.approval is None else (coverage.approval, step),
        )
    if not coverage.is_misused:
        return None
    usual = history.seen(step.agent_id, "tool_target", step.target or "", step.tool or "").sessions
    if usual or (coverage.cover == "other_arguments" and not facts.is_new_reach):
        return None
    given = coverage.approval
    is_same_place = (
        coverage.cover == "other_arguments" and given is not None and given.target == step.target is not None
    )
    return Finding(
        title="approval stretched over another action",
        observed=f"{step.tool} on {step.target or 'no stated target'}: {coverage}",
        expected="a yes of a person, before the step, for these arguments, still valid and not used up",
        anomaly=anomaly if facts.is_new_reach and not is_same_place else known,
        path=(step,),
    )
