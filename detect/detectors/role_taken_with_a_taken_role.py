from __future__ import annotations

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step


@detector(needs=("credential_id",), techniques=("T1550.001", "T1078.004"), shows="movement")
def role_taken_with_a_taken_role(
    step: Step,
    facts: Facts,
    history: History,
    *,
    usual: float = 0.4,
    two: float = 0.93,
    more: float = 0.98,
    rare: float = 0.002,
    least_fleet: int = 500,
) -> Finding | None:
    """From one temporary credential to the next: further down a chain of roles than its root ever went.

    Quiet: where the root of the chain had one as long on an earlier day and went to this role from there, or goes from
    role to another role as it likes; where a person approved the step; for the first
    role of a chain, which is how a cloud lets anybody work.
    Misses: a chain through credentials that no log shows as given.
    Method: role chaining as elastic/detection-rules has it, followed by the key that each call returned, with the
    root's own chains as the measure.
    """
    chain = facts.chain
    if not chain or facts.coverage.is_covered or not step.is_done:
        return None
    if facts.chain_shown and not 0 < facts.chain_chance <= usual:
        return None
    _, sessions = history.peers(step.agent_id, "session", "")
    is_rare = sessions >= least_fleet and facts.chain_shown_by_all <= rare * sessions
    if not (is_rare or facts.has_history or facts.root_has_history or history.is_enough(chain[0].agent_id)):
        return None
    return Finding(
        title="a role taken with a taken role",
        observed=" → ".join(f"{s.tool} on {s.target}" for s in chain),
        expected=f"{facts.chain_shown:,} earlier sessions of {chain[0].agent_id} with {len(chain)} credentials in a row"
        + (", none from this role to this one" if facts.chain_shown else ""),
        anomaly=more if len(chain) > 2 else two,
        path=facts.chain_path,
    )
