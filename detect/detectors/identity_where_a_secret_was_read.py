from __future__ import annotations

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step


@detector(needs=("source_host",), techniques=("T1078.004", "T1552"), shows="movement")
def identity_where_a_secret_was_read(
    step: Step, facts: Facts, history: History, *, least: int = 3, usual: float = 0.2, impact: float = 0.65
) -> Finding | None:
    """An identity acted, if only to read, from the place of another agent that had just read a secret new to it.

    Quiet: where the identity acted from there on an earlier day; where every fifth of its sessions comes from
    somewhere new; where fewer than three show a place and the secret is not named after it; where the secret was usual
    for its reader or a person approved the reading or this step; after more than a day; where the secret is the
    identity's own to read; where the logs show who took the credential that it acts with, in that place.
    Misses: a secret that is carried elsewhere before it is used (`acts_from_a_new_place`).
    Method: Hopper's credential switch (USENIX Security 2021), with the place for what the log does not show of the
    credential.
    """
    near = facts.neighbour
    if near is None or facts.coverage.is_covered or not step.is_done:
        return None
    if near.sessions < least and not near.is_named:
        return None
    chance = (near.distinct + 1) / (near.sessions + near.distinct + 2)
    if near.distinct > usual * near.sessions and near.distinct > 1:
        return None
    return Finding(
        title="another identity where a secret was read",
        observed=f"{near.read.tool} on {near.read.target} by {near.read.agent_id}; then {step.tool} by {step.agent_id} "
        f"from the same {step.source_host}",
        expected=f"{step.agent_id} acted from {near.distinct:,} places in {near.sessions:,} sessions, never from there",
        anomaly=1 - min(0.5, chance) / 2,
        path=(near.read, step),
        impact=impact,
    )
