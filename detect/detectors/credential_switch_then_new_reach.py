from __future__ import annotations

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.handed_out import acting_as
from detect.step import Step


@detector(needs=("target",), techniques=("T1550.001", "T1078.004", "AML.T0091.000"), shows="movement")
def credential_switch_then_new_reach(
    step: Step,
    facts: Facts,
    history: History,
    *,
    clear: float = 0.99,
    unclear: float = 0.8,
    usual: float = 0.25,
    handed_on: float = 0.7,
) -> Finding | None:
    """The agent acted with a credential that it did not hold, and with it reached what it had never reached.

    Both properties of lateral movement on one causal path: a credential changed hands (clear where the step
    that gave it is in the logs, unclear where it is not), and the step that used it touched a target new to
    the agent or to the root of the path. With a credential that another agent took, any step counts.
    Quiet: where the agent always takes that credential, where a human approved taking it or this step, where
    only one of the two properties holds, and where the origin is in no log and every fourth step of the agent
    goes somewhere new.
    Misses: a credential that no log shows as used (no credential or principal in the source).
    Method: Hopper (Ho et al., USENIX Security 2021), path and causal-user inference, with the agent and the
    human's grant as root.
    """
    switch, reach = facts.switch, facts.reach
    if switch is None or facts.coverage.is_covered:
        return None
    if switch.how == "clear":
        is_new = facts.is_new_reach or facts.is_new_to_root
        has_history = facts.has_history or facts.root_has_history
    else:
        is_new, has_history = facts.is_new_reach and reach.chance <= usual, facts.has_history
    if not is_new or not has_history:
        return None
    is_root_itself = switch.is_session and not switch.is_handed_on
    if switch.how == "clear" and is_root_itself and facts.takes_chance > usual:
        return None
    title = "credential switch, then new reach"
    if switch.how == "unclear":
        title = "unclear credential switch, then new reach"
    elif switch.is_handed_on:
        title = "credential of another agent, then new reach"
    acting = acting_as(step)
    aspect = "credential" if acting is not None and acting == step.credential_id else "principal"
    link = history.link(step.agent_id, aspect, acting or switch.identity)
    doubt = min(1.0, 4 * reach.chance) * min(1.0, 4 * link.p)
    taken = facts.takes_chance if is_root_itself else 0.0
    giver = switch.path[-2] if switch.how == "clear" else step
    given = f"given by {giver.tool} of {giver.agent_id}" if switch.how == "clear" else "its origin is in no log"
    return Finding(
        title=title,
        observed=f"{step.tool} on {step.target} acting as {switch.identity} ({given}); {facts.coverage}",
        expected=f"0 of {history.sessions(step.agent_id):,} sessions acted as this identity (one as new: "
        f"p = {link.p:.2g}); 0 reached this target (p = {reach.chance:.2g})",
        anomaly=1 - max(1 - clear, taken) * doubt if switch.how == "clear" else 1 - (1 - unclear) * max(0.6, doubt),
        path=switch.path,
        impact=0.0 if step.is_privileged else handed_on,
    )
