"""Log records beside the spans: what was said inside a step, a coding agent's own events, or plain notes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from ingest.arguments import named_in
from ingest.event import Approval, Observation, Status, identify
from ingest.joins import joined_by
from ingest.readers._otlp_content import DETAILS, ROLES, add_message, json_text, plain
from ingest.readers._otlp_shape import LogRecord
from ingest.readers._otlp_values import text_of
from ingest.readers._otlp_words import HUMANS, SESSIONS, first_text

_HELD_SPANS: Final = 256
"""Spans whose messages are gathered at a time. Exports keep the records of a span close together."""


class _Held(msgspec.Struct):
    observation: Observation
    messages: list[tuple[int, str, dict[str, object]]]


class Logs:
    """Turns log records into observations; holds the single messages of a span until they are together."""

    def __init__(self) -> None:
        self._held: dict[str, _Held] = {}

    def observe(self, record: LogRecord, source: str, source_sha256: str) -> Iterator[Observation]:
        """What a record tells of. A message is held back: a span's messages make one observation."""
        if record.trace_id and record.span_id:
            if record.event_name == DETAILS or _has_messages(record.body):
                yield _content(record, source, source_sha256)
                return
            if record.event_name in ROLES or record.event_name == "gen_ai.choice":
                self._hold(record, source, source_sha256)
                while len(self._held) > _HELD_SPANS:
                    yield _joined(self._held.pop(next(iter(self._held))))
                return
        yield _tool_result(record, source, source_sha256) or _note(record, source, source_sha256)

    def rest(self) -> Iterator[Observation]:
        """What is still held when the file ends."""
        while self._held:
            yield _joined(self._held.pop(next(iter(self._held))))

    def _hold(self, record: LogRecord, source: str, source_sha256: str) -> None:
        base = _base(record, source, source_sha256)
        held = self._held.setdefault(base.event_id, _Held(base, []))
        if held.observation is base:
            base.kind, base.operation = "model_call", "chat"
        else:
            held.observation.records += 1
        content = record.body if isinstance(record.body, dict) else {"content": record.body}
        # Before 1.37 some instrumentations kept the content in the record's attributes.
        if record.body is None:
            content = {k: v for k, v in record.attributes.items() if k in _CONTENT_KEYS}
        held.messages.append((record.at or 0, record.event_name or "", content))


_CONTENT_KEYS: Final = ("content", "message", "role", "id", "finish_reason")


def _joined(held: _Held) -> Observation:
    """A span's messages in the order of their times, never of the file, which may stand newest first."""
    given: list[object] = []
    said: list[object] = []
    times = [at for at, _, _ in held.messages if at]
    for _, name, content in sorted(held.messages, key=lambda m: (m[0], m[1], json_text(m[2]) or "")):
        add_message(name, content, given, said)
    observation = held.observation
    observation.arguments, observation.result = json_text(given or None), json_text(said or None)
    observation.started_at = min(times, default=None)
    return observation


def _base(record: LogRecord, source: str, source_sha256: str) -> Observation:
    trace_id = record.trace_id or ""
    return Observation(
        event_id=identify("otlp", trace_id, record.span_id),
        trace_id=trace_id,
        kind="lifecycle",
        operation=record.event_name or record.scope or "log",
        session_id=first_text(record.attributes, SESSIONS),
        service=record.resource.service,
        started_at=record.at,
        on_behalf_of=first_text(record.attributes, HUMANS),
        source_host=record.resource.host,
        source=source,
        source_sha256=source_sha256,
        witness="log",
    )


def _messages(body: object, side: str) -> object:
    part = body.get(side) if isinstance(body, dict) else None
    return part.get("messages") if isinstance(part, dict) else None


def _has_messages(body: object) -> bool:
    return _messages(body, "input") is not None or _messages(body, "output") is not None


def _content(record: LogRecord, source: str, source_sha256: str) -> Observation:
    """A span's whole input and output in one record: AWS moves them there from the span."""
    observation = _base(record, source, source_sha256)
    where = record.attributes if record.body is None else record.body
    given: object = None
    said: object = None
    if record.event_name == DETAILS:
        observation.kind, observation.operation = "model_call", "chat"
        for place in (record.attributes, where):
            if isinstance(place, dict):
                given = given or place.get("gen_ai.input.messages")
                said = said or place.get("gen_ai.output.messages")
    given, said = given or _messages(where, "input"), said or _messages(where, "output")
    call = _call_of_tool(given)
    if call is not None:
        observation.kind, observation.operation = "tool_call", "execute_tool"
        observation.approval = "cannot_record"
        given, said = call, _answer_of_tool(said)
    observation.arguments, observation.result = json_text(given), json_text(said)
    return observation


