from __future__ import annotations

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.handed_out import IS_TEMPORARY
from detect.step import Step


@detector(needs=("tool",), techniques=("T1078", "AML.T0012"), shows="movement")
def dormant_agent_wakes(
    step: Step, facts: Facts, history: History, *, least_days: float = 7, times: float = 2, elsewhere: float = 0.65
) -> Finding | None:
    """An agent that had been silent for long came back, and did something new or from where nobody ever acted.

    Quiet: where the silence is less than a week or twice its longest until then; where the step is of its usual
    tools and targets, or reads, in a known place; where a person approved it; where the step acts in a known place
    with a credential that somebody took just now: a role sleeps until it is assumed, a key until it is checked out. A
    new place says nothing of an identity that had a new one in every other session.
    Misses: an attacker who wakes it with its usual work first, for a day.
    Method: dormant account detection, with the agent's own longest silence as the measure.
    """
    sleep = facts.sleep
    if sleep is None or facts.coverage.is_covered or not step.is_done:
        return None
    is_elsewhere = facts.place is not None and facts.place.distinct * 2 <= facts.place.sessions
    if not is_elsewhere and (
        not step.is_privileged or IS_TEMPORARY.match(step.credential_id or "") or facts.is_just_given
    ):
        return None
    if sleep.days < max(least_days, times * sleep.longest_days):
        return None
    tool_seen = history.seen(step.agent_id, "tool", step.tool or "").sessions
    if tool_seen and not facts.is_new_reach and not is_elsewhere:
        return None
    return Finding(
        title="a dormant agent woke with another habit",
        observed=f"{step.tool} on {step.target or 'no stated target'} after {sleep.days:.0f} days of silence"
        + (f", from {step.source_host}, where nobody ever acted" if is_elsewhere else ""),
        expected=f"at most {sleep.longest_days:.0f} days of silence; {tool_seen:,} sessions used this tool",
        anomaly=0.98 if not tool_seen and facts.is_new_reach else 0.93,
        path=sleep.steps or (step,),
        impact=elsewhere if is_elsewhere else 0.0,
    )
