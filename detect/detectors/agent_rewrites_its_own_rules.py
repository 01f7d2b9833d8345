from __future__ import annotations

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step


@detector(needs=("tool",), techniques=("AML.T0081", "T1098.003"), shows="movement")
def agent_rewrites_its_own_rules(
    step: Step, facts: Facts, history: History, *, anomaly: float = 0.97
) -> Finding | None:
    """The agent changed a policy, a role, a tool list or a guardrail that governs the agent itself.

    Quiet: where a person approved it; where the agent did it before.
    Misses: a change through another agent, or to rules whose name says nothing of the agent.
    Method: separation of duties (NIST SP 800-53 AC-5); OWASP ASI10.
    """
    if not facts.rewrites_itself or facts.coverage.is_covered or not step.is_done:
        return None
    seen = history.seen(step.agent_id, "tool_target", step.target or "", step.tool or "").sessions
    if seen:
        return None
    return Finding(
        title="the agent rewrote its own rules",
        observed=f"{step.tool} on {step.target or 'itself'} by {step.agent_id}, {facts.coverage}",
        expected="what governs an agent is changed by somebody else, or with a person's yes",
        anomaly=anomaly,
        path=(step,),
    )
