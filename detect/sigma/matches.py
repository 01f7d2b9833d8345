"""Rules run over what is published: the steps at which each would have spoken, and how often a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import duckdb
import polars as pl

from baseline.capability import Capabilities
from baseline.fold import classify_tools
from detect.sigma.rules import Rule
from ingest.database import ask
from ingest.errors import Trouble

_STEPS: Final = """
create or replace view steps as
select events.*, classed.capability
from events
left join classed using (tool)
"""

_MATCHES: Final = """
select
    m.event_id, m.evidence, cast(s.ordered_at as date) as day, s.ordered_at as happened_at, s.session_id,
    s.agent_id, s.kind, s.tool, s.target, s.source
from ({}) as m
join steps as s using (event_id)
order by s.ordered_at nulls first, s.trace_id, s.sequence nulls first, s.depth, s.kind_rank, s.event_id
"""

_DAYS: Final = """
select day::date as day
from (
    select unnest(generate_series(date_trunc('day', min(ordered_at)), max(ordered_at), interval 1 day)) as day
    from events
)
order by day
"""


def prepare(connection: duckdb.DuckDBPyConnection, capabilities: Capabilities) -> None:
    """Make the view `steps` on this connection: every event with its capability."""
    classify_tools(connection, capabilities)
    with_capability(connection)


def with_capability(connection: duckdb.DuckDBPyConnection, since: datetime | None = None) -> None:
    """Make the view `steps` where the table `classed` is there already: every step, or those since then."""
    connection.execute(_STEPS if since is None else _STEPS + f"where ordered_at >= '{since:%Y-%m-%d %H:%M:%S}'")


def matches(connection: duckdb.DuckDBPyConnection, rule: Rule) -> pl.DataFrame:
    """The steps at which a rule speaks, in their total order; `evidence` holds the event ids that made it true."""
    try:
        return ask(connection, _MATCHES.format(rule.sql))
    except duckdb.Error as error:
        raise Trouble(
            f"{rule.file}: {rule.title!r} cannot be run ({str(error).splitlines()[0]}); mend the rule"
        ) from None


def days_of(connection: duckdb.DuckDBPyConnection, rules: Sequence[Rule]) -> pl.DataFrame:
    """What the rules would have raised: a row a day of history with `matches`, `sessions` and `agents`.

    Sessions are what becomes a case; a session in which several rules spoke counts once.
    """
    found = [matches(connection, rule).with_columns(pl.lit(rule.title).alias("rule")) for rule in rules]
    days = ask(connection, _DAYS)
    counted = (
        pl.concat(found)
        .group_by("day")
        .agg(
            pl.len().alias("matches"),
            pl.col("session_id").n_unique().alias("sessions"),
            pl.col("agent_id").n_unique().alias("agents"),
        )
    )
    sums = pl.col("matches", "sessions", "agents")
    return days.join(counted, on="day", how="left").with_columns(sums.fill_null(0)).sort("day")
