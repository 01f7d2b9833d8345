"""Which decisions and which run speak for a step, across the logs that tell of it.

An agent's own log knows its decisions, the records that it looked up and what it was asked; a cloud's log knows none of
it, and tells of the same run under the name of a role's session or by the credential alone.
"""

from __future__ import annotations

from detect.approvals import Coverage
from detect.causal_memory import Memory
from detect.elsewhere import names_of_actors
from detect.step import Step


def covering(memory: Memory, step: Step, window_s: float) -> Coverage:
    """What the decisions of the step's run say of it; where its log can record none, those of the sessions that took
    the credential it acts with, and what a person approved anywhere of just this."""
    coverage = memory.approvals.covering(step, memory.runs.of(step))
    if coverage.cover != "cannot_record":
        return coverage
    takers = memory.credentials.takers(step, window_s)
    in_run = memory.approvals.covered_in(dict.fromkeys(s.session_id for s in reversed(takers)), step)
    return in_run or memory.elsewhere.covering(step, names_of_actors((step, *takers))) or coverage


def run_of(memory: Memory, step: Step, window_s: float) -> str:
    """The session that tells of the run to which a cloud's step belongs: the one of its name, else of who took the
    credential that it acts with."""
    run = memory.runs.of(step)
    if step.approval != "cannot_record" or memory.provenance.request(run) or run in memory.excuses.looked_up:
        return run
    sessions = [s.session_id for s in reversed(memory.credentials.takers(step, window_s))]
    known = (s for s in sessions if memory.provenance.request(s) or s in memory.excuses.looked_up)
    return next(known, sessions[0] if sessions else run)
