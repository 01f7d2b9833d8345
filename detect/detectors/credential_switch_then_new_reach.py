from __future__ import annotations

from baseline.history import History
from detect.causal import Facts
from detect.detectors import Finding, detector
from detect.step import Step


@detector(needs=("target",), techniques=("T1550.001", "T1078.004", "AML.T0091.000"), shows="movement")
def credential_switch_then_new_reach(
    step: Step, facts: Facts, history: History, *, clear: float = 0.99, unclear: float = 0.8
) -> Finding | None:
    """The agent acted with a credential that it did not hold, and with it reached what it had never reached.

    Both properties of lateral movement on one causal path: a credential changed hands (clear where the step
    that gave it is in the logs, unclear where it is not), and the privileged step that used it touched a
    target new to the agent. Quiet: where the agent always takes that credential, where a human approved
    taking it or this step, and where only one of the two properties holds.
    Misses: a credential that no log shows as used (no credential or principal in the source).
    Method: Hopper (Ho et al., USENIX Security 2021), path and causal-user inference, with the agent and the
    human's grant as root.
    """
    switch = facts.switch
    if switch is None or not facts.is_new_reach or facts.coverage.is_covered or not facts.has_history:
        return None
    giver = switch.path[-2] if switch.how == "clear" else step
    given = f"given by {giver.tool} of {giver.agent_id}" if switch.how == "clear" else "its origin is in no log"
    return Finding(
        title="credential switch, then new reach",
        observed=f"{step.tool} on {step.target} acting as {switch.identity} ({given}); {facts.coverage}",
        expected=f"0 of {history.sessions(step.agent_id):,} sessions acted as this identity; 0 reached this target",
        anomaly=clear if switch.how == "clear" else unclear,
        path=switch.path,
    )
