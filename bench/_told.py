"""The truth of somebody else's logs, in the words of the store: which sessions a chain's own names stand for.

A truth file names sessions as ingest does. Another generator's may name a trace, a workflow's run, an access key or
a role's session instead, or only agents and times. Such a name is looked up among the events of the chain's own time;
what is found that way is counted, so that a figure says what it rests on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import duckdb

from bench.fleet.truth import Told
from ingest.database import ask

_CLOCKS_NS: Final = 120 * 1_000_000_000
_KNOWN: Final = "select distinct session_id from events where session_id in (select unnest($names::varchar[]))"
_NAMED: Final = """
select distinct session_id
from events
where (list_contains($names::varchar[], trace_id) or list_contains($names::varchar[], credential_id)
       or list_contains($names::varchar[], principal))
  and ($first::bigint is null or epoch_ns(started_at) between $first::bigint and $last::bigint)
order by session_id
"""
_BY_AGENT: Final = """
select distinct session_id
from events
where list_contains($names::varchar[], agent_id) and epoch_ns(started_at) between $first::bigint and $last::bigint
order by session_id
"""


def in_the_store(truth: Iterable[Told], connection: duckdb.DuckDBPyConnection) -> tuple[list[Told], dict[str, int]]:
    """The chains with sessions of the store; and how many were matched by which other way, or by none.

    A chain of which at least one session is known as it stands is left alone. The counts: `by_other_names`,
    `by_agent_and_time` (a wider match: every session of the named agents between the chain's times), `not_in_logs`.
    """
    told = list(truth)
    names = sorted({session for chain in told for session in chain.sessions})
    known = {str(session) for (session,) in ask(connection, _KNOWN, names=names).rows()}
    found, counts = [], {"by_other_names": 0, "by_agent_and_time": 0, "not_in_logs": 0}
    for chain in told:
        if not chain.sessions.isdisjoint(known):
            found.append(chain)
            continue
        way, sessions = _looked_up(chain, connection)
        counts[way] += 1
        found.append(replace(chain, sessions=sessions or chain.sessions))
    return found, counts


def _looked_up(chain: Told, connection: duckdb.DuckDBPyConnection) -> tuple[str, frozenset[str]]:
    first = None if chain.first_ns is None else chain.first_ns - _CLOCKS_NS
    last = None if first is None else (chain.last_ns or chain.first_ns or 0) + _CLOCKS_NS
    said = {value for event in chain.events for value in event.values() if isinstance(value, str)}
    names = sorted(chain.sessions | said)
    if names:
        sessions = _answer(connection, _NAMED, names, first, last)
        if sessions:
            return "by_other_names", sessions
    if chain.agents and first is not None:
        sessions = _answer(connection, _BY_AGENT, sorted(chain.agents), first, last)
        if sessions:
            return "by_agent_and_time", sessions
    return "not_in_logs", frozenset()


def _answer(
    connection: duckdb.DuckDBPyConnection, sql: str, names: list[str], first: int | None, last: int | None
) -> frozenset[str]:
    return frozenset(str(row[0]) for row in ask(connection, sql, names=names, first=first, last=last).rows())
