from __future__ import annotations

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step


@detector(needs=("tool",), techniques=("T1537", "T1098.003"), shows="movement")
def shared_with_a_new_account(
    step: Step, facts: Facts, history: History, *, least_named: int = 3, to_all: float = 0.99, to_agent: float = 0.9
) -> Finding | None:
    """A permission was given to an account that the agent had never named.

    Quiet: where the agent gave something to this account before; where a person approved it.
    Misses: an account that the step does not name; sharing inside the usual accounts.
    Method: first use of a resource share with an outside account, as the clouds' own analysers report it.
    """
    stranger = facts.stranger
    if stranger is None or facts.coverage.is_covered or not step.is_done or not facts.has_history:
        return None
    if stranger.named < (least_named if not stranger.is_new_to_all else 1):
        return None
    whose = "nobody in the fleet" if stranger.is_new_to_all else "this agent never"
    return Finding(
        title="shared with a new account",
        observed=f"{step.tool} on {step.target or 'no stated target'} names {stranger.account}, {facts.coverage}",
        expected=f"{whose} named this account, beside {stranger.named:,} others"
        if stranger.is_new_to_all
        else f"{whose} named this account in {stranger.named:,} sessions that named one",
        anomaly=to_all if stranger.is_new_to_all else to_agent,
        path=(step,),
    )
