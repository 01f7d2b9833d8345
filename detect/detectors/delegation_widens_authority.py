from __future__ import annotations

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step
from ingest.arguments import scalars_in


@detector(needs=("agent_id",), techniques=("T1548", "AML.T0053"), shows="movement")
def delegation_widens_authority(
    step: Step, facts: Facts, history: History, *, least_steps: int = 50, anomaly: float = 0.95
) -> Finding | None:
    """An agent that was handed a task did what the hand-off did not allow.

    Where the hand-off states a scope (`scope`, `allowed_tools`, …), a privileged step outside of it is the
    finding. Where it states none, the class of the step must be new to what this agent ever did for this
    delegator. Quiet: where an approval covers the step; where no scope is stated and the pair of agents has
    fewer than 50 delegated steps of history.
    Down a line of hand-offs the scopes narrow: what all of them allow together.
    Misses: a scope in prose; a chain of hand-offs across systems that share no session.
    Method: effective authority = grant ∩ parent's authority ∩ delegated scope (DelegationBench).
    """
    delegation = facts.delegation
    if delegation is None or facts.coverage.is_covered or step.capability is None:
        return None
    handoff, scope = delegation.handoff, delegation.scope
    if handoff.agent_id == step.agent_id:
        return None
    if scope is not None:
        is_read_only = bool(scope & {"read-only", "readonly", "read_only"})
        named = {step.tool, step.capability, step.target, *(value for _, value in scalars_in(step.arguments))}
        if not is_read_only and named & scope:
            return None
        expected = f"what the hand-offs allow together: {', '.join(sorted(scope)) or 'nothing'}"
    else:
        delegated = history.steps_in(step.agent_id, "delegated_capability", handoff.agent_id)
        seen = history.seen(step.agent_id, "delegated_capability", step.capability, handoff.agent_id)
        is_usual = history.seen(step.agent_id, "tool", step.tool or "").sessions and not facts.is_new_reach
        if delegated < least_steps or seen.steps or is_usual:
            return None
        expected = f"0 of {delegated:,} steps that {handoff.agent_id} delegated to it were of this class"
    return Finding(
        title="delegation widened the authority",
        observed=f"{step.tool} ({step.capability}) on {step.target or 'no stated target'}, {facts.coverage}",
        expected=expected,
        anomaly=anomaly,
        path=(*delegation.handoffs, step),
    )
