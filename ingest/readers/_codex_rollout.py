"""One Codex rollout -> observations: the model's items, the program's events, each step once."""

from __future__ import annotations

import re
from typing import Final

from ingest.event import Kind, Observation, Rejected, identify
from ingest.joins import joined_by
from ingest.payloads import count, payload, text, value_of
from ingest.readers._chat_values import content_of
from ingest.readers._codex_words import (
    AGENT,
    HANDOFFS,
    Twice,
    command_of,
    end_of,
    fill_named,
    is_refused_by_person,
    outcome_of,
    spoken,
    tool_of,
)
from ingest.readers._members import Members, at_path, beside_models, fingerprint, part, texts_of
from ingest.records import Record
from ingest.times import nanoseconds

_CALLS: Final = {
    "function_call", "local_shell_call", "custom_tool_call", "web_search_call", "tool_search_call",
    "image_generation_call",
}  # fmt: skip
_OUTPUTS: Final = {"function_call_output", "custom_tool_call_output", "tool_search_output"}
_APPROVAL_REQUESTS: Final = {"exec_approval_request", "apply_patch_approval_request", "request_permissions"}
_JOINED: Final = re.compile(
    r"(exec_command|mcp_tool_call|patch_apply|web_search|dynamic_tool_call|collab_\w+|view_image_tool_call)(_begin|_end"
    r"|_output_delta|_request|_response)?|terminal_interaction"
)


