"""A case told as a numbered story: who did what to what, as whom, under which approval, and where it is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import duckdb
import polars as pl

from detect.approvals import WORDS_OF_STATE
from ingest.database import ask

_CASE: Final = """
select *
from cases
where starts_with(case_id, $prefix)
order by case_id
"""

_PATH: Final = """
select started_at, agent_id, tool, operation, target, credential_id, principal, on_behalf_of, approval, approver, source
from events
where event_id in (select unnest($path::varchar[]))
order by ordered_at nulls first, trace_id, sequence nulls first, depth, kind_rank, event_id
"""

_FINDINGS: Final = """
select title, observed, expected, anomaly, impact
from findings
where case_id = $case_id
order by anomaly * impact desc, finding_id
"""


def cases_like(connection: duckdb.DuckDBPyConnection, prefix: str) -> list[dict[str, object]]:
    """The cases whose id starts so."""
    return ask(connection, _CASE, prefix=prefix).to_dicts()


def told(connection: duckdb.DuckDBPyConnection, case: dict[str, object]) -> dict[str, pl.DataFrame]:
    """The steps of a case's path in order, and its findings, the heaviest first."""
    return {
        "path": ask(connection, _PATH, path=case["path"]),
        "findings": ask(connection, _FINDINGS, case_id=case["case_id"]),
    }


def story(connection: duckdb.DuckDBPyConnection, case: dict[str, object]) -> Iterator[str]:
    """The lines of a case's story. They hold text of the log: make it visible before it is shown."""
    tables = told(connection, case)
    yield f"{case['severity']}: {case['title']} (anomaly {case['anomaly']:.2f}, impact {case['impact']:.2f})"
    for number, step in enumerate(tables["path"].iter_rows(named=True), 1):
        acting = step["credential_id"] or step["principal"]
        yield (
            f"{number}. {str(step['started_at'])[:23]} {step['agent_id']}: {step['tool'] or step['operation']}"
            + (f" on {step['target']}" if step["target"] else "")
            + (f", acting with {acting}" if acting else "")
            + (f", for {step['on_behalf_of']}" if step["on_behalf_of"] else "")
        )
        approval = WORDS_OF_STATE.get(step["approval"] or "", "")
        approver = f" by {step['approver']}" if step["approver"] else ""
        yield f"   {approval}{approver}{'; ' if approval else ''}{step['source']}"
    for finding in tables["findings"].iter_rows(named=True):
        yield f"because {finding['title']}: {finding['observed']}"
        yield f"   expected: {finding['expected']}"
