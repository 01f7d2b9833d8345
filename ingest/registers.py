"""The register of files and of what was rejected grow by a file a run: many become one, row for row in their order."""

from __future__ import annotations

from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from ingest.published import Edition
from ingest.tables import TABLES

REGISTERS: Final = ("files", "rejected")


def join_registers(edition: Edition, *, above: int) -> int:
    """Merge the registers that consist of more files than this; publishing is the caller's. Returns how many files."""
    merged = 0
    for table in REGISTERS:
        files = edition.tables.get(table, [])
        if len(files) <= above:
            continue
        parts = [pq.read_table(edition.data / file, schema=TABLES[table]) for file in files]
        edition.replace(table, pa.concat_tables(parts))
        merged += len(files)
    return merged
