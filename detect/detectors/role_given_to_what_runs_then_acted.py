from __future__ import annotations

from baseline.history import History
from detect.containment import takes_away
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step


@detector(needs=("target",), techniques=("T1098.003", "T1078.004"), shows="movement")
def role_given_to_what_runs_then_acted(
    step: Step, facts: Facts, history: History, *, usual: float = 0.5, anomaly: float = 0.95
) -> Finding | None:
    """A role acted with privilege on something new to it, just after an agent had given it to something that runs.

    A pipeline's deploy role, a function's execution role, a trust policy that names it.
    Quiet: where the agent named the role on an earlier day; where a person approved the giving or this step; where the
    role has reached the target with this tool, or goes to new ones in every other session; where the step takes access
    away; after more than a day.
    Misses: a role that is named by less than its ARN; a source that writes the acting role otherwise.
    Method: passing a role to a service (ATT&CK T1098.003), followed until the role acts.
    """
    by = facts.set_in_motion
    if by is None or not step.is_privileged or facts.coverage.is_covered or not step.is_done:
        return None
    is_usual = not facts.is_new_reach and history.seen(step.agent_id, "tool", step.tool or "").sessions > 0
    goes_anywhere = facts.is_new_reach and facts.reach.chance > usual and history.is_enough(step.agent_id)
    if is_usual or goes_anywhere or takes_away(step):
        return None
    return Finding(
        title="a role was given to what runs, then acted",
        observed=f"{by.tool} of {by.agent_id} named {step.agent_id.rpartition('/')[2]}; {step.tool} on "
        f"{step.target or 'no stated target'} by it",
        expected=f"the agent never named this role; {history.sessions(step.agent_id):,} sessions of the role",
        anomaly=anomaly,
        path=(by, step),
    )
