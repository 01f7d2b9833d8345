from __future__ import annotations

from baseline.history import LEAST_SESSIONS, History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step


@detector(needs=("target",), techniques=("T1021", "T1570"), shows="movement")
def weight_shift(
    step: Step, facts: Facts, history: History, *, least: int = 2, unknown: int = 3, at_most: float = 0.002
) -> Finding | None:
    """A fan-out to new targets from one place, then a second one from a place that the first had reached.

    Quiet: for fans of fewer than two targets each, or three where the fleet hardly ever reached a new target; where
    more than one in five hundred of the fleet's sessions showed a shift as large; where a person approved the step;
    for reads and writes.
    Misses: fans slower than an hour; a log that names neither the host nor the principal that a step goes out from.
    Method: LATMA's weight shift (Silverfort), the bound a quantile of the fleet's own history.
    """
    shift = facts.shift
    if shift is None or not facts.has_history or not step.is_done:
        return None
    sessions = facts.fan_sessions
    if shift.size < (least if sessions >= LEAST_SESSIONS else unknown):
        return None
    if sessions and shift.shown / sessions > at_most:
        return None
    before = tuple(s for s in shift.first if s.event_id != shift.arrival.event_id and s.target != shift.place)
    return Finding(
        title="weight shift",
        observed=f"{len(shift.first)} new targets by {shift.arrival.agent_id}, one of them {shift.place}; then "
        f"{len(shift.second)} from there, the last {step.target} by {step.tool}",
        expected=f"{shift.shown:,} of {sessions:,} sessions of the fleet that reached new targets had as many in both",
        anomaly=1 - (shift.shown + 1) / (sessions + 2) / shift.size,
        path=(*before, shift.arrival, *shift.second),
    )
