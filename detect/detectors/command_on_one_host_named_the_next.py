from __future__ import annotations

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step


@detector(needs=("target",), techniques=("T1021", "T1021.004", "T1570"), shows="movement")
def command_on_one_host_named_the_next(
    step: Step, facts: Facts, history: History, *, one: float = 0.93, more: float = 0.98
) -> Finding | None:
    """A command that ran on one host named the next, and from there the work went on.

    Whoever took the steps: one agent in one session, or several, each with one hop.
    Quiet: where a person approved the step; where the fleet had worked on the second host after such a command on the
    first on an earlier day; where the agent works on both hosts anyway.
    Misses: a hop whose command is in a script that the log does not hold; an address that stands for a name.
    Method: LATMA's bridge (Silverfort), the edge taken from the command instead of from the login.
    """
    came = facts.came
    if not came or facts.came_shown or facts.coverage.is_covered or not step.is_done:
        return None
    if not facts.has_history or not facts.is_new_reach:
        return None
    return Finding(
        title="a command on one host named the next",
        observed=" → ".join(f"{s.tool} on {s.target} by {s.agent_id}" for s in (*came, step)[-4:]),
        expected="0 earlier days on which somebody went this way",
        anomaly=one if len(came) == 1 else more,
        path=(*came, step),
    )
