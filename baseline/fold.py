"""Events -> counts: what each agent did each day, folded once a segment and never read again.

Counts add, so a month is the sum of its days, and a day that arrives late costs what the day costs. A session whose
traces lie in several segments is counted by itself, so that the sum is the same however the logs were cut.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

import duckdb
import polars as pl

from baseline.capability import Capabilities
from baseline.count import OF_PAYLOADS, counts_of
from ingest.database import ask, open_published
from ingest.event import identify
from ingest.published import Edition, editing
from ingest.tables import COUNTS

FORMAT: Final = 2
"""Of the counts: one more whenever an aspect is added or means something else, so that older ones are made anew."""

KEPT: Final = "counts/kept-"
"""How the name of a file of counts begins that stands for no segment."""

_STEPS: Final = files("baseline").joinpath("steps.sql").read_text()

_NO_PAYLOADS: Final = """
select * replace (null::varchar as argument_shape, null::varchar as arguments, null::varchar as result)
"""

_TOOLS: Final = """
select distinct tool
from events
where tool is not null
order by tool
"""

_SPREAD: Final = """
with spread as (
    select session_id
    from stored_traces
    group by session_id
    having min(segment) <> max(segment)
)

select session_id, list(distinct segment order by segment) as segments
from stored_traces
join spread using (session_id)
group by session_id
order by session_id
"""


class _Unit(NamedTuple):
    """What is counted as one: a segment without its spread sessions, or the sessions spread over some segments."""

    segments: tuple[str, ...]
    sessions: tuple[str, ...]

    @property
    def name(self) -> str:
        if not self.sessions:
            return PurePosixPath(self.segments[0]).stem
        return identify(*self.segments, "", *self.sessions)


def fold(data: Path, capabilities: Capabilities) -> int:
    """Count what is not counted yet, and publish. Returns how many segments that were."""
    with editing(data) as edition:
        connection = open_published(data)
        units = _units(connection, edition.tables.get("events", []))
        wanted = {unit: f"counts/{unit.name}-{capabilities.version}-{FORMAT}" for unit in units}
        kept = kept_counts(edition)
        done = {name.rsplit(".", 1)[0]: name for name in edition.tables.get("counts", []) if name not in kept}
        new = [unit for unit, stem in wanted.items() if stem not in done]
        if not new and len(done) == len(wanted):
            connection.close()
            return 0
        classify_tools(connection, capabilities)
        for unit, counts in _counted(connection, data, new):
            named = counts.drop("session_id").with_columns(pl.lit(" ".join(unit.segments)).alias("segment"))
            table = named.to_arrow().cast(COUNTS)
            done[wanted[unit]] = edition.write("counts", table, name=f"{wanted[unit]}.parquet")
        connection.close()
        edition.tables["counts"] = [*kept, *(done[stem] for stem in wanted.values())]
        edition.publish()
        return len({segment for unit in new for segment in unit.segments})


def kept_counts(edition: Edition) -> list[str]:
    """The files of counts whose events were dropped (`baseline/kept.py`); those of another format are none any more."""
    return [n for n in edition.tables.get("counts", []) if n.startswith(KEPT) and n.endswith(f"-{FORMAT}.parquet")]


def _units(connection: duckdb.DuckDBPyConnection, segments: list[str]) -> list[_Unit]:
    """Every stored session in exactly one unit; a segment with spread sessions bears them as what is left out."""
    together: dict[tuple[str, ...], list[str]] = defaultdict(list)
    left_out: dict[str, list[str]] = defaultdict(list)
    for session_id, spread in ask(connection, _SPREAD).iter_rows():
        together[tuple(spread)].append(session_id)
        for segment in spread:
            left_out[segment].append(session_id)
    single = [_Unit((segment,), tuple(left_out[segment])) for segment in segments]
    return [*single, *(_Unit(spread, tuple(sessions)) for spread, sessions in sorted(together.items()))]


def _counted(connection: duckdb.DuckDBPyConnection, data: Path, units: list[_Unit]) -> list[tuple[_Unit, pl.DataFrame]]:
    found: list[tuple[_Unit, pl.DataFrame]] = []
    for unit in units:
        paths = [str((data / segment).resolve()) for segment in unit.segments]
        places = "filename in (select unnest($chosen['places']))"
        these = "session_id in (select unnest($chosen['sessions']))"
        condition = f"{places} and {these if len(paths) > 1 else 'not ' + these}"
        found.append((unit, counts_where(connection, condition, {"places": paths, "sessions": list(unit.sessions)})))
    return found


def classify_tools(connection: duckdb.DuckDBPyConnection, capabilities: Capabilities) -> None:
    """Make the table `classed` (tool, capability, is_sure) on this connection, for the SQL that joins it."""
    class_tools(connection, capabilities, ask(connection, _TOOLS).get_column("tool").to_list())


def class_tools(connection: duckdb.DuckDBPyConnection, capabilities: Capabilities, tools: list[str]) -> None:
    """The same for tools that are known."""
    classed = [capabilities.classify(tool) for tool in tools]
    connection.execute(
        "create or replace table classed as select unnest($tools::varchar[]) as tool,"
        " unnest($classed::varchar[]) as capability, unnest($sure::boolean[]) as is_sure",
        {
            "tools": tools,
            "classed": [one.capability for one in classed],
            "sure": [one.is_sure for one in classed],
        },
    )


def counts_where(
    connection: duckdb.DuckDBPyConnection,
    condition: str,
    chosen: object,
    *,
    by_session: bool = False,
    aspects: Collection[str] | None = None,
) -> pl.DataFrame:
    """The counts of the stored events under a condition of ours, its one value given as `$chosen`; of these aspects."""
    sql = f"with chosen as (from stored_events where witness_of is null and {condition}), "
    sql += _STEPS.split("with ", 1)[1]
    if aspects is not None and OF_PAYLOADS.isdisjoint(aspects):
        sql = f"{_NO_PAYLOADS} from ({sql})"
    return counts_of(ask(connection, sql, chosen=chosen), by_session=by_session, aspects=aspects)


def counts_of_sessions(
    connection: duckdb.DuckDBPyConnection, sessions: list[str], aspects: Collection[str] | None = None
) -> pl.DataFrame:
    """The counts of some sessions alone, of these aspects: what to take off when they must not be learnt from."""
    these = "session_id in (select unnest($chosen::varchar[]))"
    return counts_where(connection, these, sorted(sessions), aspects=aspects)


def counts_of_undated(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """The counts of every trace without a time, each session's apart in `session_id`."""
    undated = "trace_id in (select trace_id from stored_traces group by all having max(first_at) is null) and $chosen"
    return counts_where(connection, undated, True, by_session=True)
