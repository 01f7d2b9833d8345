"""Rows told as dicts -> an Arrow table: by way of polars, since pyarrow would load pandas to look at a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl
import pyarrow as pa


def table_of(rows: Sequence[Mapping[str, object]], schema: pa.Schema) -> pa.Table:
    """The rows under a schema; a column that a row does not name is null there, and times are whole nanoseconds."""
    columns = {
        name: pl.Series([row.get(name) for row in rows], dtype=pl.Int64() if isinstance(kind, pl.Datetime) else kind)
        for name, kind in pl.Schema(schema).items()
    }
    return pl.DataFrame(columns).to_arrow().cast(schema)
