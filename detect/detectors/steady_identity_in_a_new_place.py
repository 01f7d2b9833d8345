from __future__ import annotations

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step


@detector(needs=("source_host",), techniques=("T1078.004", "T1550.001"), shows="movement", is_pure_novelty=True)
def steady_identity_in_a_new_place(
    step: Step, facts: Facts, history: History, *, least: int = 10, at_most: float = 0.15, impact: float = 0.65
) -> Finding | None:
    """An identity that always acts from the same few places acted, if only to read, from where nobody ever did.

    Quiet: with less than ten sessions of the identity; where one session in seven comes from somewhere new; where any
    identity of the fleet acted from there on an earlier day; but for the first step of a session from there; where a
    person approved the step.
    Misses: an attacker inside one of the usual places.
    Method: a key that leaves the place it was given for, as the clouds' own analysers report it (instance credentials
    used outside); rarity by the identity's own places (Witten and Bell 1991, method C).
    """
    place = facts.place
    if place is None or not place.is_first or place.sessions < least or facts.coverage.is_covered or not step.is_done:
        return None
    chance = (place.distinct + 1) / (place.sessions + place.distinct + 2)
    if chance > at_most:
        return None
    return Finding(
        title="a steady identity in a new place",
        observed=f"{step.tool} by {step.agent_id} from {step.source_host}, {facts.coverage}",
        expected=f"one of {place.distinct:,} places in {place.sessions:,} sessions; nobody else acted from there "
        f"(p = {chance:.2g})",
        anomaly=1 - chance,
        path=(step,),
        impact=impact,
    )
