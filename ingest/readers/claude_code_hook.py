"""Claude Code hook payloads: what a hook is given before and after a tool call, one object each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from ingest.arguments import named_in
from ingest.event import Kind, Observation, Rejected, identify
from ingest.joins import joined_by
from ingest.payloads import as_text, text
from ingest.readers import reader
from ingest.readers._chat_values import content_of
from ingest.readers._claude_code_words import HANDOFF_TOOLS, allowed_by_mode, taken_over_by
from ingest.readers._members import Members, fingerprint, members_of
from ingest.records import Record
from ingest.times import moment

_CALLS: Final = {"PreToolUse", "PostToolUse", "PostToolUseFailure"}
_TIMES: Final = ("timestamp", "ts", "time")


@reader(claims=lambda first: isinstance(first, dict) and "hook_event_name" in first and "session_id" in first)
def claude_code_hook(records: Iterable[Record]) -> Iterator[Observation | Rejected]:
    """Claude Code hook payloads, before and after each tool call.

    A call has the id that the session file gives it, so that both tell of the same step. Without a time of
    its own a payload is ordered by its place in the file.
    """
    seen: Counter[tuple[str, str]] = Counter()
    waiting: dict[str, Observation] = {}
    numbers: Counter[str] = Counter()
    for record in records:
        members = members_of(record)
        if isinstance(members, Rejected):
            yield members
            continue
        step = _step(record, members, seen)
        number = numbers[step.trace_id]
        numbers[step.trace_id] += 1
        if number == 0:
            waiting[step.trace_id] = step
            continue
        # A payload alone says nothing about order; only beside others does its place.
        if (first := waiting.pop(step.trace_id, None)) is not None:
            first.sequence = 0 if first.started_at is None else None
            yield first
        step.sequence = number if step.started_at is None else None
        yield step
    yield from waiting.values()


def _step(record: Record, members: Members, seen: Counter[tuple[str, str]]) -> Observation:
    event, session = text(members.get("hook_event_name")) or "hook", text(members.get("session_id"))
    tool, call = text(members.get("tool_name")), text(members.get("tool_use_id"))
    joins = joined_by(call=call)
    arguments = as_text(members["tool_input"]) if "tool_input" in members else None
    kinds: dict[str, Kind] = {
        "UserPromptSubmit": "message",
        "PermissionRequest": "approval",
        "PermissionDenied": "approval",
    }
    kind: Kind = kinds.get(event, "lifecycle")
    if event in _CALLS:
        kind = "handoff" if tool in HANDOFF_TOOLS else "tool_call"
    own = identify("claude_code", session, "hook", event, fingerprint(members))
    if call is None and tool is not None:
        # Before ids were given: the n-th payload before a call and the n-th after it tell of the same.
        key = (identify(session, tool, arguments), "before" if event == "PreToolUse" else event[:4])
        call = f"{key[0]}:{seen[key]}"
        seen[key] += 1
    tool_event = identify("claude_code", session, "tool", call) if call is not None else None
    step = Observation(
        event_id=tool_event if tool_event is not None and event in _CALLS else own,
        trace_id=session or own,
        session_id=session,
        kind=kind,
        operation=event,
        agent_id=text(members.get("agent_type")) or "claude-code",
        service="claude-code",
        parent_event_id=tool_event if kind == "approval" else None,
        tool=tool,
        arguments=arguments,
        joins=joins,
        source=record.source,
        source_sha256=record.sha256,
        witness="log",
    )
    at = next((found for key in _TIMES if (found := moment(members.get(key))) is not None), None)
    step.started_at = at
    if kind in ("tool_call", "handoff", "approval"):
        named = named_in(arguments)
        step.target, step.credential_id, step.principal = named.target, named.credential_id, named.principal
        step.on_behalf_of = named.on_behalf_of
    if kind == "message":
        step.arguments, step.status = content_of(members.get("prompt")), "ok"
    elif kind == "approval":
        refused = event == "PermissionDenied"
        step.approval, step.status = ("denied", "denied") if refused else ("pending", "pending")
        step.approver = "policy: permission rules" if refused else None
    elif event in _CALLS:
        _call(step, event, members, at)
    return step


def _call(step: Observation, event: str, members: Members, at: int | None) -> None:
    if step.kind == "handoff":
        step.target = taken_over_by(members.get("tool_input")) or step.target
    else:
        mode = text(members.get("permission_mode"))
        step.approval = "automatic" if allowed_by_mode(mode, step.tool) else "not_recorded"
    if event == "PreToolUse":
        step.status = "pending"
        return
    step.started_at, step.ended_at = None, at
    response = members.get("tool_response", members.get("tool_output"))
    step.result = content_of(response)
    failed = event == "PostToolUseFailure"
    if failed:
        step.error = text(members.get("error")) or "error"
    step.status = "error" if failed else "ok"
    if step.arguments is None and step.result is None:
        step.gap = "arguments and result left out"
