from __future__ import annotations

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step


@detector(needs=("source_host",), techniques=("T1078", "T1078.004"), shows="support")
def acts_from_a_new_place(
    step: Step, facts: Facts, history: History, *, least: int = 3, usual: float = 0.2
) -> Finding | None:
    """An identity that always acts from the same few places acted with privilege from one that nobody ever acted from.

    Quiet: where the identity was seen in fewer than three sessions; where every fifth of them came from somewhere new;
    where any identity of the fleet acted from there before; where a person approved the step.
    Misses: an attacker inside one of the usual places.
    Method: new_terms on (identity, source) as in elastic/detection-rules, with the fleet beside it.
    """
    place = facts.place
    if (
        place is None
        or not step.is_privileged
        or place.sessions < least
        or facts.coverage.is_covered
        or not step.is_done
    ):
        return None
    chance = (place.distinct + 1) / (place.sessions + place.distinct + 2)
    if place.distinct > usual * place.sessions and place.distinct > 1:
        return None
    return Finding(
        title="acts from a new place",
        observed=f"{step.tool} by {step.agent_id} from {step.source_host}",
        expected=f"one of {place.distinct:,} places in {place.sessions:,} sessions; nobody else acted from there",
        anomaly=1 - min(0.5, chance) / 2,
        path=(step,),
    )
