from __future__ import annotations

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step


@detector(needs=("tool",), techniques=("T1078.004", "AML.T0053"), shows="novelty", is_pure_novelty=True)
def first_privileged_use(
    step: Step, facts: Facts, history: History, *, usual_among_peers: float = 0.05, at_most: float = 0.1
) -> Finding | None:
    """The agent used a privileged tool that it had never used before, and nobody approved it.

    Quiet: with less than the minimum history; where an approval covers the step; where at least 5 % of the other
    agents' sessions use the tool, so that it is new only to this agent; where one session in ten brings something as
    new to the agent, its peers and the fleet.
    Misses: a privileged tool that the agent uses every day, turned to another end.
    Method: the `new_terms` rule type of elastic/detection-rules, restricted to privileged steps (on
    labelled sessions that alone more than halves the false positives); its probability by Pitman-Yor processes.
    """
    if not facts.has_history or facts.coverage.is_covered or step.tool is None or not step.is_privileged:
        return None
    agent = step.agent_id
    if history.seen(agent, "tool", step.tool).sessions:
        return None
    peers, peer_sessions = history.peers(agent, "tool", step.tool)
    if peer_sessions and peers / peer_sessions >= usual_among_peers:
        return None
    sessions, new = history.sessions(agent), history.link(agent, "tool", step.tool)
    if new.p > at_most:
        return None
    return Finding(
        title="first use of a privileged tool",
        observed=f"{step.tool} ({step.capability}), {facts.coverage}",
        expected=f"0 of {sessions:,} sessions of this agent used it; {_peers_say(peers, peer_sessions)} "
        f"(p = {new.p:.2g})",
        anomaly=1 - new.p,
        path=(step,),
    )


def _peers_say(showed: int, sessions: int) -> str:
    return f"{showed:,} of {sessions:,} sessions of the other agents" if sessions else "no other agent was seen"
