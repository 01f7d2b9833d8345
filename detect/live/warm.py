"""What a live pipeline starts from: the judged days of the last batch, and the newest of them once more.

A start catches up as a batch does (`detect/run.py`, which costs what is new), then takes up the pass's memory from
before the newest day and takes that day's steps again, so that both passes stand within it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

import duckdb
import msgspec

from baseline.capability import Capabilities
from baseline.fold import classify_tools
from baseline.history import History
from detect.asked import steps_and_decisions
from detect.cases import Found
from detect.causal import WINDOW_HOURS, CausalPass
from detect.continuing import Judged
from detect.evidence import Rates
from detect.forgetting import is_forgotten
from detect.live.cases import Cases
from detect.live.judge import Judge
from detect.live.publish import learnable
from detect.registry import NO_REGISTRY, Registry
from detect.run import found_in, is_quiet
from detect.verdicts import tuning_of
from ingest.database import ask, open_published

MOST_STEPS: Final = 1_000_000
"""Of the newest day: more would take a start more than half a minute. Then the pass goes on from the day's end."""

_DAYS: Final = (
    "select day, flagged, found, judged from judged where day is null or day <= $last order by day nulls first"
)
_MEMORY: Final = """
select day, memory
from memories
where day is null or day < $before or ($or_on and day = $before)
order by day desc nulls last
limit 1
"""
_STEPS_OF: Final = "select coalesce(sum(steps), 0)::bigint from stored_traces where cast(first_at as date) >= $day"


def warm(
    data: Path,
    capabilities: Capabilities,
    now: datetime,
    registry: Registry = NO_REGISTRY,
    window_hours: float = WINDOW_HOURS,
    beside: Sequence[Found] = (),
) -> tuple[Judge, Cases]:
    """Judge and cases as they stand in what was published and judged last; `beside` is what no detector found."""
    connection = open_published(data)
    classify_tools(connection, capabilities)
    # A day that a log claims to lie in the future is no day to start from.
    days = ask(connection, _DAYS, last=(now + timedelta(days=1)).date()).rows()
    newest: date | None = days[-1][0] if days else None
    history = History()
    memory = _memory(connection, newest)
    after: date | None = memory[0] if memory else None
    causal = (
        CausalPass(history, window_hours, registry=registry)
        if memory is None
        else CausalPass.resume(memory[1], history, window_hours, registry)
    )
    rates, found, account = Rates(), list(beside), Judged()
    flagged: set[str] = set()
    for day, sessions, said, counted in days:
        told = rates.weigh(found_in(said))
        found += (f for f in told if not is_forgotten(f))
        flagged.update(sessions)
        if day is None or (after is not None and day <= after):
            judged: Judged = Judged(dict(msgspec.msgpack.decode(counted, type=list[tuple[tuple[str, str, str], int]])))
            rates.add(day, (agent for _, agent, _ in judged), told)
            account.update(judged)
    judge = Judge(history, causal, rates, None)
    judge.add_account(account)
    judge.tuning = tuning_of(data)
    if newest is not None:
        _live_through(judge, data, connection, capabilities, after, newest, frozenset(flagged))
    case_of = dict(ask(connection, "select finding_id, case_id from findings where case_id is not null").rows())
    connection.close()
    judge.changed()
    return judge, Cases((f for f in found if not is_quiet(f, judge.tuning)), case_of)


def _live_through(
    judge: Judge,
    data: Path,
    connection: duckdb.DuckDBPyConnection,
    capabilities: Capabilities,
    after: date | None,
    newest: date,
    flagged: frozenset[str],
) -> None:
    """The days behind the memory, in the order of time; everything before them is only counted."""
    first = newest if after is None or after >= newest else after + timedelta(days=1)
    judge.learn(first, *learnable(data, None, first, flagged, frozenset(), capabilities), flagged)
    if after is None or after < newest:
        for step in steps_and_decisions(connection, after):
            if step.day is None or step.day > newest:
                continue
            if step.day > (judge.learnt_to or step.day):
                counted = learnable(data, judge.learnt_to, step.day, flagged, frozenset(), capabilities)
                judge.learn(step.day, *counted, flagged)
            judge.take(step)
    judge.renew()


def _memory(connection: duckdb.DuckDBPyConnection, newest: date | None) -> tuple[date | None, bytes] | None:
    """What the pass remembered before the newest day; after it, where that day is too large to be lived again."""
    if newest is None:
        return None
    is_large = ask(connection, _STEPS_OF, day=newest).item() > MOST_STEPS
    rows = ask(connection, _MEMORY, before=newest, or_on=is_large).rows()
    return rows[0] if rows else None
