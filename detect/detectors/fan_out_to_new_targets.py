from __future__ import annotations

from baseline.history import LEAST_SESSIONS, History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step


@detector(needs=("target",), techniques=("T1021", "T1046"), shows="movement")
def fan_out_to_new_targets(
    step: Step,
    facts: Facts,
    history: History,
    *,
    least: int = 3,
    unknown: int = 5,
    at_most: float = 0.002,
    usual: float = 0.5,
) -> Finding | None:
    """Within an hour the agent took privileged steps on more new targets than it ever had.

    Quiet: for fewer than three, or five where the fleet hardly ever reached a new target; where the agent had as
    many on an earlier day; where more than one in five hundred of the fleet's sessions had; where a person approved
    the step; where every other step of the agent goes somewhere new.
    Misses: a fan-out slower than the agent's usual rate.
    Method: LATMA's white cane and blast (Silverfort), the bound a quantile of the fleet's own history.
    """
    number = len(facts.fan)
    if number < (least if facts.fan_sessions >= LEAST_SESSIONS else unknown) or not facts.has_history:
        return None
    if facts.reach.chance > usual:
        return None
    own, everybody = facts.fan_shown
    if own or (facts.fan_sessions and everybody / facts.fan_sessions > at_most):
        return None
    return Finding(
        title="fan-out to new targets",
        observed=f"{number} new targets within an hour, the last {step.target} by {step.tool}",
        expected=f"0 sessions of the agent and {everybody:,} of {facts.fan_sessions:,} of the fleet had as many",
        anomaly=1 - (everybody + 1) / (facts.fan_sessions + 2) / number,
        path=facts.fan,
    )
