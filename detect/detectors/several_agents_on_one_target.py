from __future__ import annotations

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step


@detector(needs=("target",), techniques=("T1021", "AML.T0053"), shows="movement")
def several_agents_on_one_target(
    step: Step, facts: Facts, history: History, *, least_others: int = 2, anomaly: float = 0.9
) -> Finding | None:
    """Agents that do not usually work together each took one privileged step on one target, new to each of them.

    Quiet: where a person approved the step; where these agents shared a target on an earlier day; where fewer than
    three classes of action come together, as when everybody reads one secret.
    Misses: a chain whose parts share no target; two agents that always work together.
    Method: LATMA's switched bridge, with the target as the place where the parts meet (Silverfort).
    """
    others = [s for s in facts.strangers if s.capability != step.capability]
    if (
        len(others) < least_others
        or facts.reach.is_common
        or facts.coverage.is_covered
        or not facts.is_new_reach
        or not facts.has_history
    ):
        return None
    if len({s.capability for s in (*others, step)}) < 3:
        return None
    path = tuple(sorted(others, key=lambda s: (s.at_ns or 0, s.event_id)))
    return Finding(
        title="several agents on one target",
        observed=f"{', '.join(f'{s.tool} by {s.agent_id}' for s in (*path, step))} on {step.target}",
        expected="0 earlier days on which these agents worked on one target",
        anomaly=anomaly,
        path=(*path, step),
    )
