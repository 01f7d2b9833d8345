from __future__ import annotations

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step


@detector(needs=("tool",), techniques=("T1685.002", "T1070"), shows="movement")
def log_of_another_agent_cleaned(
    step: Step, facts: Facts, history: History, *, anomaly: float = 0.98
) -> Finding | None:
    """One agent removed or stopped the records of another agent.

    Quiet: where a person approved it; where the agent did just this before (a janitor's job).
    Misses: a log whose name does not say whose it is.
    Method: MITRE ATT&CK Defense Impairment; audit information is protected from those audited (NIST AU-9).
    """
    whose = facts.cleans_log_of
    if whose is None or facts.coverage.is_covered or not step.is_done:
        return None
    if history.seen(step.agent_id, "tool_target", step.target or "", step.tool or "").sessions:
        return None
    return Finding(
        title="one agent cleaned the log of another",
        observed=f"{step.tool} on {step.target or 'no stated target'} by {step.agent_id}: records of {whose}",
        expected=f"0 of {history.sessions(step.agent_id):,} sessions of {step.agent_id} did this",
        anomaly=anomaly,
        path=(step,),
    )
