from __future__ import annotations

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step


@detector(needs=("tool",), techniques=("T1059", "T1078.004", "AML.T0053"), shows="movement")
def usual_tool_does_something_new(
    step: Step,
    facts: Facts,
    history: History,
    *,
    at_most: float = 0.15,
    usual_among_all: float = 0.03,
    impact: float = 0.65,
) -> Finding | None:
    """With a tool of every day the agent ran a command, or a statement, of a kind that it had never run.

    Quiet: where a person approved the step; with less than ten sessions in which the agent told the tool anything;
    where one session in seven tells it something new; where one in thirty-three of the fleet's sessions that run
    anything runs the same.
    Misses: a usual program turned to another end on a usual target.
    Method: the `new_terms` rule type of elastic/detection-rules on what a gateway is told to do, as its own name says
    nothing; the rate of new values in the agent's own history (Witten and Bell 1991, method C).
    """
    new = facts.doing
    if new is None or facts.coverage.is_covered or not step.is_done or not facts.has_history:
        return None
    if new.chance > at_most or not history.seen(step.agent_id, "tool", step.tool or "").sessions:
        return None
    if new.shown_by_all > usual_among_all * new.sessions_of_all:
        return None
    reach = facts.reach
    where = f" on {step.target}, which it never reached" if reach.is_new else ""
    doubt = min(1.0, 4 * reach.chance) if reach.is_new else 1.0
    return Finding(
        title="a usual tool did something new" + (" in a new place" if reach.is_new else ""),
        observed=f"{step.tool}: {new.words} ({step.capability}){where}, {facts.coverage}",
        expected=f"none of {new.sessions:,} sessions of the agent told this tool so (something new: p = "
        f"{new.chance:.2g}), {new.shown_by_all:,} of the fleet any tool",
        anomaly=1 - new.chance * doubt,
        path=(step,),
    )
