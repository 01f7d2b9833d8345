from __future__ import annotations

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step


@detector(needs=("target",), techniques=("T1021", "T1078.004"), shows="support")
def first_reach_of_its_kind(step: Step, facts: Facts, history: History, *, at_most: float = 0.1) -> Finding | None:
    """A privileged step touched something unlike anything that the agent, or the person behind it, had touched.

    Quiet: where a target of like name was touched before (`db-7` after `db-3`); where other agents touch it; where
    the agent goes to new kinds of targets often; where a person approved the step; where the tool is new
    as well (then the first use of it is the finding).
    Misses: a target that is named like the usual ones.
    Method: the rate of new values in the agent's own history (Witten and Bell 1991, method C).
    """
    reach = facts.reach
    if not (reach.is_new and reach.is_new_kind and reach.is_new_to_human) or facts.coverage.is_covered:
        return None
    if not facts.has_history or reach.peers or reach.chance > at_most or not step.is_done:
        return None
    if not history.seen(step.agent_id, "tool", step.tool or "").sessions:
        return None
    account = " in an account that it never touched" if reach.is_new_account else ""
    return Finding(
        title="first reach of its kind",
        observed=f"{step.tool} on {step.target}{account}, {facts.coverage}",
        expected=f"as new with probability {reach.chance:.3f}, by {history.sessions(step.agent_id):,} sessions",
        anomaly=1 - reach.chance * (0.5 if reach.is_new_account else 1),
        path=(step,),
    )
