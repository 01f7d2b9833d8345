from __future__ import annotations

import subprocess
import sys
from datetime import date

import pyarrow as pa
import pytest

from ingest.rows import table_of
from ingest.tables import CASES, FINDINGS, JUDGED, REJECTED, TABLES

_ROWS = {
    FINDINGS: [
        {"finding_id": "a", "event_ids": ["x", "y"], "techniques": [], "anomaly": 1, "impact": 0.5, "happened_at": 5},
        {"finding_id": "b", "case_id": "c", "event_ids": [], "anomaly": 0.25, "happened_at": None},
    ],
    CASES: [{"case_id": "c", "is_raised": True, "findings": 2, "path": ["x"], "first_at": 1_790_000_000_000_000_001}],
    JUDGED: [{"day": date(2026, 1, 2), "flagged": ["s"], "found": b"\x00\xff"}, {"day": None, "found": b""}],
    REJECTED: [{"path": "a.jsonl", "line": 3, "reason": "is \u202e odd", "sha256": None}],
}


@pytest.mark.parametrize("schema", _ROWS, ids=lambda schema: schema.names[0])
def test_rows_become_what_pyarrow_would_make_of_them(schema: pa.Schema) -> None:
    assert table_of(_ROWS[schema], schema).equals(pa.Table.from_pylist(_ROWS[schema], schema=schema))


@pytest.mark.parametrize("name", TABLES)
def test_a_row_that_names_nothing_and_no_rows_at_all(name: str) -> None:
    for rows in ([], [{}]):
        assert table_of(rows, TABLES[name]).equals(pa.Table.from_pylist(rows, schema=TABLES[name]))


def test_pandas_is_not_loaded_for_it() -> None:
    said = (
        "import sys; from ingest.rows import table_of; from ingest.tables import JUDGED;"
        "table_of([{'flagged': ['s']}], JUDGED); sys.exit('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", said]).returncode == 0
