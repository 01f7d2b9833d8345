"""A step as a detector sees it: the event, its class, and what the causal pass knows of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

import duckdb
import msgspec

from baseline.capability import IMPACT, PRIVILEGED
from baseline.capability_table import Capability
from ingest.database import ask_in_parts

_ROWS_AT_ONCE: Final = 100_000

_STEPS: Final = """
select
    event_id, session_id, trace_id, parent_event_id, kind, operation, tool, capability,
    coalesce(agent_id, '') as agent_id, coalesce(agent_version, '') as agent_version,
    epoch_ns(ordered_at) as at_ns, cast(ordered_at as date) as day,
    principal, credential_id, on_behalf_of, source_host, target, status, approval, approver, source,
    case when capability <> 'read' or capability is null or kind <> 'tool_call' then arguments end as arguments,
    case when capability = 'credential' then result end as result
from events
left join classed using (tool)
where (kind in ('tool_call', 'approval', 'handoff') or operation = 'WorkflowExecutionStarted')
and ($since is null or ordered_at >= $since) and ($ids is null or event_id in (select unnest($ids::varchar[])))
order by ordered_at nulls first, session_id, trace_id, sequence nulls first, depth, kind_rank, event_id
"""


class Step(msgspec.Struct, kw_only=True, gc=False):
    """One tool call, approval or hand-off. The names are those of the event."""

    event_id: str
    session_id: str
    trace_id: str
    parent_event_id: str | None
    kind: str
    operation: str
    tool: str | None
    capability: Capability | None
    agent_id: str
    agent_version: str
    at_ns: int | None
    day: date | None
    principal: str | None
    credential_id: str | None
    on_behalf_of: str | None
    source_host: str | None
    target: str | None
    status: str
    approval: str | None
    approver: str | None
    source: str
    arguments: str | None
    result: str | None
    previous_tool: str = ""
    """The tool that the same agent called before in this trace; "" at its start."""

    @property
    def is_privileged(self) -> bool:
        """Whether what it does is classed above `write`."""
        return self.capability in PRIVILEGED

    @property
    def impact(self) -> float:
        """0..1: what the step's class can do to an estate (`baseline.capability.IMPACT`)."""
        return IMPACT[self.capability] if self.capability else 0.0


_FIELDS: Final = tuple(f for f in Step.__struct_fields__ if f != "previous_tool")


def steps_in_time(connection: duckdb.DuckDBPyConnection, since: date | None = None) -> Iterator[Step]:
    """Every step of the fleet in one order of time, ties broken to the id, undated ones first; or from a day on."""
    previous: dict[tuple[str, str], str] = {}
    for part in ask_in_parts(connection.cursor(), _STEPS, _ROWS_AT_ONCE, since=since, ids=None):
        for values in part.select(_FIELDS).iter_rows():
            step = Step(**dict(zip(_FIELDS, values, strict=True)))
            if step.kind == "tool_call" and step.tool is not None:
                chain = (step.trace_id, step.agent_id)
                step.previous_tool = previous.get(chain, "")
                previous[chain] = step.tool
            yield step


def steps_by_id(connection: duckdb.DuckDBPyConnection, ids: list[str]) -> Iterator[Step]:
    """The steps of these events, in the order of time; `previous_tool` is not known of them."""
    for part in ask_in_parts(connection.cursor(), _STEPS, _ROWS_AT_ONCE, since=None, ids=ids):
        for values in part.select(_FIELDS).iter_rows():
            yield Step(**dict(zip(_FIELDS, values, strict=True)))
