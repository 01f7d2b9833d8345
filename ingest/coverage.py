"""How full each field of each source is: what a detector or a baseline can rest on, and what it cannot."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

import duckdb
import polars as pl

from ingest.database import ask

_COVERAGE: Final = files("ingest").joinpath("coverage.sql").read_text()

_VOCABULARY: Final = """
select files.reader, operation, count(*) as steps
from events
join (select path, any_value(reader order by sha256) as reader from files group by path) as files
    on files.path = regexp_replace(events.source, ':[0-9]+$', '')
where kind = 'lifecycle'
group by all
order by reader, steps desc, operation
"""


def coverage(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """A row a reader and field: `filled` of the `steps` that could have it do have it."""
    return ask(connection, _COVERAGE)


def unmapped_vocabulary(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """A row a reader and operation that became a mere lifecycle step: the words that carry no meaning of their own."""
    return ask(connection, _VOCABULARY)
