"""Agent 365 activity in Defender: `CloudAppEvents` rows of hunting answers, exports and the streaming API."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from ingest.event import Observation, Rejected
from ingest.readers import reader
from ingest.readers._agent365_event import ACTIONS, observe_action
from ingest.readers._m365_audit import observe_audit
from ingest.readers._microsoft_values import Members, first_row, first_text, rows, text, unified
from ingest.records import Record

_TABLE: Final = "AdvancedHunting-CloudAppEvents"


def _row(said: Members) -> Members | None:
    """The columns of a row, out of what the streaming API puts around them."""
    if said.get("category") == _TABLE:
        return unified(said.get("properties"))
    columns = unified(said)
    return columns if "actiontype" in columns and "raweventdata" in columns else None


def _claims(first: object) -> bool:
    row = first_row(first)
    return row is not None and _row(row) is not None


@reader(claims=_claims)
def agent365(records: Iterable[Record]) -> Iterator[Observation | Rejected]:
    """Agent 365 activity in Defender: `CloudAppEvents` rows of hunting answers, exports and the streaming API.

    Invocations, inferences and tool calls; a row of any other cloud app is a step of its own. The same call may
    be told of by the SDK, the gateway and the MCP server, each with its own span. Agent 365's spans themselves
    are read by `otlp`; Sentinel's ASimAgentEventLogs and CSV exports are not read.
    """
    for found in rows(records):
        if isinstance(found, Rejected):
            yield found
            continue
        record, members = found
        row = _row(members)
        raw = unified(row.get("raweventdata")) if row is not None else {}
        action = first_text(row or {}, "actiontype")
        if row is None or action is None:
            yield Rejected(record.line, "not a CloudAppEvents row (no ActionType); export the table's own columns")
        elif action in ACTIONS or action.startswith("ExecuteTool"):
            yield observe_action(record, action, raw, row)
        elif not raw:
            yield Rejected(record.line, "RawEventData holds no JSON object; export the whole column, untruncated")
        else:
            raw.setdefault("operation", action)
            raw.setdefault("creationtime", text(row.get("timestamp")))
            raw.setdefault("clientip", text(row.get("ipaddress")))
            raw.setdefault("id", text(row.get("reportid")))
            yield from observe_audit(record, raw)
