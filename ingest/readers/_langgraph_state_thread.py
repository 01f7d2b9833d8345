"""One thread's checkpoints -> its steps: messages, calls with their answers, and what a person was asked."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from ingest.arguments import named_in
from ingest.event import Kind, Observation, identify
from ingest.handoffs import handed_to
from ingest.joins import joined_by
from ingest.payloads import as_text, value_of
from ingest.readers._export_fields import Fields, fields_in
from ingest.readers._langgraph_answer import STATUS, answers
from ingest.readers._langsmith_pauses import answers_tool
from ingest.records import Record
from ingest.times import nanoseconds

_FORMAT: Final = "langgraph_state"
_ROOM: Final = 1 << 20
"""Sequence numbers between two steps: more than a checkpoint has messages."""
_ROLES: Final[dict[str | None, Kind]] = {"ai": "model_call", "assistant": "model_call", "AIMessageChunk": "model_call"}
_VALUE: Final = msgspec.json.Decoder()
_RUN: Final = re.compile(r"(?:lc_)?run-+([0-9a-f-]{36})(?:-\d+)?")
"""How LangChain names a model's message after the run that made it."""


class Snapshot(msgspec.Struct):
    """A checkpoint, and where it stands."""

    record: Record
    fields: Fields
    thread: str
    checkpoint: str
    namespace: str
    step: int
    at: int | None


def snapshot(record: Record, fields: Fields) -> Snapshot | None:
    """The checkpoint in a record; None where it is none."""
    where = fields.inside("config").inside("configurable")
    if not where.raw:
        where = fields.inside("checkpoint")
    thread, checkpoint = where.text("thread_id"), where.text("checkpoint_id") or fields.text("checkpoint_id")
    if checkpoint is None:
        return None
    step = fields.inside("metadata").value("step")
    return Snapshot(
        record, fields, thread or checkpoint, checkpoint, where.text("checkpoint_ns") or "",
        step if isinstance(step, int) and abs(step) < 1 << 40 else 0, nanoseconds(fields.text("created_at")),
    )  # fmt: skip


