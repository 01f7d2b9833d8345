"""Frozen baselines: an immutable copy of what was learnt, under a name, that no later day changes."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Final

import duckdb
import polars as pl
import pyarrow as pa

from baseline.capability import Capabilities
from baseline.history import CountRow
from baseline.learnt import learnt
from ingest.database import ask, open_published
from ingest.errors import Trouble
from ingest.published import editing
from ingest.tables import PINNED

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

_PINS: Final = """
select
    pin, min(day) as first_day, max(day) as last_day, count(distinct agent_id) as agents,
    coalesce(sum(sessions) filter (aspect = 'session'), 0)::bigint as sessions
from pinned
group by pin
order by pin
"""

_PINNED: Final = """
select day, agent_id, agent_version, aspect, context, value, steps, sessions
from pinned
where pin = $pin and aspect in (select unnest($aspects))
order by all
"""

_CONTENT: Final = """
select count(*), sum(hash(day, agent_id, agent_version, aspect, context, value, steps, sessions)::hugeint)::varchar
from pinned
where pin = $pin
"""


def pin(data: Path, name: str, capabilities: Capabilities) -> None:
    """Copy what is learnt now under this name. A name that is taken is refused: what is pinned does not change."""
    if not _NAME.fullmatch(name):
        raise Trouble(f"{name!r} cannot name a pin; take letters, digits, dots, dashes and underscores, at most 64")
    with editing(data) as edition:
        file = _file(name)
        if file in edition.tables.get("pinned", []):
            raise Trouble(f"the pin {name} exists; take another name, or remove it with --unpin {name}")
        connection = open_published(data)
        counts = learnt(connection, capabilities)
        connection.close()
        if counts.is_empty():
            raise Trouble("nothing is counted yet, so there is nothing to pin; run `custodiet ingest` first")
        table: pa.Table = counts.with_columns(pl.lit(name).alias("pin")).select(PINNED.names).to_arrow().cast(PINNED)
        edition.tables.setdefault("pinned", []).append(edition.write("pinned", table, name=file))
        edition.publish()


def unpin(data: Path, name: str) -> None:
    """Remove a pin."""
    with editing(data) as edition:
        pinned = edition.tables.get("pinned", [])
        if _file(name) not in pinned:
            raise Trouble(f"there is no pin {name}; `custodiet baseline --pins` lists them")
        pinned.remove(_file(name))
        edition.publish()


def pins(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Every pin with the days that it holds."""
    return ask(connection, _PINS)


def pinned(connection: duckdb.DuckDBPyConnection, name: str, aspects: Collection[str]) -> list[CountRow]:
    """The counts of a pin, of some aspects."""
    return ask(connection, _PINNED, pin=name, aspects=sorted(aspects)).rows()


def content_of(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    """A digest of what a pin holds. Raises `Trouble` where there is no such pin."""
    rows, digest = ask(connection, _CONTENT, pin=name).row(0)
    if not rows:
        raise Trouble(f"there is no pin {name}; `custodiet baseline --pins` lists them")
    return f"{rows}-{digest}"


def _file(name: str) -> str:
    return f"pinned/{name}.parquet"
