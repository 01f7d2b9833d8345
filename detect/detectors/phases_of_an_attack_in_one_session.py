from __future__ import annotations

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step


@detector(needs=("tool",), techniques=("T1078.004", "AML.T0053"), shows="movement")
def phases_of_an_attack_in_one_session(
    step: Step, facts: Facts, history: History, *, least: int = 3, anomaly: float = 0.95
) -> Finding | None:
    """One session took uncovered steps of three or more privileged classes that this agent never put together.

    Quiet: where the agent had a session with all of these classes; where they are usual in the fleet; where a person
    approved all but two; for what takes access away, which is how an incident is answered.
    Misses: phases spread over sessions that share no credential.
    Method: distinct phases under one session key, as in elastic/detection-rules (multi-phase use of a web identity).
    """
    phases = facts.phases
    if phases is None or len(phases.steps) < least or phases.shown or not facts.has_history:
        return None
    return Finding(
        title="phases of an attack in one session",
        observed=", ".join(f"{s.capability} ({s.tool})" for s in phases.steps),
        expected=f"0 sessions of this agent and {phases.shown_by_all:,} of the fleet had all of these classes",
        anomaly=anomaly if not phases.shown_by_all else 0.7,
        path=phases.steps,
    )