class Rollout:
    """A rollout while it is read."""

    def __init__(self) -> None:
        self.out: list[Observation | Rejected] = []
        self.steps: list[Observation] = []
        self.session: str | None = None
        self.trace: str | None = None
        self.agent = AGENT
        self.version: str | None = None
        self.model: str | None = None
        self.policy: str | None = None
        self.calls: dict[str, Observation] = {}
        self.turn: Observation | None = None
        self.last_turn: Observation | None = None
        self.said: dict[str, list[object]] = {}
        self.twice = Twice()
        self.above: dict[str, str | None] = {}
        self.latest: str | None = None
        self.number = 0
        self.usage: object = None

    def add(self, record: Record, line: Members) -> None:
        """Take one line, or one item of an older rollout."""
        kind, payload_ = text(line.get("type")), line.get("payload")
        if not isinstance(payload_, dict):
            bare = line if kind is None or "payload" not in line else {}
            if kind is None and "record_type" not in line and "id" in line:
                self._meta(record, line, line)
            else:
                self._item(record, line, bare or {"type": kind})
        elif kind == "session_meta":
            self._meta(record, line, payload_)
        elif kind == "response_item":
            self._item(record, line, payload_)
        elif kind == "event_msg":
            self._event(record, line, payload_)
        else:
            if kind == "turn_context":
                self.model = text(payload_.get("model")) or self.model
                self.policy = text(payload_.get("approval_policy")) or self.policy
            self.turn = None
            self._step(record, line, "lifecycle", kind or "line", ("line", fingerprint(line)))

    def finish(self) -> list[Observation | Rejected]:
        """All observations, with the session's id and what the model said."""
        for step in self.steps:
            said = self.said.get(step.event_id)
            if said is not None:
                step.result = spoken(said)
        return self.out

    def _meta(self, record: Record, line: Members, meta: Members) -> None:
        own = text(meta.get("id")) or text(meta.get("session_id"))
        if self.session is None and own is not None:
            spawned = part(meta, "source", "subagent", "thread_spawn")
            above = text(spawned.get("parent_thread_id")) or text(meta.get("parent_thread_id"))
            self.session, self.trace = own, above or own
            self.agent = text(meta.get("agent_role")) or text(spawned.get("agent_role")) or AGENT
            self.version = text(meta.get("cli_version")) or self.version
        step = self._step(record, line, "lifecycle", "session_meta", ("thread", own or fingerprint(meta)))
        step.started_at = step.started_at or nanoseconds(text(meta.get("timestamp")))
        if own is not None and own != self.session:
            # A forked session opens with a copy of the one that it came from.
            step.event_id = identify("codex", self.session, "copied", own)

    def _step(
        self, record: Record, line: Members, kind: Kind, operation: str, identity: tuple[str, ...]
    ) -> Observation:
        at = nanoseconds(text(line.get("timestamp")))
        step = Observation(
            event_id=identify("codex", *(() if identity[0] == "thread" else (self.session,)), *identity),
            trace_id=self.trace or identify("codex", record.sha256),
            session_id=self.trace,
            kind=kind,
            operation=operation,
            agent_id=self.agent,
            agent_version=self.version,
            service=AGENT,
            parent_event_id=self.latest,
            # Only the first rollouts had no times; there the place in the list is the order.
            sequence=self.number if at is None and "timestamp" not in line else None,
            started_at=at,
            status="ok",
            source=record.source,
            source_sha256=record.sha256,
            witness="message",
        )
        self.number += 1
        if self.trace is None:
            self.trace = step.trace_id
        self.steps.append(step)
        self.out.append(step)
        return step

    def _speak(self, record: Record, line: Members, records: int) -> Observation:
        """The model call that an item is part of: what it put out in a row is one call."""
        if self.turn is None:
            turn = self._step(
                record, line, "model_call", "response", ("turn", fingerprint(line), self.twice.number(line))
            )
            turn.parent_event_id = beside_models(turn, self.above)
            turn.records, turn.model = 0, self.model
            self.turn = self.last_turn = turn
            self.latest = turn.event_id
        self.turn.records += records
        return self.turn

    def _item(self, record: Record, line: Members, item: Members) -> None:
        kind = text(item.get("type")) or text(item.get("record_type")) or "item"
        if kind == "message" and item.get("role") == "assistant":
            self._said(record, line, texts_of(item.get("content")) or "", "item")
        elif kind == "reasoning":
            turn = self._speak(record, line, 1)
            thought = texts_of(item.get("summary")) or texts_of(item.get("content"))
            if thought:
                self._note(turn, thought)
            elif item.get("encrypted_content"):
                turn.gap = "reasoning encrypted"
        elif kind in _CALLS:
            self._call(record, line, item, kind)
        elif kind in _OUTPUTS:
            self._output(record, line, item)
        elif kind == "message":
            role = text(item.get("role")) or "message"
            self._heard(record, line, role, item.get("content"), "item")
        else:
            self._step(record, line, "lifecycle", kind, ("line", fingerprint(line)))

    def _note(self, turn: Observation, said: object) -> None:
        self.said.setdefault(turn.event_id, []).append(said)

    def _said(self, record: Record, line: Members, words: str, channel: str) -> None:
        if (told := self.twice.other("assistant", words, channel)) is not None:
            told.records += 1
            return
        turn = self._speak(record, line, 1)
        self._note(turn, words)
        self.twice.remember("assistant", words, channel, turn)

    def _heard(self, record: Record, line: Members, role: str, content: object, channel: str) -> None:
        words = texts_of(content) or ""
        if (told := self.twice.other(role, words, channel)) is not None:
            told.records += 1
            return
        self.turn = None
        step = self._step(record, line, "message", role, ("line", fingerprint(line), self.twice.number(line)))
        step.arguments = content_of(texts_of(content) or content)
        self.latest = step.event_id
        self.twice.remember(role, words, channel, step)

    def _call(self, record: Record, line: Members, item: Members, kind: str) -> None:
        number = text(item.get("call_id")) or text(item.get("id"))
        known = self.calls.get(number or "")
        if known is not None and known.operation in _CALLS:
            known.records += 1
            return
        name, arguments = tool_of(item, kind)
        turn = self._speak(record, line, 0)
        self._note(turn, {"name": name, "arguments": value_of(arguments)})
        if known is None:
            known = self._open(record, line, number, kind)
        known.records += 1
        known.tool, known.operation = name or known.tool, kind
        known.arguments = arguments if arguments is not None else known.arguments
        known.parent_event_id = turn.event_id
        known.status = {"completed": "ok", "failed": "error"}.get(str(item.get("status")), known.status)  # type: ignore[assignment]
        if kind in ("function_call", "custom_tool_call", "local_shell_call") and known.result is None:
            known.status = "pending"
        fill_named(known)
        if name in HANDOFFS:
            known.kind, known.approval = "handoff", None
            known.target = text(part(value_of(arguments)).get("agent_type")) or known.target

    def _open(self, record: Record, line: Members, number: str | None, operation: str) -> Observation:
        identity = ("call", number) if number else ("call", fingerprint(line), self.twice.number(line))
        call = self._step(record, line, "tool_call", operation, identity)
        call.records, call.status = 0, "pending"
        call.approval = "automatic" if self.policy == "never" else "not_recorded"
        if number is not None:
            self.calls[number] = call
            call.joins = joined_by(call=number)
        return call

    def _output(self, record: Record, line: Members, item: Members) -> None:
        number = text(item.get("call_id"))
        call = self.calls.get(number or "") or self._open(record, line, number, str(item.get("type")))
        if call.tool is None:
            call.gap = "the call itself is not in this file"
        self.turn = None
        self.latest = call.event_id
        call.records += 1
        output = item.get("output", item.get("tools"))
        call.result = payload(output)
        call.status, call.error = outcome_of(output)
        call.ended_at = nanoseconds(text(line.get("timestamp")))
        if is_refused_by_person(output):
            call.status = "denied"
            call.approval = "denied" if call.kind == "tool_call" else None
            self._decision(record, line, call, "denied")
        started = text(part(value_of(call.result)).get("agent_id"))
        if call.kind == "handoff" and started is not None:
            step = self._step(record, line, "lifecycle", "subagent", ("thread", started))
            step.records, step.parent_event_id, step.agent_id = 0, call.event_id, call.target
            step.started_at = call.started_at

    def _decision(self, record: Record, line: Members, call: Observation, verdict: str) -> Observation:
        step = self._step(record, line, "approval", "approval", ("decision", call.event_id))
        step.records, step.parent_event_id = 0, call.event_id
        step.tool, step.target, step.arguments = call.tool, call.target, call.arguments
        step.approval, step.status = ("denied", "denied") if verdict == "denied" else ("pending", "pending")
        return step

    def _event(self, record: Record, line: Members, event: Members) -> None:
        kind = text(event.get("type")) or "event_msg"
        call = self.calls.get(str(event.get("call_id")))
        if kind == "agent_message":
            self._said(record, line, text(event.get("message")) or "", "event")
        elif kind == "user_message":
            self._heard(record, line, "user", event.get("message"), "event")
        elif kind.startswith("agent_reasoning") and self.turn is not None:
            self.turn.records += 1
        elif kind == "token_count":
            self._tokens(record, line, event)
        elif kind in _APPROVAL_REQUESTS:
            self._asked(record, line, event, call)
        elif _JOINED.fullmatch(kind) and text(event.get("call_id")) is not None:
            self._joined(record, line, event, kind, call)
        else:
            step = self._step(record, line, "lifecycle", kind, ("line", fingerprint(line)))
            if kind in ("error", "stream_error", "turn_aborted"):
                step.status, step.error = "error", text(event.get("message")) or text(event.get("reason"))

    def _asked(self, record: Record, line: Members, event: Members, call: Observation | None) -> None:
        if call is None and text(event.get("call_id")) is not None:
            call = self._open(record, line, text(event.get("call_id")), "requested")
            call.tool, call.arguments = command_of(event)
            fill_named(call)
        if call is None:
            step = self._step(record, line, "approval", "approval", ("line", fingerprint(line)))
            step.approval = step.status = "pending"
            step.tool, step.arguments = command_of(event)
            return
        step = self._decision(record, line, call, "pending")
        step.records, step.operation = 1, str(event.get("type"))

    def _joined(self, record: Record, line: Members, event: Members, kind: str, call: Observation | None) -> None:
        """The program's own account of a call that the model asked for."""
        if call is None:
            call = self._open(record, line, text(event.get("call_id")), kind)
        call.records += 1
        at = nanoseconds(text(line.get("timestamp")))
        if call.tool is None:
            call.tool, call.arguments = command_of(event)
            fill_named(call)
        elif call.target is None:
            call.target = text(at_path(event, "invocation", "server"))
        if not kind.endswith("_end"):
            return
        end_of(call, event, at)

    def _tokens(self, record: Record, line: Members, event: Members) -> None:
        last, total = part(event, "info", "last_token_usage"), at_path(event, "info", "total_token_usage")
        step, self.turn = self.last_turn, None
        repeated = total is not None and total == self.usage
        self.usage = total
        if step is None:
            self._step(record, line, "lifecycle", "token_count", ("line", fingerprint(line)))
            return
        step.records += 1
        if not repeated and step.input_tokens is None and step.output_tokens is None:
            step.input_tokens, step.output_tokens = count(last.get("input_tokens")), count(last.get("output_tokens"))
