"""One list of Converse messages -> observations: messages, model calls, and each tool use with its result."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from ingest.arguments import named_in
from ingest.decisions import decision
from ingest.event import Approval, Kind, Observation, Rejected, Status, identify
from ingest.joins import is_random, joined_by
from ingest.payloads import as_text, payload, text
from ingest.readers._chat_values import content_of, first_text, time_of, tokens_of
from ingest.records import Record

PARTS: Final = {
    "text", "toolUse", "toolResult", "reasoningContent", "image", "document", "video", "audio", "cachePoint",
    "guardContent", "citationsContent", "interruptResponse", "searchResult",
}  # fmt: skip
_STEPS: Final = ("toolUse", "toolResult", "interruptResponse")
_INTERRUPT: Final = re.compile(r"v\d+:before_tool_call:(.+):[0-9a-f-]{36}")
_SHORT_ANSWERS: Final[dict[object, Approval]] = {
    True: "approved", False: "denied", "y": "approved", "n": "denied", "t": "approved",
}  # fmt: skip
_STATUS: Final[dict[Approval, Status]] = {"approved": "ok", "automatic": "ok", "denied": "denied"}
_REDACTED: Final = re.compile(r"\[(User input|Assistant output) redacted\.?\]", re.IGNORECASE)


class Message(msgspec.Struct):
    """One message with its own line."""

    record: Record
    members: dict[str, object]

    def parts(self) -> list[object]:
        """The content blocks."""
        content = self.members.get("content")
        return content if isinstance(content, list) else []


class Talk:
    """One list while it is read."""

    def __init__(self, header: dict[str, object], messages: list[Message]) -> None:
        self.messages = messages
        self.session = first_text(header, ("session_id", "sessionId", "conversation_id"))
        self.agent = first_text(header, ("agent_id", "agent_name", "agentId", "agentName", "name"))
        self.model = first_text(header, ("modelId", "model_id", "model"))
        self.trace = _trace(self.session, messages)
        self.can_record = any(_block(p, "interruptResponse") for m in messages for p in m.parts())
        self.seen: dict[str, int] = {}
        self.calls: dict[str, Observation] = {}
        self.open: dict[str, list[Observation]] = {}
        self.number = 0
        self.out: list[Observation | Rejected] = []

    def observations(self) -> list[Observation | Rejected]:
        """The list's steps in its order."""
        for index, message in enumerate(self.messages):
            said = [part for part in message.parts() if not any(_block(part, step) for step in _STEPS)]
            steps = [part for part in message.parts() if any(_block(part, step) for step in _STEPS)]
            own: Observation | None = None
            if message.members.get("role") == "assistant":
                own = self._model_call(index, message, said, steps)
            elif said or not steps:
                own = self._step(index, 0, message, "message", str(message.members.get("role")))
                own.arguments, own.status = content_of(said), "ok"
                own.gap = _redacted(own.arguments)
            for part, value in enumerate(steps, start=1):
                if use := _block(value, "toolUse"):
                    self._use(index, part, message, use, own)
                elif result := _block(value, "toolResult"):
                    self._result(index, part, message, result)
                else:
                    self._answer(index, part, message, _block(value, "interruptResponse"))
        return self.out

    def _step(self, index: int, part: int, message: Message, kind: Kind, operation: str) -> Observation:
        own = text(message.members.get("tracking_id"))
        step = Observation(
            event_id=identify("strands_messages", self.trace, own or index, part),
            trace_id=self.trace,
            kind=kind,
            operation=operation,
            session_id=self.session,
            agent_id=self.agent,
            sequence=self.number,
            started_at=time_of(message.members),
            source=message.record.source,
            source_sha256=message.record.sha256,
            witness="message",
        )
        self.number += 1
        self.out.append(step)
        return step

    def _model_call(self, index: int, message: Message, said: list[object], steps: list[object]) -> Observation:
        step = self._step(index, 0, message, "model_call", "assistant")
        about = message.members.get("metadata")
        step.input_tokens, step.output_tokens = tokens_of(about.get("usage") if isinstance(about, dict) else None)
        step.model, step.status = self.model, "ok"
        uses = [use for value in steps if (use := _block(value, "toolUse"))]
        made = [{"name": use.get("name"), "arguments": use.get("input")} for use in uses]
        spoken = content_of(said) if said else None
        step.gap = _redacted(spoken)
        step.result = as_text({"content": said, "tool_calls": made}) if made else spoken
        return step

    def _use(self, index: int, part: int, message: Message, use: dict[str, object], own: Observation | None) -> None:
        name, identity = text(use.get("name")), text(use.get("toolUseId"))
        if name is None:
            self.out.append(Rejected(message.record.line, "a toolUse that names no tool; fix or remove it"))
            self.number += 1
            return
        step = self._step(index, part, message, "tool_call", "toolUse")
        if identity is not None:
            turn = self.seen[identity] = self.seen.get(identity, -1) + 1
            step.event_id = identify("strands_messages", self.trace, "use", identity, turn)
            self.calls[identity] = step
            step.joins = joined_by(call=identity)
            self.open.setdefault(identity, []).append(step)
        step.parent_event_id = own.event_id if own else None
        step.tool, step.arguments, step.status = name, payload(use.get("input")), "pending"
        named = named_in(step.arguments)
        step.target, step.credential_id = named.target, named.credential_id
        step.principal, step.on_behalf_of = named.principal, named.on_behalf_of
        given = use.get("input")
        if name == "handoff_to_agent" and isinstance(given, dict) and (other := text(given.get("agent_name"))):
            step.kind, step.target = "handoff", other
        else:
            step.approval = "not_recorded" if self.can_record else "cannot_record"

    def _result(self, index: int, part: int, message: Message, result: dict[str, object]) -> None:
        waiting = self.open.get(text(result.get("toolUseId")) or "")
        content = result.get("content")
        if isinstance(content, list) and len(content) == 1 and isinstance(content[0], dict) and "json" in content[0]:
            content = content[0]["json"]
        if not waiting:
            step = self._step(index, part, message, "message", "toolResult")
            step.arguments, step.status = content_of(content), "ok"
            step.gap = "the call of this result is not in the list"
            return
        call = waiting.pop(0)
        self.number += 1
        call.records += 1
        call.ended_at = time_of(message.members)
        call.result = content_of(content)
        call.status = "error" if result.get("status") == "error" else "ok"
        if call.status == "error":
            call.error = call.result or "error"
            call.status = "denied" if call.approval == "denied" else "error"

    def _answer(self, index: int, part: int, message: Message, answer: dict[str, object]) -> None:
        """A person's answer to an interrupt; its id names the tool use that waited."""
        step = self._step(index, part, message, "approval", "interruptResponse")
        given = answer.get("response")
        step.arguments = as_text(answer)
        spoken = given.lower() if isinstance(given, str) else given
        short = _SHORT_ANSWERS.get(spoken) if isinstance(spoken, str | bool) else None
        said = decision("interruptResponse", [as_text(given)], None)
        step.approval, step.approver = short or said.approval, said.approver
        step.status = _STATUS.get(step.approval, "unknown")
        found = _INTERRUPT.fullmatch(text(answer.get("interruptId")) or "")
        call = self.calls.get(found[1]) if found else None
        if call is not None:
            step.parent_event_id, step.tool, step.target = call.event_id, call.tool, call.target
            call.approval, call.approver = step.approval, step.approver


def _trace(session: str | None, messages: list[Message]) -> str:
    """The session; else the first id in the list that nothing else has; else a hash of what was said."""
    if session is not None:
        return session
    for message in messages:
        ids = [text(message.members.get("tracking_id"))]
        ids += [text(use.get("toolUseId")) for part in message.parts() if (use := _block(part, "toolUse"))]
        for identity in ids:
            if identity is not None and is_random(identity):
                return identity
    return identify("strands_messages", *(message.record.sha256 for message in messages))


def _block(part: object, name: str) -> dict[str, object]:
    block = part.get(name) if isinstance(part, dict) else None
    return block if isinstance(block, dict) else {}


def _redacted(spoken: str | None) -> str | None:
    return "text redacted by a guardrail" if spoken and _REDACTED.search(spoken) else None
