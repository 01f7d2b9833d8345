from __future__ import annotations

from baseline.history import History
from detect.causal import Facts
from detect.detectors import Finding, detector
from detect.step import Step


@detector(needs=("target",), techniques=("T1550.001", "T1078.004", "AML.T0091.000"), shows="movement")
def credential_switch_then_new_reach(
    step: Step, facts: Facts, history: History, *, clear: float = 0.99, unclear: float = 0.8, usual: float = 0.25
) -> Finding | None:
    """The agent acted with a credential that it did not hold, and with it reached what it had never reached.

    Both properties of lateral movement on one causal path: a credential changed hands (clear where the step
    that gave it is in the logs, unclear where it is not), and the privileged step that used it touched a
    target new to the agent. Quiet: where the agent always takes that credential, where a human approved
    taking it or this step, where only one of the two properties holds, and where the origin is in no log and
    every fourth step of the agent goes somewhere new.
    Misses: a credential that no log shows as used (no credential or principal in the source).
    Method: Hopper (Ho et al., USENIX Security 2021), path and causal-user inference, with the agent and the
    human's grant as root.
    """
    switch, reach = facts.switch, facts.reach
    if switch is None or not facts.is_new_reach or facts.coverage.is_covered or not facts.has_history:
        return None
    if switch.how == "unclear" and reach.chance > usual:
        return None
    giver = switch.path[-2] if switch.how == "clear" else step
    given = f"given by {giver.tool} of {giver.agent_id}" if switch.how == "clear" else "its origin is in no log"
    return Finding(
        title="credential switch, then new reach",
        observed=f"{step.tool} on {step.target} acting as {switch.identity} ({given}); {facts.coverage}",
        expected=f"0 of {history.sessions(step.agent_id):,} sessions acted as this identity; 0 reached this target",
        anomaly=1 - (1 - (clear if switch.how == "clear" else unclear)) * min(1.0, 4 * reach.chance),
        path=switch.path,
    )
