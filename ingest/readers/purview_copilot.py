"""Microsoft 365 Copilot in Purview's audit log: who asked which Copilot or agent, and what it read for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ingest.event import Observation, Rejected
from ingest.readers import reader
from ingest.readers._m365_audit import audit_record, is_directory, observe_audit
from ingest.readers._m365_copilot import OPERATIONS, RECORD_TYPES, is_interaction
from ingest.readers._microsoft_values import Members, first_row, rows, text, unified
from ingest.records import Record


def _claims(first: object) -> bool:
    row = first_row(first)
    if row is None or "ActionType" in row:
        return False
    columns = unified(row)
    said = _record(columns)
    if said is None:
        # The column is too long to have been looked into; the export repeats the operation beside it.
        outside = {text(columns.get(key)) for key in ("operation", "operations", "recordtype")}
        return "auditdata" in columns and bool(outside & (OPERATIONS | RECORD_TYPES))
    if "initiatedby" in said or "properties" in said:
        return False
    return _is_audit(said) and (is_interaction(said) or _is_ai(said)) and not is_directory(said)


def _is_audit(said: Members) -> bool:
    return "llmeventdata" in said or ("creationtime" in said and ("recordtype" in said or "workload" in said))


def _is_ai(said: Members) -> bool:
    """Agent 365's events and the administration of agents stand in the same log."""
    return said.get("workload") in ("Copilot", "Agent365", "AgentAdmin", "ConnectedAIApp", "AIApp", "CopilotStudio")


def _record(columns: Members) -> Members | None:
    if "llmeventdata" in columns:
        # Sentinel's table has the same record in columns of its own.
        return columns
    return audit_record(columns)


@reader(claims=_claims)
def purview_copilot(records: Iterable[Record]) -> Iterator[Observation | Rejected]:
    """Microsoft 365 Copilot in Purview's audit log: who asked which Copilot or agent, and what it read for them.

    Blobs of the Management Activity API, JSON lines, and rows with the record as JSON text in `AuditData`. The
    portal's CSV is not read: convert it to JSON. The log holds neither prompts, answers nor token counts.
    """
    for found in rows(records):
        if isinstance(found, Rejected):
            yield found
            continue
        record, members = found
        said = _record(unified(members))
        if said is None:
            yield Rejected(record.line, "no audit record (Operation, CreationTime) in it; export AuditData whole")
        else:
            if "llmeventdata" in said:
                said.setdefault("operation", "CopilotInteraction")
            yield from observe_audit(record, said)
