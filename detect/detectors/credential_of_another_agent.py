from __future__ import annotations

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step


@detector(needs=("agent_id",), techniques=("T1550.001", "T1078.004", "AML.T0091.000"), shows="movement")
def credential_of_another_agent(
    step: Step, facts: Facts, history: History, *, anomaly: float = 0.93, handed_on: float = 0.7
) -> Finding | None:
    """The agent acted with a credential that another agent had taken, at a place where it usually works.

    The other agent is the root of the path, and had never reached that place.
    Of ordinary steps only the first in a session counts.
    Quiet: where the place is new to this agent as well (then it is `credential_switch_then_new_reach`), or known to the
    agent that took the credential; where this agent acted as that identity before; where the credential stands for this
    agent itself, as after a rotation; where it took it anew from the store; where a person approved the step.
    Misses: a credential that passes outside of the logs.
    Method: Hopper (Ho et al., USENIX Security 2021): reach is asked of the root of the path, not of who acts.
    """
    switch = facts.switch
    if switch is None or not switch.is_handed_on or facts.coverage.is_covered or not step.is_done:
        return None
    if not (step.is_privileged or switch.is_first_use):
        return None
    if facts.is_new_reach or not facts.is_new_to_giver or not (facts.has_history or facts.root_has_history):
        return None
    giver = switch.path[-2]
    return Finding(
        title="acted with the credential of another agent",
        observed=f"{step.tool} on {step.target or 'no stated target'} acting as {switch.identity} "
        f"(given by {giver.tool} of {giver.agent_id}); {facts.coverage}",
        expected=f"0 of {history.sessions(step.agent_id):,} sessions acted as this identity",
        anomaly=anomaly,
        path=switch.path,
        impact=0.0 if step.is_privileged else handed_on,
    )
