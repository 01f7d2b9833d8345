from __future__ import annotations

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step


@detector(needs=("target",), techniques=("AML.T0051.001", "AML.T0098", "T1550.001"), shows="movement")
def one_text_named_secret_and_place(
    step: Step, facts: Facts, history: History, *, anomaly: float = 0.98
) -> Finding | None:
    """A text in a tool's output named a secret and a place; the secret was taken, and used on just that place.

    Whoever used it, in this session or a later one.
    Quiet: where a request names the secret; where the output gave it as a value of its own, as a lookup does; where a
    person approved the step.
    Misses: a text that comes in parts; a secret that the log does not name.
    Method: provenance of values (who first said it), not their wording: AgentArmor and CaMeL track the same flow.
    """
    if not facts.told or facts.coverage.is_covered or not step.is_done:
        return None
    said, took = facts.told
    return Finding(
        title="one text named the secret and the place",
        observed=f"a text from {said.tool} names both; {took.tool} took it; {step.tool} on {step.target} used it",
        expected="a secret and a place that the request names, or that a lookup gives as values",
        anomaly=anomaly,
        path=(said, took, step),
        impact=0.0 if step.is_privileged else 0.7,
    )
