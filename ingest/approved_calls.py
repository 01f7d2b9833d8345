"""Approvals that name a call by its id, and that call, wherever in the joined traces it stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ingest.arguments import named_in
from ingest.event import Row
from ingest.joins import keys_in
from ingest.payloads import payload, text, value_of
from ingest.witnesses import learn_approval

_ID_KEYS = ("id", "call_id", "callId", "tool_call_id", "toolUseId", "tool_use_id")
_DEEPEST = 12


def bind_approvals(events: Iterable[Row]) -> None:
    """Tie each approval to the call that it decides: the call learns what was decided, the approval about what.

    An approval of other arguments than the call was made with says nothing of that call.
    """
    decided = [row for row in events if row.kind == "approval" and row.joins]
    if not decided:
        return
    made = [row for row in _in_order(events) if row.kind in ("tool_call", "handoff")]
    calls = {key: row for row in made for key in keys_in(row.joins)}
    models = [row for row in _in_order(events) if row.kind == "model_call" and row.result]
    for approval in _in_order(decided):
        for key in keys_in(approval.joins):
            if (call := calls.get(key)) is not None:
                _bind(approval, call)
            elif approval.tool is None:
                _describe(approval, key.partition(":")[2], models)


def _bind(approval: Row, call: Row) -> None:
    approval.tool = approval.tool or call.tool
    if _contradicts(approval.arguments, call.arguments):
        return
    approval.arguments = approval.arguments or call.arguments
    approval.target = approval.target or call.target
    approval.parent_event_id = approval.parent_event_id or call.event_id
    learn_approval(call, approval.approval, approval.approver)
    if approval.approval == "denied" and call.status in ("pending", "unknown", "error"):
        call.status = "denied"


def _describe(approval: Row, call_id: str, models: list[Row]) -> None:
    """What was decided, from the answer of the model that asked for it: a call that was denied is never made."""
    for model in models:
        for asked in _objects(value_of(model.result), 0) if call_id in (model.result or "") else ():
            if call_id in (asked.get(key) for key in _ID_KEYS):
                function = asked.get("function")
                inner = function if isinstance(function, dict) else asked
                approval.tool = text(inner.get("name"))
                given = payload(inner.get("arguments", inner.get("args", inner.get("input"))))
                approval.arguments = approval.arguments or given
                approval.target = approval.target or named_in(approval.arguments).target
                if approval.tool is not None:
                    return


def _objects(value: object, depth: int) -> Iterator[dict[str, object]]:
    """Every object in a decoded payload."""
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        yield value
    for member in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _objects(member, depth + 1)


def _contradicts(approved: str | None, made: str | None) -> bool:
    """Whether both name the same argument with another value."""
    granted, given = value_of(approved), value_of(made)
    if not (isinstance(granted, dict) and isinstance(given, dict)):
        return False
    return any(key in given and given[key] != value for key, value in granted.items())


def _in_order(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row.started_at or 0, row.event_id))
