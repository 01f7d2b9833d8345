from __future__ import annotations

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step


@detector(needs=("tool",), techniques=("AML.T0053",), shows="support", is_pure_novelty=True)
def unlikely_transition_into_privileged_call(
    step: Step, facts: Facts, history: History, *, at_most: float = 0.01, least_steps: int = 50
) -> Finding | None:
    """The agent went into a privileged call from a step that this call hardly ever follows.

    Quiet: where the step before was seen fewer than 50 times, so that nothing is known of what follows it;
    where an approval covers the call; for a tool that the agent never used, which follows nothing as yet (then the
    first use is the finding).
    Misses: an attack that keeps the agent's usual order of tools. Raises no case by itself: a rare order
    is one of the properties of an attack, and benign sessions have it too.
    Method: first-order Markov with Witten-Bell back-off (`History.probability`).
    """
    if not facts.has_history or facts.coverage.is_covered or step.tool is None:
        return None
    agent, before = step.agent_id, step.previous_tool
    if not history.seen(agent, "tool", step.tool).sessions:
        return None
    context_steps = history.steps_in(agent, "transition", before)
    if context_steps < least_steps:
        return None
    probability = history.probability(agent, "transition", step.tool, before)
    if probability > at_most:
        return None
    seen = history.seen(agent, "transition", step.tool, before)
    return Finding(
        title="unlikely step into a privileged call",
        observed=f"{step.tool} directly after {before or 'the start'}, {facts.coverage}",
        expected=f"{seen.steps:,} of {context_steps:,} times in this agent's history (p = {probability:.4f})",
        anomaly=1 - probability,
        path=(step,),
    )