class Thread:
    """A thread while it is read, oldest checkpoint first."""

    def __init__(self, snapshots: list[Snapshot]) -> None:
        self.snapshots = sorted(snapshots, key=lambda s: (s.namespace, s.step, s.checkpoint))
        self.thread = snapshots[0].thread
        self.told: set[str] = set()
        self.calls: dict[str, Observation] = {}
        self.asked: dict[str, Observation] = {}
        self.resumed: set[str] = set()
        self.out: list[Observation] = []

    def observations(self) -> list[Observation]:
        """The thread's steps."""
        for said in self.snapshots:
            self._checkpoint(said)
            for index, raw in enumerate(said.fields.inside("values").list_of("messages")):
                self._message(said, index, raw)
            for raw in said.fields.list_of("tasks"):
                self._task(said, fields_in(raw))
            for task, value in _resume_writes(said.fields):
                self._resume(said, task, value)
        return self.out

    def _step(self, said: Snapshot, event_id: str, kind: Kind, operation: str, place: int) -> Observation:
        step = Observation(
            event_id=event_id,
            trace_id=self.thread,
            session_id=self.thread,
            kind=kind,
            operation=operation,
            agent_id=said.fields.inside("metadata").text("lc_agent_name", "agent_name", "assistant_id", "graph_id"),
            sequence=(said.step + 2) * _ROOM + min(place, _ROOM - 1),
            started_at=said.at,
            on_behalf_of=said.fields.inside("metadata").text("user_id", "langgraph_auth_user_id"),
            source=said.record.source,
            source_sha256=said.record.sha256,
            witness="history",
            records=0,
        )
        self.out.append(step)
        return step

    def _checkpoint(self, said: Snapshot) -> None:
        event_id = identify(_FORMAT, self.thread, said.namespace, said.checkpoint)
        source = said.fields.inside("metadata").text("source") or "checkpoint"
        step = self._step(said, event_id, "lifecycle", f"checkpoint {source}", 0)
        step.records = 1
        waits = any(fields_in(task).list_of("interrupts") for task in said.fields.list_of("tasks"))
        step.status = "pending" if waits else "ok"
        errors = [found for task in said.fields.list_of("tasks") if (found := fields_in(task).text("error"))]
        if errors:
            step.status, step.error = "error", errors[0]

    def _message(self, said: Snapshot, index: int, raw: bytes) -> None:
        message = _unwrapped(fields_in(raw))
        role = message.text("type", "role")
        own = message.text("id")
        key = identify(own) if own else identify(index, role, message.payload("content"), message.payload("tool_calls"))
        if role is None or key in self.told:
            return
        self.told.add(key)
        call = self.calls.get(message.text("tool_call_id") or "")
        if role == "tool" and call is not None:
            call.records = 2
            call.result, call.ended_at = message.payload("content"), said.at
            call.status = "error" if message.text("status") == "error" else "ok"
            call.error = message.text("content") if call.status == "error" else None
            call.approval = "not_recorded" if call.kind == "tool_call" else None
            return
        step = self._step(
            said, identify(_FORMAT, self.thread, "message", key), _ROLES.get(role, "message"), role, 1 + index * 64
        )
        step.status = "ok"
        if step.kind != "model_call":
            step.arguments = message.payload("content")
            step.tool = message.text("name") if role == "tool" else None
            return
        step.agent_id = message.text("name") or step.agent_id
        step.joins = joined_by(lc_run=_RUN.sub(r"\1", message.text("id") or ""))
        self._model_call(said, index, message, step)

    def _model_call(self, said: Snapshot, index: int, message: Fields, step: Observation) -> None:
        about = message.inside("response_metadata")
        step.model = about.text("model_name", "model", "model_id")
        usage = message.inside("usage_metadata")
        step.input_tokens, step.output_tokens = usage.count("input_tokens"), usage.count("output_tokens")
        made = message.list_of("tool_calls")
        step.result = message.payload("content")
        if made:
            calls = value_of(message.payload("tool_calls"))
            step.result = as_text({"content": value_of(step.result), "tool_calls": calls})
        for number, raw in enumerate(made):
            call = fields_in(raw)
            call_id = call.text("id") or identify(step.event_id, number)
            name = call.text("name")
            if name is None or call_id in self.calls:
                continue
            event_id = identify(_FORMAT, self.thread, "call", call_id)
            made_step = self._step(said, event_id, "tool_call", "tool_call", 2 + index * 64 + min(number, 60))
            made_step.parent_event_id, made_step.agent_id = step.event_id, step.agent_id
            made_step.tool, made_step.arguments = name, call.payload("args", "arguments")
            named = named_in(made_step.arguments)
            made_step.target, made_step.credential_id = named.target, named.credential_id
            made_step.principal = named.principal
            made_step.on_behalf_of = named.on_behalf_of or made_step.on_behalf_of
            made_step.status, made_step.approval = "pending", "not_recorded"
            made_step.joins = joined_by(call=call.text("id"))
            if (receiver := handed_to(name, made_step.arguments)) is not None:
                made_step.kind, made_step.target, made_step.approval = "handoff", receiver, None
            self.calls[call_id] = made_step

    def _task(self, said: Snapshot, task: Fields) -> None:
        for number, raw in enumerate(task.list_of("interrupts")):
            interrupt = fields_in(raw)
            task_id = task.text("id") or said.checkpoint
            own = interrupt.text("id", "interrupt_id") or identify(task_id, number)
            if own in self.asked:
                continue
            event_id = identify(_FORMAT, self.thread, "interrupt", own)
            step = self._step(said, event_id, "approval", "interrupt", _ROOM - 4)
            step.approval, step.status = "pending", "pending"
            step.arguments = interrupt.payload("value")
            step.tool, step.target = answers_tool(step.arguments), named_in(step.arguments).target
            step.joins = joined_by(interrupt=interrupt.text("id", "interrupt_id"))
            call = self._call_for(step.tool)
            if call is not None:
                step.tool, step.parent_event_id = call.tool, call.event_id
                step.target = step.target or call.target
                call.approval = "pending"
            self.asked[own] = self.asked[task_id] = step
        if (value := task.first("resume")) is not None:
            self._resume(said, task.text("id"), value)

    def _call_for(self, tool: str | None) -> Observation | None:
        """The one call that waits for its answer; of several the one whose tool is named."""
        waiting = [call for call in self.calls.values() if call.status == "pending"]
        if tool is not None:
            waiting = [call for call in waiting if call.tool == tool]
        return waiting[0] if len(waiting) == 1 else None

    def _resume(self, said: Snapshot, task_id: str | None, written: bytes) -> None:
        """A person's answer. LangGraph keeps the answers to one task as a list."""
        value = _VALUE.decode(written)
        for index, answer in enumerate(answers(value[0] if isinstance(value, list) and len(value) == 1 else value)):
            key = identify(_FORMAT, self.thread, "resume", task_id or said.checkpoint, index)
            if key in self.resumed:
                continue
            self.resumed.add(key)
            asked = self.asked.get(answer.interrupt_id or task_id or "")
            if asked is None and len({o.event_id for o in self.asked.values()}) == 1:
                asked = next(iter(self.asked.values()))
            decides = answer.approval != "not_recorded"
            step = self._step(said, key, "approval" if decides else "message", "__resume__", _ROOM - 2)
            step.approval, step.approver = (answer.approval, answer.approver) if decides else (None, None)
            step.status = STATUS.get(answer.approval, "unknown") if decides else "ok"
            step.result, step.tool = answer.said, answer.tool
            if asked is not None:
                step.parent_event_id, step.joins = asked.parent_event_id, asked.joins
                step.tool, step.arguments, step.target = asked.tool, asked.arguments, asked.target
            else:
                step.arguments = answer.said


def _unwrapped(message: Fields) -> Fields:
    """A message as it is: out of LangChain's serialiser, or out of `messages_to_dict`."""
    if "lc" in message and "kwargs" in message:
        inner = message.inside("kwargs")
        if "type" not in inner:
            names = [name for raw in message.list_of("id") if isinstance(name := _VALUE.decode(raw), str)]
            role = names[-1].removesuffix("Message").lower() if names else ""
            inner.raw["type"] = msgspec.Raw(as_text(role).encode())
        return inner
    if "data" in message and "content" not in message:
        inner = message.inside("data")
        if (kind := message.raw.get("type")) is not None:
            inner.raw.setdefault("type", kind)
        return inner
    return message


def _resume_writes(fields: Fields) -> list[tuple[str | None, bytes]]:
    """`__resume__` writes: (task, channel, value) in lists, or members of the checkpoint's `writes`."""
    found: list[tuple[str | None, bytes]] = []
    for holder in (fields, fields.inside("metadata")):
        direct = holder.inside("writes").first("__resume__")
        if direct is not None:
            found.append((None, direct))
        for raw in holder.list_of("pending_writes", "writes"):
            write = fields_in(raw)
            parts = Fields({"": msgspec.Raw(raw)}).list_of("")
            if write.text("channel") == "__resume__" and (value := write.first("value")) is not None:
                found.append((write.text("task_id"), value))
            elif len(parts) >= 3 and parts[1] == b'"__resume__"':
                task = _VALUE.decode(parts[0])
                found.append((task if isinstance(task, str) else None, parts[2]))
    return found
