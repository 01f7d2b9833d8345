from __future__ import annotations

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step


@detector(needs=("target",), techniques=("T1078", "AML.T0053"), shows="movement")
def change_is_for_something_else(
    step: Step, facts: Facts, history: History, *, least: int = 3, at_most: float = 0.2, often: float = 0.5
) -> Finding | None:
    """A privileged step rests on a change record that is for another thing, agent or time, or is not in force.

    Quiet: where any record that the step cites is for it; where a person approved the step, or it takes access away;
    where every fifth session of the agent that rested on a record, or more, did something else (of the fleet, where
    the agent had fewer than three), or fewer than three did at all; where none is cited and several were looked up, or
    the session has done what the one says, or the agent goes to new targets in every other session.
    Misses: a record that names no things; a record that nobody looked up.
    Method: the record as the grant, held against whom, what and when it says (ITIL's change record); the agent's own
    rate of such steps (Laplace).
    """
    misfit = facts.misfit
    if misfit is None or not step.is_done or misfit.fits + misfit.misfits < least:
        return None
    if not misfit.is_cited and (not facts.is_new_reach or facts.reach.chance > often):
        return None
    chance = (misfit.misfits + 1) / (misfit.fits + misfit.misfits + 2)
    if chance > at_most:
        return None
    rests = "cites" if misfit.is_cited else "follows a look at"
    return Finding(
        title="the change is for something else",
        observed=f"{step.tool} on {step.target} {rests} {misfit.number}, which {misfit.why}",
        expected=f"{misfit.fits:,} sessions of {misfit.whose} rested on a record for what they did, "
        f"{misfit.misfits:,} on another",
        anomaly=1 - chance,
        path=(step,),
    )
