"""What the Cases page asks beside the cases themselves: which steps of a path went without a person's leave."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Final

import polars as pl

import detect.detectors
from dashboard.queries import CONNECTIONS, connection_of, data, generation
from detect.detectors import Detector
from ingest.database import ask
from ingest.plugins import plugins

WITHOUT_LEAVE: Final = {
    "denied": "denied",
    "pending": "undecided",
    "not_recorded": "none recorded",
    "automatic": "by policy",
}
"""States of approval in which no person said yes although the source could have said so, and their short words."""
_NOT_THIS: Final = "for another action"

_STATES: Final = """
with steps as (select case_id, unnest(path) as event_id from cases)
select case_id, approval, count(*) as steps
from steps
join events using (event_id)
where session_id in (select unnest(sessions) from cases)
  and kind = 'tool_call' and list_contains($states, approval)
group by case_id, approval
order by case_id, list_position($states, approval)
"""

_STRETCHED: Final = """
select case_id, count(distinct event_id) as steps
from findings
where list_contains($detectors, detector)
group by case_id
order by case_id
"""


def approvals_broken() -> dict[str, str]:
    """What is wrong with the approvals on a case's path, in a few words; cases without such a step are not in it.

    Asked once for each published state: the path's steps are looked for among all events.
    """
    return _approvals_broken(str(data()), generation())


@lru_cache(maxsize=CONNECTIONS)
def _approvals_broken(where: str, number: int) -> dict[str, str]:
    cursor = connection_of(where, number).cursor()
    said: dict[str, list[str]] = {}
    detectors = list(_of_approvals())
    for case_id, steps in ask(cursor, _STRETCHED, detectors=detectors).iter_rows():
        said.setdefault(case_id, []).append(f"{steps:,} {_NOT_THIS}")
    for case_id, state, steps in ask(cursor, _STATES, states=list(WITHOUT_LEAVE)).iter_rows():
        said.setdefault(case_id, []).append(f"{steps:,} {WITHOUT_LEAVE[state]}")
    return {case_id: ", ".join(words) for case_id, words in said.items()}


def with_approvals(cases: pl.DataFrame) -> pl.DataFrame:
    """The cases with the column `approvals`."""
    broken = approvals_broken() if cases.height else {}
    return cases.with_columns(pl.Series("approvals", [broken.get(id, "–") for id in cases["case_id"]], dtype=pl.String))


@cache
def _of_approvals() -> tuple[str, ...]:
    """The detectors that cannot fire without an approval: what they find is wrong with one."""
    return tuple(one.name for one in plugins(detect.detectors, Detector) if "approval" in one.needs)
