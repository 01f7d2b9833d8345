from __future__ import annotations

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step


@detector(needs=("tool",), techniques=("T1567", "T1048", "AML.T0086"), shows="movement", is_pure_novelty=True)
def sends_to_a_new_domain(
    step: Step, facts: Facts, history: History, *, least: int = 20, at_most: float = 0.05, impact: float = 0.65
) -> Finding | None:
    """An agent that hardly ever names a new domain had something sent, or handed over, to one that nobody ever named.

    Quiet: with less than twenty sessions of the agent; where one session in twenty names a new domain, as those do
    that write to customers; where anybody of the fleet named it before; where a person approved the step.
    Misses: what goes to a usual domain, or to one whose name the log does not show; a read that only asks for one.
    Method: first use of a destination, the `new_terms` rule type of elastic/detection-rules; rarity by the agent's
    own destinations (Witten and Bell 1991, method C).
    """
    new = facts.outward
    if new is None or facts.coverage.is_covered or not step.is_done or not facts.has_history:
        return None
    if new.named_by_all or new.sessions < least or new.chance > at_most:
        return None
    return Finding(
        title="sent to a new domain",
        observed=f"{step.tool} names {new.domain}, {facts.coverage}",
        expected=f"{new.distinct:,} domains in {new.sessions:,} sessions of the agent (p = {new.chance:.2g} of a new "
        "one); nobody of the fleet named this one",
        anomaly=1 - new.chance,
        path=(step,),
        impact=impact,
    )
