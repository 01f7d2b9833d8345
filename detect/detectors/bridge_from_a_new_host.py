from __future__ import annotations

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step


@detector(needs=("target", "source_host"), techniques=("T1021", "T1570"), shows="movement")
def bridge_from_a_new_host(
    step: Step, facts: Facts, history: History, *, one: float = 0.93, switched: float = 0.96
) -> Finding | None:
    """A privileged step went out from a host that somebody had just reached for the first time, and reached on.

    Quiet: where a person approved the step; where the target is not new; where the way into the host was approved
    or usual.
    Misses: sources that do not say from which host a step goes out.
    Method: LATMA's bridge and switched bridge (Silverfort).
    """
    way_in = facts.bridge
    if (
        way_in is None
        or facts.reach.is_common
        or facts.coverage.is_covered
        or not facts.is_new_reach
        or not facts.has_history
    ):
        return None
    is_switched = way_in.agent_id != step.agent_id
    return Finding(
        title="a bridge from a newly reached host",
        observed=f"{way_in.tool} by {way_in.agent_id} reached {step.source_host}; {step.tool} went on to {step.target}",
        expected=f"0 of {history.sessions(step.agent_id):,} sessions of {step.agent_id} reached this target",
        anomaly=switched if is_switched else one,
        path=(way_in, step),
    )
