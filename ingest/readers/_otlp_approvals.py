"""Approvals among the messages of a span: Agent Framework's parts, and Strands' interrupts and their answers.

Who answered stands in them only where the application put it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

import msgspec

from ingest.decisions import approver_in, decision, is_policy, normalised
from ingest.event import Approval
from ingest.joins import joined_by
from ingest.readers._otlp_content import json_text, parts_in, plain
from ingest.readers._otlp_shape import Span


class Approved(msgspec.Struct, frozen=True, kw_only=True):
    """A request for approval, or the answer to one, found among the messages."""

    id: str
    approval: Approval
    approver: str | None = None
    tool: str | None = None
    arguments: str | None = None
    said: str | None = None
    joins: str | None = None
    operation: str


_MESSAGES: Final = ("gen_ai.input.messages", "gen_ai.output.messages")
_DECIDING: Final = ("function_approval_", "interrupt_response", "tool_call:")
_INTERRUPT: Final = re.compile(r"v1:(?:before_)?tool_call:(.+):[0-9a-f-]{36}")
"""An interrupt of Strands names the call that waits: `v1:before_tool_call:<tool use id>:<uuid>`."""
_LONGEST: Final = 1 << 16


def approvals_in(span: Span) -> Iterator[Approved]:
    """The approvals that were asked for or answered in a span's messages, both generations."""
    for attributes in (span.attributes, *(event.attributes for event in span.events)):
        for key in _MESSAGES:
            messages = attributes.get(key)
            if messages is not None and not (isinstance(messages, str) and _is_silent(messages)):
                for part in parts_in(plain(messages)):
                    yield from _in_part(part)
        if attributes.get("finish_reason") == "interrupt" and isinstance(said := attributes.get("message"), str):
            yield from _interrupts_in(said)


def _is_silent(messages: str) -> bool:
    return not any(word in messages for word in _DECIDING)


def _in_part(part: dict[str, object]) -> Iterator[Approved]:
    match part.get("type"):
        case "function_approval_request" | "function_approval_response":
            yield _decided_call(part)
        case "interrupt_response":
            yield _answered_interrupt(part)
        case "text" if isinstance(said := part.get("content"), str) and said.startswith("[{'id': 'v1:"):
            yield from _interrupts_in(said)


def _decided_call(part: dict[str, object]) -> Approved:
    called = part.get("function_call")
    call: dict[str, object] = called if isinstance(called, dict) else {}
    ids = [i for i in (part.get("id"), call.get("call_id"), call.get("id")) if isinstance(i, str) and i]
    tool = call.get("name")
    answer = _answer(part) if part.get("type") == "function_approval_response" else "pending"
    extra = part.get("additional_properties")
    approver = approver_in(normalised(extra)) if isinstance(extra, dict) and answer != "pending" else None
    return Approved(
        id=next(iter(ids), ""),
        approval="automatic" if answer == "approved" and is_policy(approver) else answer,
        approver=approver,
        tool=tool if isinstance(tool, str) else None,
        arguments=json_text(call.get("arguments")),
        joins=joined_by(call=ids),
        operation="function_approval_request" if answer == "pending" else "function_approval_response",
    )


def _answer(part: dict[str, object]) -> Approval:
    approved = part.get("approved")
    return "approved" if approved is True else "denied" if approved is False else "pending"


def _answered_interrupt(part: dict[str, object]) -> Approved:
    """The answer is the application's own: a word, a flag or an object. What decides nothing is not recorded."""
    identity, response = str(part.get("id") or ""), json_text(part.get("response"))
    said = decision("interrupt", [response] if response else [], None)
    return Approved(
        id=identity,
        approval=said.approval,
        approver=said.approver,
        tool=said.tool,
        said=response,
        joins=_joins_of(identity),
        operation="interrupt_response",
    )


def _interrupts_in(said: str) -> Iterator[Approved]:
    """What a run that stops says of its interrupts: a Python list. The reason is the application's own."""
    try:
        listed = ast.literal_eval(said) if len(said) < _LONGEST else None
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return
    for interrupt in listed if isinstance(listed, list) else ():
        if not isinstance(interrupt, dict) or _INTERRUPT.fullmatch(identity := str(interrupt.get("id"))) is None:
            continue
        reason = interrupt.get("reason")
        given = reason.get("input", reason) if isinstance(reason, dict) else None
        yield Approved(
            id=identity,
            approval="pending",
            tool=decision("interrupt", [json_text(reason) or ""], None).tool,
            arguments=json_text(given),
            joins=_joins_of(identity),
            operation="interrupt",
        )


def _joins_of(interrupt_id: str) -> str | None:
    """By the call alone: the rest of the id is a hash of the interrupt's name, the same in every run."""
    found = _INTERRUPT.fullmatch(interrupt_id)
    return joined_by(call=found[1] if found else None)
