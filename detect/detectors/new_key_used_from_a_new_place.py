from __future__ import annotations

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step


@detector(needs=("source_host", "credential_id"), techniques=("T1078.004", "T1550.001"), shows="movement")
def new_key_used_from_a_new_place(
    step: Step, facts: Facts, history: History, *, least: int = 20, anomaly: float = 0.95
) -> Finding | None:
    """A credential that was handed out within the day acted with privilege from a place where nobody ever acted.

    Quiet: where anybody of the fleet acted from there on an earlier day; where the place is that of who handed it out;
    for fleets of which fewer than twenty places are known; where a person approved the step.
    Misses: an attacker inside one of the usual places.
    Method: new_terms on the source, as in elastic/detection-rules, followed by the key that a call returned.
    """
    took, place = facts.new_key, facts.place
    if took is None or place is None or facts.coverage.is_covered or not step.is_done or not step.is_privileged:
        return None
    if place.of_fleet < least or not (facts.has_history or history.is_enough(took.agent_id)):
        return None
    return Finding(
        title="a new key used from a new place",
        observed=f"given by {took.tool} of {took.agent_id}; {step.tool} by {step.agent_id} from {step.source_host}",
        expected=f"one of the {place.of_fleet:,} places from which the fleet acts",
        anomaly=anomaly,
        path=(took, step),
    )
