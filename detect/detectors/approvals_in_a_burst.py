from __future__ import annotations

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step


@detector(needs=("approver",), techniques=("ASI09",), shows="novelty", asked="approval")
def approvals_in_a_burst(
    step: Step,
    facts: Facts,
    history: History,
    *,
    least: int = 8,
    least_sessions: int = 10,
    least_of_all: int = 50,
    hasty: float = 0.1,
    impact: float = 0.5,
) -> Finding | None:
    """A person said yes faster and more often than this person ever did: a rubber stamp, or a yes that was worn down.

    Quiet: for fewer than eight yeses within ten minutes; where the person said yes as often on an earlier day; where
    each yes took its usual time. A person with fewer than ten sessions is judged by everybody's fifty or more.
    Misses: a person who always stamps.
    Method: the rate against the person's own history, by Laplace's rule of succession; latency
    against the person's own mean (OWASP ASI09).
    """
    stamp = facts.stamp
    if stamp is None or len(stamp.steps) < least or stamp.shown:
        return None
    is_known = stamp.sessions >= least_sessions
    if not is_known and (stamp.shown_by_all or stamp.sessions_of_all < least_of_all):
        return None
    usual, took = stamp.usual_latency_s, stamp.latency_s
    is_hasty = usual is not None and took is not None and took < hasty * usual
    if usual is not None and took is not None and not is_hasty:
        return None
    return Finding(
        title="approvals in a burst",
        observed=f"{stamp.approver} said yes {len(stamp.steps)} times within ten minutes"
        + (f", the last after {took:.0f} s" if took is not None else ""),
        expected=(
            f"0 of {stamp.sessions:,} sessions with a yes of this person had as many"
            if is_known
            else f"0 of {stamp.sessions_of_all:,} sessions with anybody's yes had as many"
        )
        + (f"; a yes usually took {usual:.0f} s" if usual is not None else ""),
        anomaly=1 - 1 / ((stamp.sessions if is_known else stamp.sessions_of_all) + 2),
        path=stamp.steps,
        impact=impact,
    )
