from __future__ import annotations

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step


@detector(needs=("tool",), techniques=("T1685", "T1685.002"), shows="movement")
def defence_impaired_without_approval(
    step: Step, facts: Facts, history: History, *, anomaly: float = 0.95, known_tool: float = 0.8, most: int = 5
) -> Finding | None:
    """The agent switched off or weakened logging, detection or protection where it never had, and nobody approved it.

    Quiet: where a person approved it; where the agent did it to this target before; where more than five
    sessions of the agent used the tool; with less than the minimum history.
    Misses: an agent whose daily job it is, turned to another end on a usual target.
    Method: a hard rule: whoever blinds the defence makes every later step unseen, so rarity of the path is not asked.
    """
    if step.capability != "defence_impairment" or facts.coverage.is_covered or not step.is_done:
        return None
    if not facts.has_history:
        return None
    agent = step.agent_id
    if history.seen(agent, "tool_target", step.target or "", step.tool or "").sessions:
        return None
    tool_seen = history.seen(agent, "tool", step.tool or "").sessions
    if tool_seen > most or (tool_seen and not facts.reach.is_new):
        return None
    return Finding(
        title="defence impaired without approval",
        observed=f"{step.tool} on {step.target or 'no stated target'}, {facts.coverage}",
        expected=f"{tool_seen:,} sessions of the agent used this tool, 0 on this target",
        anomaly=known_tool if tool_seen else anomaly,
        path=(step,),
    )
