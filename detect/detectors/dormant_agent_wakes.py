from __future__ import annotations

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.handed_out import IS_TEMPORARY
from detect.step import Step


@detector(needs=("tool",), techniques=("T1078", "AML.T0012"), shows="movement")
def dormant_agent_wakes(
    step: Step, facts: Facts, history: History, *, least_days: float = 7, times_longest: float = 2
) -> Finding | None:
    """An agent that had been silent for long came back, and did what it had never done.

    Quiet: where the silence is less than a week or twice its longest until then; where the step is of its usual
    tools and targets; where a person approved it; where the step acts with a credential that somebody took just
    now: a role sleeps until it is assumed, a key until it is checked out.
    Misses: an attacker who wakes it with its usual work first, for a day.
    Method: dormant account detection, with the agent's own longest silence as the measure.
    """
    sleep = facts.sleep
    if sleep is None or facts.coverage.is_covered or not step.is_done:
        return None
    if IS_TEMPORARY.match(step.credential_id or "") or facts.is_just_given:
        return None
    if sleep.days < max(least_days, times_longest * sleep.longest_days):
        return None
    tool_seen = history.seen(step.agent_id, "tool", step.tool or "").sessions
    if tool_seen and not facts.is_new_reach:
        return None
    return Finding(
        title="a dormant agent woke with another habit",
        observed=f"{step.tool} on {step.target or 'no stated target'} after {sleep.days:.0f} days of silence",
        expected=f"at most {sleep.longest_days:.0f} days of silence; {tool_seen:,} sessions used this tool",
        anomaly=0.98 if not tool_seen and facts.is_new_reach else 0.93,
        path=sleep.steps or (step,),
    )
