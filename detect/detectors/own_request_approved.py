from __future__ import annotations

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step


@detector(needs=("tool",), techniques=("T1098", "AML.T0053", "ASI09"), shows="movement")
def own_request_approved(
    step: Step, facts: Facts, history: History, *, anomaly: float = 0.95, impact: float = 0.7, usual: int = 3
) -> Finding | None:
    """An agent approved a request that it had made itself: nobody else looked at it.

    Quiet: where the agent did so in more than three sessions of earlier days, as it does that has the right to its
    own standard changes; where a person approved the approval.
    Misses: a request made in one session and approved in another; two agents that approve each other's.
    Method: separation of duties (NIST SP 800-53 AC-5): who asks does not approve.
    """
    made = facts.own_request
    if made is None or facts.coverage.is_covered or not facts.has_history or facts.own_requests > usual:
        return None
    return Finding(
        title="own request approved",
        observed=f"{step.tool} decides on what {made.tool} of the same agent had asked for",
        expected=f"somebody else's yes; the agent approved its own requests in {facts.own_requests:,} sessions",
        anomaly=anomaly,
        path=(made, step),
        impact=impact,
    )
