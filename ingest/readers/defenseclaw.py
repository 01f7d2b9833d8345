"""Cisco DefenseClaw gateway events (gateway.jsonl, envelope version 7): one object a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from ingest.event import Observation, Rejected
from ingest.readers import reader
from ingest.readers._defenseclaw_event import observe
from ingest.readers._members import members_of
from ingest.records import Record

_TYPES: Final = {
    "verdict", "judge", "lifecycle", "error", "diagnostic", "scan", "scan_finding", "activity", "egress",
    "llm_prompt", "llm_response", "tool_invocation", "hook_decision", "ai_discovery", "connector_inventory",
    "mcp_inventory", "agent_inventory",
}  # fmt: skip
_BESIDE: Final = {"schema_version", "agent_lifecycle_id", "agent_execution_id", "sidecar_instance_id"}


def _claims(first: object) -> bool:
    if not isinstance(first, dict) or "ts" not in first or not isinstance(first.get("event_type"), str):
        return False
    kind = first["event_type"]
    return (kind in _TYPES and kind in first and "severity" in first) or len(_BESIDE & first.keys()) > 1


@reader(claims=_claims, by_line=True)
def defenseclaw(records: Iterable[Record]) -> Iterator[Observation | Rejected]:
    """Cisco DefenseClaw gateway events.

    A tool's call and its result are one step by the call's id. A verdict or a hook's decision about a tool is
    an approval: what a policy allowed is automatic, what it blocked denied, what it asks about pending.
    """
    for record in records:
        event = members_of(record)
        yield event if isinstance(event, Rejected) else observe(record, event)
