"""One Gemini CLI chat recording -> observations."""

from __future__ import annotations

import re
from typing import Final

from ingest.arguments import named_in
from ingest.event import Kind, Observation, Rejected, Status, identify
from ingest.joins import joined_by
from ingest.payloads import as_text, count, payload, text
from ingest.readers._chat_values import content_of
from ingest.readers._members import Members, at_path, beside_models, fingerprint, objects, part
from ingest.records import Record
from ingest.times import nanoseconds

AGENT: Final = "gemini-cli"
_STATUSES: Final[dict[object, Status]] = {
    "success": "ok", "error": "error", "cancelled": "error", "executing": "pending", "scheduled": "pending",
    "validating": "pending", "awaiting_approval": "pending",
}  # fmt: skip
_REFUSED: Final = re.compile(
    r"User (?:denied|did not allow|rejected|cancelled the operation)|cancelled by (?:the )?user", re.I
)
_BY_POLICY: Final = re.compile(r"denied by policy|policy denied|blocked by (?:policy|hook)", re.I)


class Session:
    """A recording while it is read."""

    def __init__(self) -> None:
        self.out: list[Observation | Rejected] = []
        self.session: str | None = None
        self.header: Observation | None = None
        self.header_records = 0
        self.above: dict[str, str | None] = {}
        self.latest: str | None = None
        self.turns: dict[str, Observation] = {}
        self.calls: dict[str, Observation] = {}

    def open(self, record: Record, header: Members) -> None:
        """The session's own line or the document's members."""
        self.session = text(header.get("sessionId")) or self.session
        step = self._step(record, "lifecycle", "session", ("session",))
        self.out.pop()
        step.started_at, step.ended_at = nanoseconds(text(header.get("startTime"))), None
        if self.header is None:
            self.header = step

    def finish(self, *, records: int) -> list[Observation | Rejected]:
        """All observations; the session itself is a record only where nothing else tells of it."""
        if self.header is not None and records:
            self.header.records = records
            self.out.insert(0, self.header)
        return self.out

    def add(self, record: Record, message: Members) -> None:
        """Take one message."""
        kind, at = text(message.get("type")), nanoseconds(text(message.get("timestamp")))
        own = text(message.get("id"))
        identity = ("message", own) if own else ("content", fingerprint(message))
        if kind == "gemini":
            known = self.turns.get(own or "")
            step = known or self._step(record, "model_call", kind, identity)
            if known is not None:
                # The recording is appended to: the same message comes again with what has become known.
                step.records += 1
            self._turn(record, step, message, at)
            if own is not None:
                self.turns[own] = step
            return
        step = self._step(record, "message" if kind == "user" else "lifecycle", kind or _operation(message), identity)
        step.started_at = at
        if kind == "user":
            step.arguments = content_of(message.get("content"))
            self.latest = step.event_id
        elif kind == "error":
            step.status, step.error = "error", text(message.get("content")) or "error"

    def _step(self, record: Record, kind: Kind, operation: str, identity: tuple[str, ...]) -> Observation:
        if self.session is None:
            self.session = identify("gemini_cli", record.sha256)
        step = Observation(
            event_id=identify("gemini_cli", self.session, *identity),
            trace_id=self.session,
            session_id=self.session,
            kind=kind,
            operation=operation,
            agent_id=AGENT,
            service=AGENT,
            parent_event_id=self.latest,
            status="ok",
            source=record.source,
            source_sha256=record.sha256,
            witness="message",
        )
        self.out.append(step)
        return step

    def _turn(self, record: Record, step: Observation, message: Members, at: int | None) -> None:
        step.started_at = step.started_at or at
        if step.event_id not in self.above:
            step.parent_event_id = beside_models(step, self.above)
        step.model = text(message.get("model")) or step.model
        tokens = part(message, "tokens")
        step.input_tokens = count(tokens.get("input")) if tokens else step.input_tokens
        step.output_tokens = count(tokens.get("output")) if tokens else step.output_tokens
        calls = objects(message.get("toolCalls"))
        made = [{"name": call.get("name"), "arguments": call.get("args")} for call in calls]
        content = message.get("content")
        step.result = as_text({"content": content, "tool_calls": made}) if made else content_of(content)
        self.latest = step.event_id
        for number, call in enumerate(calls):
            self._call(record, step, call, number, at)

    def _call(self, record: Record, turn: Observation, call: Members, number: int, at: int | None) -> None:
        own = text(call.get("id"))
        identity = ("call", own) if own else ("call", turn.event_id, str(number))
        key = identify(*identity)
        step = self.calls.get(key)
        if step is None:
            step = self.calls[key] = self._step(record, "tool_call", "tool_call", identity)
            step.records, step.joins = 0, joined_by(call=own)
        step.parent_event_id = turn.event_id
        self.latest = step.event_id
        step.tool = text(call.get("name"))
        step.arguments = as_text(call["args"]) if "args" in call else None
        named = named_in(step.arguments)
        step.target, step.credential_id, step.principal = named.target, named.credential_id, named.principal
        step.on_behalf_of = named.on_behalf_of
        # The time that a call bears is written when it ends or waits; the message's own opens it.
        step.started_at, step.ended_at = at, nanoseconds(text(call.get("timestamp")))
        answer = call.get("result")
        step.result = payload(answer if answer not in (None, []) else call.get("resultDisplay"))
        stated = text(call.get("status"))
        step.status = _STATUSES.get(stated, "unknown")
        step.approval = "not_recorded"
        said = next(
            (t for p in objects(answer) if (t := text(at_path(p, "functionResponse", "response", "error")))), None
        ) or (text(call.get("resultDisplay")) if stated != "success" else None)
        if step.status == "error":
            step.error = said or str(stated)
            by_policy = _BY_POLICY.search(step.error) is not None
            if by_policy or (stated == "cancelled" and _REFUSED.search(step.error) is not None):
                self._denied(record, step, "policy: tool rules" if by_policy else None)

    def _denied(self, record: Record, call: Observation, by: str | None) -> None:
        call.status = call.approval = "denied"
        step = self._step(record, "approval", "approval", ("decision", call.event_id))
        step.records, step.parent_event_id, step.approver = 0, call.event_id, by
        step.tool, step.target, step.arguments = call.tool, call.target, call.arguments
        step.approval = step.status = "denied"
        step.started_at = call.ended_at


def _operation(message: Members) -> str:
    """Newer recordings are patched by lines such as `$set` and `$rewindTo`."""
    return next((str(key) for key in message if str(key).startswith("$")), "message")
