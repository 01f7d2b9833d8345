from __future__ import annotations

from datetime import UTC, datetime

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.handed_out import acting_as
from detect.step import Step


@detector(needs=("tool",), techniques=("T1078", "T1098.001"), shows="movement")
def retired_identity_still_works(
    step: Step, facts: Facts, history: History, *, anomaly: float = 0.98
) -> Finding | None:
    """A key, an agent or a principal that was taken out of service, or whose registration is over, acted again.

    Quiet: where it was put back into service in between; where the step failed or was refused; in the session that
    took it out of service.
    Misses: what was retired outside of the logs and of every registry.
    Method: key lifecycle, NIST SP 800-57: a destroyed key has no valid use.
    """
    by = facts.retired_by
    if by is None:
        return _registration_over(step, facts, anomaly)
    return Finding(
        title="a retired identity still works",
        observed=f"{step.tool} on {step.target or 'no stated target'} as {acting_as(step) or step.agent_id}",
        expected=f"nothing: {by.tool} by {by.agent_id} had taken it out of service",
        anomaly=anomaly,
        path=(by, step),
    )


def _registration_over(step: Step, facts: Facts, anomaly: float) -> Finding | None:
    standing = facts.standing
    if standing is None or standing.agent is None or not standing.is_over(step) or not step.is_done:
        return None
    entry = standing.agent
    ended = datetime.fromtimestamp((entry.ended_ns or 0) // 1_000_000_000, UTC)
    return Finding(
        title="a retired identity still works",
        observed=f"{step.tool} on {step.target or 'no stated target'} as {acting_as(step) or step.agent_id}",
        expected=f"nothing: {entry.id} {entry.ended_how} on {ended:%Y-%m-%d %H:%M} UTC, says {entry.source}",
        anomaly=anomaly,
        path=(step,),
    )
