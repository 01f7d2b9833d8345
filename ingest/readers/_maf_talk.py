"""One Agent Framework conversation -> observations: messages, model calls, function calls, approvals."""

from __future__ import annotations

from typing import Final

import msgspec

from ingest.arguments import named_in
from ingest.decisions import decision
from ingest.event import Approval, Kind, Observation, Rejected, Status, identify
from ingest.joins import is_random, joined_by
from ingest.payloads import as_text, payload
from ingest.readers._chat_values import content_of, time_of
from ingest.readers._maf_parts import (
    Members,
    family,
    first,
    handed_to,
    human_in,
    inner_call,
    named,
    spoken,
    usage_of,
)
from ingest.records import Record

_STATUS: Final[dict[Approval, Status]] = {"approved": "ok", "automatic": "ok", "denied": "denied", "pending": "pending"}


class Message(msgspec.Struct):
    """One message with its own line."""

    record: Record
    members: Members


class _Place(msgspec.Struct):
    """Where a content part stands."""

    index: int
    part: int
    message: Message
    agent: str | None


class Talk:
    """One conversation while it is read."""

    def __init__(self, header: Members, messages: list[Message]) -> None:
        self.messages = messages
        self.session = first(header, "session_id", "conversation_id", "conversationId", "thread_id", "threadId")
        self.agent = first(header, "agent_name", "agentName", "agent_id", "agentId")
        self.model = first(header, "model", "model_id", "modelId")
        self.at = time_of(header)
        self.usage = usage_of(header.get("usage_details") or header.get("usage"))
        self.trace = _trace(self.session, messages)
        self.seen: dict[str, int] = {}
        self.open: dict[str, list[Observation]] = {}
        self.calls: dict[str, Observation] = {}
        self.asked: dict[str, Observation] = {}
        self.number = 0
        self.out: list[Observation | Rejected] = []

    def observations(self) -> list[Observation | Rejected]:
        """The conversation's steps in its order."""
        for index, message in enumerate(self.messages):
            self._message(index, message)
        models = [o for o in self.out if isinstance(o, Observation) and o.kind == "model_call"]
        if models and all(o.input_tokens is None and o.output_tokens is None for o in models):
            # The response's own total; beside the parts' usage it would count twice.
            models[-1].input_tokens, models[-1].output_tokens = self.usage
        return self.out

    def _message(self, index: int, message: Message) -> None:
        role = named(message.members.get("role")) or "message"
        author = first(message.members, "author_name", "authorName")
        contents = message.members.get("contents")
        parts: list[object] = contents if isinstance(contents, list) else []
        said = [part for part in parts if family(part) == ""]
        place = _Place(index, 0, message, author if role in ("assistant", "tool") else None)
        own: Observation | None = None
        if role == "assistant":
            own = self._model_call(place, said, parts)
        elif said or not parts:
            own = self._step(place, "message", role)
            own.arguments, own.status = content_of(spoken(said)), "ok"
            own.on_behalf_of = author if role == "user" else None
        for number, part in enumerate(parts, start=1):
            place = _Place(index, number, message, place.agent)
            if not isinstance(part, dict):
                continue
            match family(part):
                case "call":
                    self._call(place, part, own)
                case "result":
                    self._result(place, part)
                case "request":
                    self._request(place, part)
                case "response":
                    self._response(place, part, author if role == "user" else None)

    def _step(self, place: _Place, kind: Kind, operation: str) -> Observation:
        members = place.message.members
        own = first(members, "message_id", "messageId")
        said_at = time_of(members)
        step = Observation(
            event_id=identify("agent_framework", self.trace, own or place.index, place.part),
            trace_id=self.trace,
            kind=kind,
            operation=operation,
            session_id=self.session,
            agent_id=place.agent or self.agent,
            sequence=self.number,
            started_at=said_at if said_at is not None else self.at,
            source=place.message.record.source,
            source_sha256=place.message.record.sha256,
            witness="message",
        )
        self.number += 1
        self.out.append(step)
        return step

    def _model_call(self, place: _Place, said: list[object], parts: list[object]) -> Observation:
        step = self._step(place, "model_call", "assistant")
        step.status, step.model = "ok", self.model
        made = [
            {"name": first(part, "name", "tool_name", "toolName"), "arguments": part.get("arguments")}
            for part in parts
            if isinstance(part, dict) and family(part) == "call"
        ]
        words = spoken(said)
        step.result = as_text({"content": words, "tool_calls": made}) if made else content_of(words)
        for part in said:
            if not isinstance(part, dict):
                continue
            if "usage" in str(part.get("type", part.get("$type"))).lower():
                step.input_tokens, step.output_tokens = usage_of(
                    part.get("usage_details") or part.get("details") or part.get("usageDetails")
                )
            elif part.get("type", part.get("$type")) == "error":
                step.status, step.error = "error", first(part, "message", "error_code", "errorCode") or "error"
        return step

    def _call(self, place: _Place, part: Members, own: Observation | None) -> None:
        name = first(part, "name", "tool_name", "toolName")
        kind = named(part.get("type")) or named(part.get("$type")) or ""
        if name is None and kind not in ("function_call", "functionCall"):
            # Tools that the service itself runs are known by their kind alone.
            name = kind.removesuffix("_call").removesuffix("Call") or None
        line = place.message.record.line
        if name is None:
            self.out.append(Rejected(line, "a function_call that names no tool; fix or remove it and ingest again"))
            self.number += 1
            return
        step = self._step(place, "tool_call", kind)
        step.parent_event_id = own.event_id if own else None
        given = part.get("arguments", part.get("inputs"))
        step.tool, step.arguments, step.status = name, payload(given), "pending"
        found = named_in(step.arguments)
        step.target, step.credential_id = found.target or first(part, "server_name", "serverName"), found.credential_id
        step.principal, step.on_behalf_of = found.principal, found.on_behalf_of
        if (receiver := handed_to(name)) is not None:
            step.kind, step.target = "handoff", receiver
        else:
            step.approval = "not_recorded"
        ids = _ids(part)
        if ids:
            # The framework's own id is random; `call_id` may come again in a later turn.
            turn = self.seen[ids[0]] = self.seen.get(ids[0], -1) + 1
            step.event_id = identify("agent_framework", self.trace, "call", ids[0], turn)
            step.joins = joined_by(call=ids)
        for identity in ids:
            self.open.setdefault(identity, []).append(step)
            self.calls[identity] = step

    def _result(self, place: _Place, part: Members) -> None:
        ids = _ids(part)
        call = next((self.open[i][0] for i in ids if self.open.get(i)), None)
        result = part.get("result", part.get("items", part.get("outputs", part.get("output"))))
        error = part.get("exception") or part.get("error")
        if call is None:
            step = self._step(place, "message", "function_result")
            step.arguments, step.status = content_of(result), "ok"
            step.gap = "the call of this result is not in the session"
            return
        for waiting in self.open.values():
            waiting[:] = [step for step in waiting if step is not call]
        self.number += 1
        call.records += 1
        call.result = content_of(result)
        call.ended_at = time_of(place.message.members)
        call.error = (error if isinstance(error, str) else as_text(error)) if error else None
        call.status = "denied" if call.approval == "denied" else "error" if error else "ok"

    def _request(self, place: _Place, part: Members) -> None:
        call = self._bound(part)
        step = self._step(place, "approval", named(part.get("type")) or named(part.get("$type")) or "request")
        step.approval, step.status = "pending", "pending"
        self._describe(step, part, call)
        for identity in _ids(part):
            self.asked.setdefault(identity, step)

    def _response(self, place: _Place, part: Members, author: str | None) -> None:
        """An answer; with its request it is one approval, which stands where it was given."""
        call = self._bound(part)
        asked = next((self.asked.pop(i) for i in _ids(part) if i in self.asked), None)
        if asked is not None and asked.approval != "pending":
            asked = None
        if asked is None:
            step = self._step(place, "approval", named(part.get("type")) or named(part.get("$type")) or "response")
            self._describe(step, part, call)
        else:
            step = asked
            step.operation = named(part.get("type")) or named(part.get("$type")) or "response"
            step.sequence = self.number
            step.records += 1
            step.started_at = time_of(place.message.members) or step.started_at
            self.number += 1
        said = human_in(part)
        found = decision("approval", [as_text({"approved": part.get("approved"), **said})], None)
        step.approval, step.approver = found.approval, found.approver or author
        step.status = _STATUS.get(step.approval, "unknown")
        if call is not None:
            call.approval, call.approver = step.approval, step.approver
            if step.approval == "denied":
                call.status = "denied"

    def _bound(self, part: Members) -> Observation | None:
        """The call that an approval is about, by the ids that the framework copies into it."""
        ids = [*_ids(inner_call(part)), *_ids(part)]
        return next((self.calls[i] for i in ids if i in self.calls), None)

    def _describe(self, step: Observation, part: Members, call: Observation | None) -> None:
        about = inner_call(part)
        step.tool = first(about, "name", "tool_name", "toolName") or (call.tool if call else None)
        step.arguments = payload(about.get("arguments")) or (call.arguments if call else payload(human_in(part)))
        step.target = named_in(step.arguments).target
        step.parent_event_id = call.event_id if call else None
        step.joins = joined_by(call=[*_ids(about), *_ids(part)])


def _ids(part: Members) -> list[str]:
    found = [first(part, "id", "requestId"), first(part, "call_id", "callId")]
    return [identity for identity in found if identity]


def _trace(session: str | None, messages: list[Message]) -> str:
    """The session's id; else the first id in it that nothing else has; else a hash of what was said."""
    if session is not None:
        return session
    for message in messages:
        contents = message.members.get("contents")
        ids = [first(message.members, "message_id", "messageId")]
        ids += (
            [i for part in contents if isinstance(part, dict) for i in _ids(part)] if isinstance(contents, list) else []
        )
        for identity in ids:
            if identity is not None and is_random(identity):
                return identity
    return identify("agent_framework", *(message.record.sha256 for message in messages))