def _call_of_tool(messages: object) -> object:
    """The arguments, where the one input message is a tool's (Strands under ADOT), else None."""
    if isinstance(messages, list) and len(messages) == 1 and isinstance(messages[0], dict):
        content = messages[0].get("content")
        if messages[0].get("role") == "tool" and isinstance(content, dict) and "id" in content:
            return content.get("content")
    return None


def _answer_of_tool(messages: object) -> object:
    if isinstance(messages, list) and messages and isinstance(messages[0], dict):
        content = messages[0].get("content")
        return content.get("message") if isinstance(content, dict) else content
    return messages


def _tool_result(record: LogRecord, source: str, source_sha256: str) -> Observation | None:
    """Claude Code's and Codex's own events: a finished tool call, or a decision about one."""
    a = record.attributes
    name = record.event_name or text_of(record.body) or ""
    event = name.rpartition(".")[2]
    if event not in ("tool_result", "tool_decision"):
        return None
    tool = first_text(a, ("tool_name", "gen_ai.tool.name"))
    if tool is None:
        return None
    session = first_text(a, SESSIONS)
    trace_id = record.trace_id or session or source_sha256
    call_id = first_text(a, ("call_id", "tool_use_id", "gen_ai.tool.call.id"))
    distinct = call_id or f"{record.at}:{source}"
    observation = _base(record, source, source_sha256)
    observation.event_id = identify("otlp", trace_id, event, distinct)
    observation.trace_id, observation.session_id = trace_id, session
    observation.operation, observation.tool = name, tool
    observation.parent_event_id = identify("otlp", trace_id, record.span_id) if record.span_id else None
    observation.model = first_text(a, ("model",))
    observation.agent_version = first_text(a, ("app.version",)) or record.resource.version
    observation.arguments = json_text(plain(_either(a, "arguments", "tool_input", "tool_parameters")))
    observation.ended_at = record.at
    observation.joins = joined_by(call=call_id)
    if event == "tool_decision":
        observation.kind = "approval"
        observation.approval, by_person = _decided(a)
        observation.approver = first_text(a, ("user.email", "user.id")) if by_person else None
        observation.status = "denied" if observation.approval == "denied" else "ok"
        return observation
    observation.kind = "tool_call"
    observation.result = json_text(_either(a, "output", "tool_output", "tool_result"))
    observation.approval = "not_recorded"
    success = str(a.get("success")).lower()
    observation.status = _SUCCESS.get(success, "unknown")
    if observation.status == "error":
        observation.error = first_text(a, ("error", "error.message", "output"))
    duration = str(a.get("duration_ms"))
    if record.at is not None and duration.isascii() and duration.isdigit() and len(duration) < 12:
        observation.started_at = record.at - int(duration) * 1_000_000
    named = named_in(observation.arguments)
    observation.target, observation.principal = named.target, named.principal
    observation.credential_id = named.credential_id
    observation.on_behalf_of = observation.on_behalf_of or named.on_behalf_of
    return observation


_SUCCESS: Final[dict[str, Status]] = {"true": "ok", "false": "error"}


def _decided(a: dict[str, object]) -> tuple[Approval, bool]:
    """The decision, and whether a person took it: a rule of the configuration is no person."""
    decision, origin = str(a.get("decision")).lower(), str(a.get("source")).lower()
    by_person = origin.startswith("user")
    if decision.startswith(("reject", "den", "abort")):
        return "denied", by_person
    if decision.startswith(("accept", "approve", "allow")):
        return ("approved" if by_person else "automatic"), by_person
    return "not_recorded", False


def _either(a: dict[str, object], *keys: str) -> object:
    return next((a[key] for key in keys if a.get(key) not in (None, "")), None)


def _note(record: LogRecord, source: str, source_sha256: str) -> Observation:
    """A record of no vocabulary that we know: a step of its own below its span, never that span's outcome."""
    observation = _base(record, source, source_sha256)
    session = observation.session_id
    trace_id = record.trace_id or session or source_sha256
    body, attributes = json_text(record.body), json_text(record.attributes)
    observation.event_id = identify("otlp", "log", trace_id, record.span_id, record.at, body, attributes)
    observation.trace_id = trace_id
    observation.parent_event_id = identify("otlp", trace_id, record.span_id) if record.span_id else None
    observation.result = body
    return observation
