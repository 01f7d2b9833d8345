"""A step as a detector sees it: the event, its class, and what the causal pass knows of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

import duckdb
import msgspec

from baseline.capability_table import IMPACT, PRIVILEGED, Capability
from ingest.database import ask, ask_in_parts, rows_of, rows_sharing_texts

_ROWS_AT_ONCE: Final = 100_000

_GIVES: Final = (
    r"(?i)(access_?key|secret|token|password|passwd|credential|private_?key|api_?key|key_?id|client_?id|kubeconfig|"
    r"\b(AKIA|ASIA)[A-Z0-9]{12}|assumed-role/)"
)
"""What a result may hand out a credential with: a first sieve, `detect/credentials.py` looks closer."""
IN_FORCE: Final = (
    r"(?i)\"(?:state|status|phase|stage|approval)\"\s*:\s*"
    r"\"(implement\w*|approved|authori[sz]ed|scheduled|in[ _-]?force)\""
)
"""The record of a change that may be carried out now, in the words of ITIL's states."""
LED: Final = (
    r"(?is)\"(?:state|status|phase|stage)\"\s*:\s*"
    r"\"(open|active|ongoing|in[ _-]?progress|investigat\w*|mitigat\w*|declared)\""
    r".*\"(?:incident_?)?(?:commander|lead|manager)\"\s*:"
)
"""An incident that is being worked on, under a lead."""
VOID: Final = (
    r"(?i)\"(?:state|status|phase|stage|approval)\"\s*:\s*"
    r"\"(draft|closed|rejected|declined|cancel\w*|withdrawn|expired|not[ _-]approved)\""
)
"""In what states it may not be."""
_SIEVES: Final = {"gives": _GIVES, "in_force": IN_FORCE, "void": VOID, "led": LED}
_LONGEST_TOLD: Final = 2_000
"""Characters of a request or of a tool's output that are kept to say where a value came from."""

_STEPS: Final = """
select
    event_id, session_id, trace_id, parent_event_id, kind, operation, tool, capability,
    coalesce(is_sure, true) as is_sure,
    coalesce(agent_id, '') as agent_id, coalesce(agent_version, '') as agent_version,
    epoch_ns(ordered_at) as at_ns, cast(ordered_at as date) as day,
    principal, credential_id, on_behalf_of, source_host, target, status, approval, approver, source,
    case
        when kind in ('message', 'lifecycle') then left(arguments, $longest)
        when capability = 'read' and is_sure and kind = 'tool_call'
            and not coalesce(regexp_matches(result, $in_force) or regexp_matches(result, $void)
                or regexp_matches(result, $led), false)
            then null
        else arguments
    end as arguments,
    coalesce(kind = 'tool_call' and regexp_matches(result, $gives), false) as gives,
    case
        when kind <> 'tool_call' then null
        when capability = 'credential' or gives then result
        else left(result, $longest)
    end as result
from events
left join classed using (tool)
where (
    kind in ('tool_call', 'approval', 'handoff')
    or operation = 'WorkflowExecutionStarted'
    or (kind in ('message', 'lifecycle') and arguments is not null)
)
and ($since::date is null or ordered_at >= $since::date)
order by ordered_at nulls first, session_id, trace_id, sequence nulls first, depth, kind_rank, event_id
"""

_SOME: Final = f"from ({_STEPS}) where event_id in (select unnest($events::varchar[])) order by event_id"


class Step(msgspec.Struct, gc=False, array_like=True):
    """One tool call, approval, hand-off or request. The names are those of the event."""

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
    gives: bool
    """Whether the result may hold a credential (a sieve)."""
    is_sure: bool = True
    """Whether the tool's name says its class by itself; else what the step shows may say more."""
    previous_tool: str = ""
    """The tool that the same agent called before in this trace on that day; "" at its start."""

    @property
    def is_privileged(self) -> bool:
        """Whether what it does is classed above `write`."""
        return self.capability in PRIVILEGED

    @property
    def is_done(self) -> bool:
        """Whether it took effect, as far as the log says."""
        return self.status not in ("error", "denied", "pending")

    @property
    def impact(self) -> float:
        """0..1: what the step's class can do to an estate (`baseline.capability.IMPACT`)."""
        return IMPACT[self.capability] if self.capability else 0.0

    def without_payload(self) -> Step:
        """The step as memory keeps it: arguments and results can be large, and hold secrets."""
        if self.arguments is None and self.result is None:
            return self
        return msgspec.structs.replace(self, arguments=None, result=None)


_FIELDS: Final = Step.__struct_fields__[:-1]
"""All but `previous_tool`, which no column holds."""
_REPEATED: Final = frozenset({
    "session_id", "trace_id", "kind", "operation", "tool", "capability", "agent_id", "agent_version", "principal",
    "credential_id", "on_behalf_of", "source_host", "target", "status", "approval", "approver",
})  # fmt: skip
"""Texts that many steps share: the pass looks things up by them again and again."""


def steps_in_time(connection: duckdb.DuckDBPyConnection, after: date | None = None) -> Iterator[Step]:
    """Every step of the fleet in one order of time, ties broken to the id, undated ones first; or of the days after."""
    previous: dict[tuple[str, str], str] = {}
    day: date | None = None
    told = {
        "since": None if after is None else after + timedelta(days=1),
        "longest": _LONGEST_TOLD,
    }
    for part in ask_in_parts(connection.cursor(), _STEPS, _ROWS_AT_ONCE, **told, **_SIEVES):
        for values in rows_sharing_texts(part, _FIELDS, _REPEATED):
            step = Step(*values)
            if step.day != day:
                day = step.day
                previous.clear()
            if step.kind == "tool_call" and step.tool is not None:
                chain = (step.trace_id, step.agent_id)
                step.previous_tool = previous.get(chain, "")
                previous[chain] = step.tool
            yield step


def steps_of(connection: duckdb.DuckDBPyConnection, event_ids: list[str]) -> dict[str, Step]:
    """The steps of these events, without their payloads; what came before them is not looked at."""
    rows = ask(
        connection, _SOME, since=None, gives=_GIVES, in_force=IN_FORCE, void=VOID, led=LED, longest=0, events=event_ids
    )
    steps = (Step(*values) for values in rows_of(rows, _FIELDS))
    return {step.event_id: step.without_payload() for step in steps}


def within(earlier: Step, later: Step, window_s: float) -> bool:
    """Whether the later step comes no more than the window after; without times, only in the same session."""
    if earlier.at_ns is None or later.at_ns is None:
        return earlier.session_id == later.session_id
    return 0 <= later.at_ns - earlier.at_ns <= window_s * 1_000_000_000
