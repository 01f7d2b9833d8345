from __future__ import annotations

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step


@detector(needs=("target",), techniques=("T1021", "T1570"), shows="movement")
def hops_from_one_new_target_to_the_next(
    step: Step, facts: Facts, history: History, *, least: int = 3, usual: float = 0.2
) -> Finding | None:
    """One session moved over three or more targets that were new to the agent, more than it ever had.

    Quiet: where the agent had a session with as many; where every fifth of its steps goes somewhere new; where a
    person approved the steps; for reads and writes.
    Misses: hops that are spread over sessions.
    Method: LATMA's bridge, followed from target to target (Silverfort); rarity against the agent and the fleet.
    """
    own, everybody = facts.hops_shown
    if len(facts.hops) < least or own or facts.reach.chance > usual or not facts.has_history:
        return None
    return Finding(
        title="hops from one new target to the next",
        observed=" → ".join(f"{s.tool} on {s.target}" for s in facts.hops[-4:]),
        expected=f"0 sessions of the agent and {everybody:,} of the fleet had {len(facts.hops)} new targets",
        anomaly=1 - 0.1 * min(1.0, 5 * facts.reach.chance) / len(facts.hops),
        path=facts.hops,
    )
