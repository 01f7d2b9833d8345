from __future__ import annotations

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step


@detector(needs=("on_behalf_of",), techniques=("T1078", "ASI03"), shows="novelty")
def acts_for_another_human(step: Step, facts: Facts, history: History, *, anomaly: float = 0.9) -> Finding | None:
    """An agent that is registered for certain people acted with privilege on behalf of somebody else.

    Quiet: without a registry that names the agent's people; for its owner; where a person approved the step.
    Misses: a log that does not say on whose behalf; a person whom two systems call differently (give both names).
    Method: confused deputy (Hardy, 1988); the person bound to an agent is part of its registration.
    """
    standing = facts.standing
    if standing is None or standing.agent is None or standing.other_human is None or facts.coverage.is_covered:
        return None
    return Finding(
        title="acts for another human",
        observed=f"{step.tool} on {step.target or 'no stated target'} on behalf of {standing.other_human}",
        expected=f"{', '.join(standing.agent.humans or ())}: registered for {standing.agent.id} "
        f"in {standing.agent.source}",
        anomaly=anomaly,
        path=(step,),
    )
