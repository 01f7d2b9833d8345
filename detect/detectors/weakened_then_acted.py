from __future__ import annotations

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step


@detector(needs=("tool",), techniques=("T1685", "T1078", "AML.T0081"), shows="movement")
def weakened_then_acted(
    step: Step, facts: Facts, history: History, *, defence: float = 0.95, own_rule: float = 0.97
) -> Finding | None:
    """A session switched off a defence, or loosened a rule that governs its agent, and then did privileged work.

    Quiet: where a person approved either step; where the work is of a usual tool on a usual target; where the weakening
    is the agent's habit on that very thing; where the agent went on to work of this class after such a step on an
    earlier day; an hour after the weakening.
    Misses: a defence that one agent weakens for another in a session of its own.
    Method: the order of two tactics under one session: defence impairment before the action that it is to hide
    (MITRE ATT&CK TA0112), separation of duties for rules of one's own (NIST SP 800-53 AC-5).
    """
    after = facts.after
    if after is None or facts.coverage.is_covered or not step.is_done or after.shown or not facts.has_history:
        return None
    if not facts.is_new_reach and history.seen(step.agent_id, "tool", step.tool or "").sessions:
        return None
    first = after.weakened
    return Finding(
        title="loosened its own rules, then acted" if after.is_own_rule else "weakened a defence, then acted",
        observed=f"{first.tool} on {first.target or 'no stated target'}, then {step.tool} ({step.capability}) on "
        f"{step.target or 'no stated target'}, {facts.coverage}",
        expected=f"0 sessions of this agent and {after.shown_by_all:,} of the fleet went on so",
        anomaly=own_rule if after.is_own_rule else defence,
        path=(first, step),
    )
