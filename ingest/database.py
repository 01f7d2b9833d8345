"""The one way into the database: DuckDB in memory over the Parquet that is published.

Nothing here holds a DuckDB file open, so a dashboard and a run never lock each other out.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence, Set
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import duckdb
import polars as pl
import pyarrow as pa

from ingest.errors import Trouble
from ingest.published import Published, published
from ingest.tables import TABLES

FOR_PEOPLE: Final = "custodiet.duckdb"
_OVER_PARQUET: Final = {"events": "stored_events", "traces": "stored_traces"}
_VIEWS: Final = ("events", "witnesses", "sessions", "gaps")
_TYPES: Final = {pa.string(): "varchar", pa.int64(): "bigint", pa.int32(): "integer", pa.int8(): "tinyint",
                 pa.float64(): "double", pa.timestamp("ns"): "timestamp_ns", pa.date32(): "date",
                 pa.bool_(): "boolean", pa.binary(): "blob"}  # fmt: skip


def open_published(data: Path) -> duckdb.DuckDBPyConnection:
    """A connection with a view for every table, over what is published now.

    It reads nothing outside the data directory and cannot be reconfigured, whatever is asked of it. It
    keeps showing this state when a later run publishes another. One connection is for one thread.
    """
    return _with_views(duckdb.connect(":memory:", config=_NO_EXTENSIONS), data, published(data))


def open_tables() -> duckdb.DuckDBPyConnection:
    """A connection with the same views over tables in memory, all empty until `put` fills them.

    For what is not published yet: whoever asks `events` or `cases` need not know the difference.
    """
    connection = duckdb.connect(":memory:", config=_NO_EXTENSIONS)
    for table, schema in TABLES.items():
        put(connection, table, schema.empty_table())
    for view in _VIEWS:
        connection.execute(files("ingest").joinpath(f"views/{view}.sql").read_text())
    return connection


def put(connection: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> None:
    """Make a table of an `open_tables` connection consist of these rows."""
    connection.register("given_rows", rows)
    connection.execute(f'create or replace table "{_OVER_PARQUET.get(table, table)}" as from given_rows')
    connection.unregister("given_rows")


def ask(connection: duckdb.DuckDBPyConnection, sql: str, **parameters: object) -> pl.DataFrame:
    """The answer to one question, its values handed in by name (`$session_id`), never by formatting."""
    try:
        relation = connection.sql(sql, params=parameters) if parameters else connection.sql(sql)
        return pl.DataFrame(relation.to_arrow_table())
    except duckdb.IOException as error:
        raise Trouble(
            f"the published data cannot be read ({error}); run again, or restore the data directory"
        ) from error


def ask_in_parts(
    connection: duckdb.DuckDBPyConnection, sql: str, rows: int, **parameters: object
) -> Iterator[pl.DataFrame]:
    """The same answer in parts of about `rows` rows, for what does not fit in memory at once."""
    relation = connection.sql(sql, params=parameters) if parameters else connection.sql(sql)
    for batch in relation.to_arrow_reader(rows):
        yield pl.DataFrame(pa.Table.from_batches([batch]))


def rows_of(frame: pl.DataFrame, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """The rows of some columns, a column at a time: a third of what `DataFrame.iter_rows` takes."""
    return zip(*(frame.get_column(column).to_list() for column in columns), strict=True)


def rows_sharing_texts(frame: pl.DataFrame, columns: Sequence[str], shared: Set[str]) -> Iterator[tuple[Any, ...]]:
    """The same, where the texts of the columns `shared` repeat: equal ones are one object, hashed and held once."""
    return zip(*(_shared(frame, c) if c in shared else frame.get_column(c).to_list() for c in columns), strict=True)


def _shared(frame: pl.DataFrame, column: str) -> list[str | None]:
    coded = frame.get_column(column).to_arrow().dictionary_encode()
    texts = [*coded.dictionary.to_pylist(), None]
    return [texts[code] for code in pl.Series(coded.indices).fill_null(len(texts) - 1).to_list()]


def write_for_people(data: Path) -> Path:
    """Replace `custodiet.duckdb`: the same views in a small file for `duckdb`, a notebook or a BI tool."""
    final = data / FOR_PEOPLE
    draft = data / f".{FOR_PEOPLE}.{os.getpid()}"
    draft.unlink(missing_ok=True)
    try:
        _with_views(duckdb.connect(str(draft), config=_NO_EXTENSIONS), data, published(data), locked=False).close()
        draft.replace(final)
    except (OSError, duckdb.Error) as error:
        draft.unlink(missing_ok=True)
        raise Trouble(f"{final}: cannot be written ({error}); the published data is not affected") from error
    return final


_NO_EXTENSIONS: Final[dict[str, str | bool | int | float | list[str]]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}


def _with_views(
    connection: duckdb.DuckDBPyConnection, data: Path, state: Published, *, locked: bool = True
) -> duckdb.DuckDBPyConnection:
    for table, schema in TABLES.items():
        name = _OVER_PARQUET.get(table, table)
        columns = ", ".join(f'null::{_sql_type(field.type)} as "{field.name}"' for field in schema)
        view = f"create view {name} as select {columns} where false"
        if paths := [str((data / file).resolve()) for file in state.files(table)]:
            # By name, so that a store from before a column was added reads as null there.
            listed = ", ".join(_quoted(path) for path in paths)
            options = "union_by_name = true, filename = " + ("true" if table == "events" else "false")
            view += f" union all by name from read_parquet([{listed}], {options})"
        connection.execute(view)
    for view in _VIEWS:
        connection.execute(files("ingest").joinpath(f"views/{view}.sql").read_text())
    if locked:
        connection.execute(f"set allowed_directories = [{_quoted(str(data.resolve()) + '/')}]")
        connection.execute("set enable_external_access = false")
        connection.execute("set lock_configuration = true")
    return connection


def _quoted(path: str) -> str:
    return "'" + path.replace("'", "''") + "'"


def _sql_type(arrow: pa.DataType) -> str:
    if pa.types.is_list(arrow):
        return f"{_TYPES[arrow.value_type]}[]"
    return _TYPES[arrow]
