"""One conversation -> observations: messages, model calls, and each tool call with its result."""

from __future__ import annotations

from typing import Final

from ingest.arguments import named_in
from ingest.decisions import decision
from ingest.event import Kind, Observation, Rejected, Status, identify
from ingest.handoffs import handed_to
from ingest.joins import joined_by
from ingest.payloads import as_text, payload, text, value_of
from ingest.readers._chat_meaning import carries_approval, is_approval, trace_of
from ingest.readers._chat_shape import Conversation, Message
from ingest.readers._chat_values import (
    TIME_KEYS,
    Call,
    Members,
    call_in,
    content_of,
    error_in,
    first_text,
    time_of,
    tokens_of,
)
from ingest.times import moment

_SESSION_IDS: Final = ("session_id", "conversation_id", "thread_id", "conversation")
_AGENTS: Final = ("agent_id", "agent", "agent_name", "assistant", "assistant_id")
_SPEAKERS: Final = ("agent_id", "agent", "agent_name", "sender")
_VERSIONS: Final = ("agent_version", "version")
_HUMANS: Final = ("on_behalf_of", "user", "user_id", "end_user")
_REMEDY: Final = "fix or remove it and ingest again"


class Talk:
    """One conversation while it is read."""

    def __init__(self, conversation: Conversation) -> None:
        header = conversation.header
        about = header.get("metadata")
        self.header: Members = {**about, **header} if isinstance(about, dict) else header
        self.messages = conversation.messages
        self.session = first_text(self.header, _SESSION_IDS)
        self.trace = trace_of(self.header, self.session, self.messages)
        self.agent = first_text(self.header, _AGENTS)
        self.version = first_text(self.header, _VERSIONS)
        self.human = first_text(self.header, _HUMANS)
        self.model = text(self.header.get("model"))
        self.time = time_of(self.header)
        self.can_record = any(is_approval(m.members) or carries_approval(m.members) for m in self.messages)
        self.number = 0
        self.out: list[Observation | Rejected] = []
        self.calls: dict[str, Observation] = {}
        self.open_by_id: dict[str, list[Observation]] = {}
        self.open_in_order: list[Observation] = []
        self.turn: Observation | None = None
        self.turn_said: list[object] = []

    def observations(self) -> list[Observation | Rejected]:
        """The conversation's steps in its order."""
        for index, message in enumerate(self.messages):
            members = message.members
            role, kind = members.get("role"), members.get("type")
            if not isinstance(role, str) or not role:
                self._item(index, message, str(kind))
                continue
            if is_approval(members):
                self._approval(index, 0, message, members, members.get("approval", members))
                self.turn = None
            elif role == "assistant":
                self._assistant(index, message, in_turn=kind == "message")
            elif role in ("tool", "function"):
                self.turn = None
                self._tool(index, message, members.get("content"), role)
            else:
                self.turn = None
                self._message(index, message, role, members.get("content"))
        self._total_tokens()
        return self.out

    def _step(self, index: int, part: int | str, message: Message, kind: Kind, operation: str) -> Observation:
        members = message.members
        speaker = first_text(members, _SPEAKERS) if members.get("role") == "assistant" else None
        if speaker is None and members.get("role") == "assistant":
            speaker = text(members.get("name"))
        said_at = time_of(members)
        step = Observation(
            event_id=identify("chat", self.trace, index, part),
            trace_id=self.trace,
            kind=kind,
            operation=operation,
            session_id=self.session or self.trace,
            agent_id=speaker or self.agent,
            agent_version=self.version,
            sequence=self.number,
            started_at=said_at if said_at is not None else self.time,
            on_behalf_of=self.human,
            source=message.record.source,
            source_sha256=message.record.sha256,
            witness="message",
        )
        self.number += 1
        self.out.append(step)
        return step

    def _message(self, index: int, message: Message, role: str, content: object) -> None:
        step = self._step(index, 0, message, "message", role)
        step.arguments = content_of(content)
        step.status = "ok"
        if isinstance(content, list):
            for part in content:
                # Anthropic's shape: results come inside the next user message.
                if isinstance(part, dict) and part.get("type") == "tool_result":
                    call = self._answered(text(part.get("tool_use_id")), None)
                    if call is not None:
                        self._answer(call, part, part.get("content"), step)

    def _assistant(self, index: int, message: Message, *, in_turn: bool) -> None:
        members = message.members
        more = members.keys() & {"tool_calls", "function_call", "approval"}
        if in_turn and self.turn is not None and not more:
            self.number += 1
            self._add_to_turn(members.get("content"), [])
            return
        step = self._step(index, 0, message, "model_call", "assistant")
        step.status = "ok"
        step.model = text(members.get("model")) or self.model
        step.input_tokens, step.output_tokens = tokens_of(members.get("usage"))
        calls = self._calls(index, message, step)
        self.turn, self.turn_said = (step, []) if in_turn else (None, [])
        content = members.get("content")
        said: object = content if content is not None else members.get("refusal")
        self._add_to_turn(said, calls, step)
        if "approval" in members:
            self._approval(index, "approval", message, members, members["approval"], records=0)

    def _add_to_turn(self, content: object, calls: list[Call], step: Observation | None = None) -> None:
        """What the model said: its text alone, or text and calls together."""
        if step is None:
            step = self.turn
            if step is None:
                return
            step.records += 1
        self.turn_said.extend([content] if content else [])
        self.turn_said.extend({"name": call.name, "arguments": value_of(call.arguments)} for call in calls)
        made = [said for said in self.turn_said if isinstance(said, dict)]
        texts = [said for said in self.turn_said if not isinstance(said, dict)]
        if made:
            step.result = as_text({"content": texts[0] if texts else None, "tool_calls": made})
        elif texts:
            step.result = content_of(texts[0])

    def _calls(self, index: int, message: Message, parent: Observation) -> list[Call]:
        """Open the calls that a message makes; what is no call is rejected, one by one."""
        members = message.members
        listed = members.get("tool_calls")
        found: list[object] = []
        if isinstance(listed, list):
            found = list(listed)
        elif listed is not None:
            found = [listed]
        elif members.get("function_call") is not None:
            found = [members["function_call"]]
        content = members.get("content")
        if isinstance(content, list):
            found += [part for part in content if isinstance(part, dict) and part.get("type") == "tool_use"]
        if any(call_in(value) is not None for value in found):
            # A new batch: a result without an id belongs to it and not to a call that was passed over.
            self.open_in_order = []
        calls: list[Call] = []
        for part, value in enumerate(found, start=1):
            call = call_in(value)
            if call is None:
                line = message.record.line
                self.out.append(Rejected(line, f"tool call {part} of this message names no tool; {_REMEDY}"))
                self.number += 1
                continue
            calls.append(call)
            self._call(index, part, message, call, parent)
        return calls

    def _call(self, index: int, part: int, message: Message, call: Call, parent: Observation | None) -> Observation:
        taken_over = handed_to(call.name, call.arguments)
        step = self._step(index, part, message, "handoff" if taken_over else "tool_call", "tool_call")
        step.parent_event_id = parent.event_id if parent else None
        step.tool, step.arguments, step.status = call.name, call.arguments, "pending"
        named = named_in(call.arguments)
        step.target, step.credential_id, step.principal = named.target, named.credential_id, named.principal
        step.on_behalf_of = named.on_behalf_of or self.human
        if taken_over:
            step.target = taken_over
        else:
            step.approval = "not_recorded" if self.can_record else "cannot_record"
        if call.id is not None:
            self.open_by_id.setdefault(call.id, []).append(step)
            self.calls[call.id] = step
            step.joins = joined_by(call=call.id)
        self.open_in_order.append(step)
        if call.approval is not None:
            bound: Members = {"tool_call_id": call.id}
            self._approval(index, f"{part}.approval", message, bound, call.approval, records=0)
        return step

    def _tool(self, index: int, message: Message, content: object, role: str) -> None:
        """A tool's result: part of its call, or a message where there is no such call."""
        members = message.members
        identity = text(members.get("tool_call_id")) or text(members.get("call_id"))
        call = self._answered(identity, text(members.get("name")))
        if call is None:
            self._message(index, message, role, content)
        else:
            self.number += 1
            call.records += 1
            self._answer(call, members, content, None)
            call.ended_at = time_of(members)
        if "approval" in members:
            bound: Members = {"tool_call_id": identity}
            self._approval(index, "approval", message, bound, members["approval"], records=0)

    def _answered(self, identity: str | None, name: str | None) -> Observation | None:
        """The open call that a result belongs to: by id; without one, by name, then in order."""
        if identity is not None:
            waiting = self.open_by_id.get(identity)
            call = waiting.pop(0) if waiting else None
        else:
            named = (step for step in self.open_in_order if name is not None and step.tool == name)
            call = next(named, None) or next(iter(self.open_in_order), None)
            for waiting in self.open_by_id.values():
                waiting[:] = [step for step in waiting if step is not call]
        self.open_in_order = [step for step in self.open_in_order if step is not call]
        return call

    def _answer(self, call: Observation, members: Members, content: object, told: Observation | None) -> None:
        call.result = content_of(content)
        call.error = error_in(members, content)
        call.status = "error" if call.error else "ok"
        if told is not None:
            call.ended_at = told.started_at

    def _item(self, index: int, message: Message, kind: str) -> None:
        """A Responses item. What the model put out in a row is one model call, each call in it a step."""
        members = message.members
        if kind.endswith("_call_output"):
            self.turn = None
            self._tool(index, message, members.get("output"), "tool")
            return
        call = call_in(members) if kind.endswith("_call") else None
        if call is None and kind != "reasoning":
            self.turn = None
            if kind.endswith("_call"):
                self.out.append(Rejected(message.record.line, f"a {kind} that names no tool; {_REMEDY}"))
                self.number += 1
            else:
                self._message(index, message, kind, members)
            return
        made = [call] if call is not None else []
        if self.turn is None:
            self.turn = self._step(index, 0, message, "model_call", "assistant")
            self.turn.status, self.turn.model = "ok", self.model
            self.turn_said = []
            self.open_in_order = []
            self._add_to_turn(None, made, self.turn)
        else:
            self.number += 1
            self._add_to_turn(None, made)
        if call is not None:
            step = self._call(index, 1, message, call, self.turn)
            answer = members.get("output", members.get("result"))
            if answer is not None or members.get("error"):
                # Calls that the provider ran itself (web search, hosted MCP) carry their own result.
                self._answered(call.id, None)
                self._answer(step, members, answer, None)

    def _approval(
        self,
        index: int,
        part: int | str,
        message: Message,
        members: Members,
        stated: object,
        *,
        records: int = 1,
    ) -> None:
        said: Members = dict(stated) if isinstance(stated, dict) else {"approved": stated}
        if stated is members:
            said = {key: value for key, value in members.items() if key not in ("role", "content")}
            spoken = value_of(payload(members.get("content")))
            said |= spoken if isinstance(spoken, dict) else {}
            if isinstance(spoken, str) and not said.keys() & {"approved", "decision"}:
                said["decision"] = spoken
        step = self._step(index, part, message, "approval", "approval")
        step.records = records
        step.arguments = as_text(said)
        decided = decision("approval", [step.arguments], None)
        step.approval, step.approver = decided.approval, decided.approver
        identity = text(said.get("tool_call_id")) or text(members.get("tool_call_id"))
        call = self.calls.get(identity or "")
        step.tool = decided.tool or (call.tool if call else None)
        step.target = named_in(step.arguments).target or (call.target if call else None)
        step.parent_event_id = call.event_id if call else None
        at = next((found for key in TIME_KEYS if (found := moment(said.get(key))) is not None), None)
        step.started_at = at if at is not None else step.started_at
        statuses: dict[str | None, Status] = {"approved": "ok", "automatic": "ok", "denied": "denied"}
        step.status = statuses.get(step.approval, "pending" if step.approval == "pending" else "unknown")

    def _total_tokens(self) -> None:
        """The body's usage, on its last model call; beside messages' own usage a total would count twice."""
        calls = [step for step in self.out if isinstance(step, Observation) and step.kind == "model_call"]
        if calls and all(step.input_tokens is None and step.output_tokens is None for step in calls):
            calls[-1].input_tokens, calls[-1].output_tokens = tokens_of(self.header.get("usage"))
