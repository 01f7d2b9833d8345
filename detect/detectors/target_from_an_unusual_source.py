from __future__ import annotations

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step


@detector(needs=("target",), techniques=("AML.T0051.001", "AML.T0053"), shows="novelty")
def target_from_an_unusual_source(
    step: Step, facts: Facts, history: History, *, least_sessions: int = 10, least_values: int = 30
) -> Finding | None:
    """A privileged call took its target from the output of a tool that never gave one; nobody had asked for it.

    Quiet: where the request names the target; where the target came from that tool before; where a person approved
    the call; with fewer than ten sessions whose targets have a known origin; where the target is not new.
    Misses: content whose instruction names no target; a source that the agent follows every day.
    Method: provenance of values (who first said it), not their wording: AgentArmor and CaMeL track the same flow.
    """
    origin = facts.origin
    if origin is None or origin.step is None or origin.is_usual or origin.cases < least_sessions:
        return None
    if facts.coverage.is_covered or not facts.is_new_reach or not facts.has_history:
        return None
    if not origin.in_text and origin.cases < least_values:
        return None
    return Finding(
        title="a text in a tool's output named the target" if origin.in_text else "a tool's output named the target",
        observed=f"{step.tool} on {step.target}, which {origin.of} had returned and the request does not name",
        expected=f"0 of {origin.cases:,} sessions of the agent took a privileged target from there",
        anomaly=1 - 1 / (origin.cases + 2),
        path=(origin.step, step),
    )
