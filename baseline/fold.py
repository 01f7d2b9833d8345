"""Events -> counts: what each agent did each day, folded once a segment and never read again.

Counts add, so a month is the sum of its days, and a day that arrives late costs what the day costs.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import Final

import duckdb
import polars as pl

from baseline.capability import Capabilities
from ingest.database import ask, open_published
from ingest.published import editing
from ingest.tables import COUNTS

_COUNTS: Final = files("baseline").joinpath("counts.sql").read_text()

_TOOLS: Final = """
select distinct tool
from events
where tool is not null
order by tool
"""


def fold(data: Path, capabilities: Capabilities) -> int:
    """Count the segments that are not counted yet, and publish. Returns how many those were."""
    with editing(data) as edition:
        segments = edition.tables.get("events", [])
        before = set(edition.tables.get("counts", []))
        wanted = {segment: f"counts/{PurePosixPath(segment).stem}-{capabilities.version}" for segment in segments}
        done = {name.rsplit(".", 1)[0]: name for name in before}
        new = [segment for segment, stem in wanted.items() if stem not in done]
        if not new and len(done) == len(wanted):
            return 0
        connection = open_published(data)
        classify_tools(connection, capabilities)
        for segment in new:
            counts = counts_where(connection, "filename = $chosen", str((data / segment).resolve()))
            named = counts.drop("session_id").with_columns(pl.lit(segment).alias("segment"))
            table = named.to_arrow().cast(COUNTS)
            done[wanted[segment]] = edition.write("counts", table, name=f"{wanted[segment]}.parquet")
        connection.close()
        edition.tables["counts"] = [done[stem] for stem in wanted.values()]
        edition.publish()
        return len(new)


def classify_tools(connection: duckdb.DuckDBPyConnection, capabilities: Capabilities) -> None:
    """Make the table `classed` (tool, capability) on this connection, for the SQL that joins it."""
    tools: list[str] = ask(connection, _TOOLS).get_column("tool").to_list()
    classed = [capabilities.classify(tool).capability for tool in tools]
    connection.execute(
        "create or replace table classed as select unnest($tools::varchar[]) as tool,"
        " unnest($classed::varchar[]) as capability",
        {"tools": tools, "classed": classed},
    )


def counts_where(
    connection: duckdb.DuckDBPyConnection, condition: str, chosen: object, *, by_session: bool = False
) -> pl.DataFrame:
    """The counts of the stored events under a condition of ours, its one value given as `$chosen`."""
    sql = f"with chosen as (from stored_events where witness_of is null and {condition}), "
    return ask(connection, sql + _COUNTS.split("with ", 1)[1], chosen=chosen, by_session=by_session)


def counts_of_sessions(connection: duckdb.DuckDBPyConnection, sessions: list[str]) -> pl.DataFrame:
    """The counts of some sessions alone: what to take off when they must not be learnt from."""
    return counts_where(connection, "session_id in (select unnest($chosen::varchar[]))", sorted(sessions))


def counts_of_undated(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """The counts of every trace without a time, each session's apart in `session_id`."""
    undated = "trace_id in (select trace_id from stored_traces group by all having max(first_at) is null) and $chosen"
    return counts_where(connection, undated, True, by_session=True)
