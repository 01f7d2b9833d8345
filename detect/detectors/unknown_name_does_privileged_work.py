from __future__ import annotations

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step


@detector(needs=("tool",), techniques=("T1036", "AML.T0053"), shows="novelty", is_pure_novelty=True)
def unknown_name_does_privileged_work(
    step: Step, facts: Facts, history: History, *, anomaly: float = 0.9
) -> Finding | None:
    """A tool whose name says nothing did what only privileged tools do, and the agent had never used it.

    Quiet: where the agent or its peers used the tool before; where a person approved the call.
    Misses: a renamed tool that takes other argument names as well, hands out nothing and is in no other log.
    Method: what goes in (commands, statements, requests, argument names of one class only, the shapes that the fleet's
    known tools take), what comes out (a credential), and another log's step on the same target in the same moment.
    """
    if not facts.unmasked or facts.coverage.is_covered or not facts.has_history or step.tool is None:
        return None
    showed, _ = history.peers(step.agent_id, "tool", step.tool)
    if showed or history.seen(step.agent_id, "tool", step.tool).sessions:
        return None
    return Finding(
        title="an unknown name does privileged work",
        observed=f"{step.tool}: {step.capability} by {facts.unmasked.shows}; on {step.target or 'no stated target'}",
        expected="no session of this agent or of another used this name",
        anomaly=anomaly,
        path=(step,),
    )
