"""The peer that is easy to write: a tool, or a pair of consecutive tools, that an agent never used before."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

import duckdb

from bench._ranked import Case
from ingest.database import ask

_CALLS: Final = """
select session_id, agent_id, tool, epoch_ns(coalesce(ordered_at, started_at)) as at_ns
from events
where kind = 'tool_call' and tool is not null and coalesce(ordered_at, started_at) is not null
order by at_ns, session_id, agent_id, sequence nulls last, event_id
"""


def naive_cases(connection: duckdb.DuckDBPyConnection) -> list[Case]:
    """One case a session with something new in it, the session with the most first.

    An agent's runs are judged one after another by all of its runs before, those in which it was alarmed too.
    """
    runs: dict[tuple[str, str], list[tuple[str, int]]] = defaultdict(list)
    for session, agent, tool, at_ns in ask(connection, _CALLS).iter_rows():
        runs[session, agent].append((tool, at_ns))
    seen: dict[str, set[object]] = defaultdict(set)
    novelties: dict[str, list[int]] = defaultdict(list)
    for (session, agent), calls in sorted(runs.items(), key=lambda run: (run[1][0][1], run[0])):
        said: list[tuple[object, int]] = []
        before: str | None = None
        for tool, at_ns in calls:
            said += [(tool, at_ns), ((before, tool), at_ns)]
            before = tool
        known = seen[agent]
        for what, at_ns in said:
            if what not in known:
                novelties[session].append(at_ns)
                known.add(what)
    ranked = sorted(novelties.items(), key=lambda said: (-len(said[1]), said[0]))
    return [
        Case(session, frozenset((session,)), min(times), max(times), f"{len(times)} new tools or pairs")
        for session, times in ranked
    ]
