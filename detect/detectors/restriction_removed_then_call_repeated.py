from __future__ import annotations

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step


@detector(needs=("tool",), techniques=("T1685", "AML.T0053"), shows="movement")
def restriction_removed_then_call_repeated(
    step: Step, facts: Facts, history: History, *, anomaly: float = 0.98
) -> Finding | None:
    """A call was refused, the agent changed what stood in its way, and the same call went through.

    Quiet: where a person approved the change or the call; where the call went through by a plain retry; where the
    agent did just this call before.
    Misses: a restriction that another agent removes; a call that is repeated under another name.
    Method: the sequence refused → uncovered change of a path, permission or defence → the same call, in one window.
    """
    if facts.loosened is None or facts.coverage.is_covered:
        return None
    if history.seen(step.agent_id, "tool_target", step.target or "", step.tool or "").sessions:
        return None
    refused, change = facts.loosened
    return Finding(
        title="restriction removed, then the refused call repeated",
        observed=f"{step.tool} was refused; {change.tool} on {change.target}; then it went through",
        expected="a refused call stays refused until somebody else, or a person's yes, changes that",
        anomaly=anomaly,
        path=(refused, change, step),
    )
