"""The tools whose names say nothing: who uses them how often, and as what they were classed by what they showed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

import duckdb
import polars as pl

from ingest.database import ask

_SEPARATOR: Final = ": "

_UNMATCHED: Final = """
select tool, agent_id, count(*) as steps
from events
left join classed using (tool)
where kind = 'tool_call' and tool is not null
and (capability is null or list_contains($shown::varchar[], tool))
group by all
order by steps desc, tool, agent_id
"""


def unmatched(connection: duckdb.DuckDBPyConnection, told: Mapping[str, Mapping[str, int]]) -> pl.DataFrame:
    """A row a tool and agent, the most used first. `told` is what `detect.disguise.Shapes` keeps of each tool.

    A name that only begins like a known one (a verb on an unknown thing) is listed where it showed more than it says.
    """
    rows = ask(connection, _UNMATCHED, shown=sorted(told))
    classed = [_classed(told.get(tool, {})) for tool in rows.get_column("tool")]
    return rows.with_columns(
        pl.Series("classed_as", [capability for capability, _ in classed], pl.String),
        pl.Series("shown_by", [shown for _, shown in classed], pl.String),
    )


def _classed(told: Mapping[str, int]) -> tuple[str | None, str | None]:
    """The class that most steps showed, and how."""
    steps: Counter[str] = Counter()
    for words, count in told.items():
        steps[words.partition(_SEPARATOR)[0]] += count
    if not steps:
        return None, None
    capability = min(steps, key=lambda name: (-steps[name], name))
    start = capability + _SEPARATOR
    shown = sorted((-count, words.removeprefix(start)) for words, count in told.items() if words.startswith(start))
    return capability, ", ".join(f"{how} ({-count:,})" for count, how in shown)
