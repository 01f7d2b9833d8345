"""One Claude Code file -> observations: messages, model calls over several lines, tool calls with their results."""

from __future__ import annotations

from typing import Final

from ingest.arguments import named_in
from ingest.event import Kind, Observation, Rejected, identify
from ingest.joins import joined_by
from ingest.payloads import as_text, count, text
from ingest.readers._chat_values import content_of
from ingest.readers._claude_code_words import HANDOFF_TOOLS, allowed_by_mode, hook_decision, taken_over_by, verdict
from ingest.readers._members import Members, at_path, beside_models, fingerprint, objects, part, texts_of
from ingest.records import Record
from ingest.times import nanoseconds

MAIN_AGENT: Final = "claude-code"


class Session:
    """A file while it is read."""

    def __init__(self) -> None:
        self.out: list[Observation | Rejected] = []
        self.calls: dict[str, Observation] = {}
        self.turns: dict[str, tuple[Observation, list[object], list[object]]] = {}
        self.event_of_line: dict[str, str] = {}
        self.above_turn: dict[str, str | None] = {}
        self.mode_of_line: dict[str, str] = {}
        self.mode: str | None = None
        self.homeless: list[Observation] = []
        self.sessions: set[str] = set()
        self.number = 0

    def add(self, record: Record, line: Members) -> None:
        """Take one line."""
        said, kind = part(line, "message"), text(line.get("type"))
        mode = text(line.get("permissionMode")) or self.mode_of_line.get(str(line.get("parentUuid")))
        uuid = text(line.get("uuid"))
        if uuid and mode:
            self.mode_of_line[uuid] = mode
        if kind in ("system", "permission-mode") and mode and not uuid:
            self.mode = mode
        if "session_id" in line and kind == "system" and mode:
            self.mode = mode
        if kind == "assistant" and said:
            event = self._assistant(record, line, said, mode or self.mode)
        elif kind == "user" and said:
            event = self._user(record, line, said)
        else:
            event = self._aside(record, line, kind or "line")
        if uuid:
            self.event_of_line[uuid] = event.event_id

    def finish(self) -> list[Observation | Rejected]:
        """All observations; lines without a session belong to the file's only one."""
        for turn, texts, calls in self.turns.values():
            spoken = texts[0] if len(texts) == 1 else "\n".join(str(t) for t in texts) or None
            turn.result = as_text({"content": spoken, "tool_calls": calls}) if calls else content_of(spoken)
        for event in self.homeless:
            event.trace_id = next(iter(self.sessions)) if len(self.sessions) == 1 else event.trace_id
            event.session_id = event.trace_id if event.trace_id in self.sessions else None
        return self.out

    def _step(
        self, record: Record, line: Members, kind: Kind, operation: str, identity: tuple[str, ...]
    ) -> Observation:
        origin = part(line, "forkedFrom")
        session = text(origin.get("sessionId")) or text(line.get("sessionId")) or text(line.get("session_id"))
        agent = text(line.get("agentId"))
        step = Observation(
            event_id=identify("claude_code", session, *identity),
            trace_id=session or identify("claude_code", fingerprint(line)),
            kind=kind,
            operation=operation,
            session_id=session,
            agent_id=text(line.get("agentName")) or (None if agent or line.get("isSidechain") is True else MAIN_AGENT),
            agent_version=text(line.get("version")) or text(line.get("claude_code_version")),
            service=MAIN_AGENT,
            parent_event_id=self._parent(line, session, agent),
            started_at=nanoseconds(text(line.get("timestamp"))),
            status="ok",
            source=record.source,
            source_sha256=record.sha256,
            witness="message",
        )
        if "session_id" in line and "timestamp" not in line:
            step.sequence = self.number
            self.number += 1
        if session is None:
            self.homeless.append(step)
        else:
            self.sessions.add(session)
        self.out.append(step)
        return step

    def _parent(self, line: Members, session: str | None, agent: str | None) -> str | None:
        """The step before in the tree; a subagent's first line stands below the call that started it."""
        above = text(line.get("parentUuid")) or text(line.get("logicalParentUuid"))
        if above is not None:
            return self.event_of_line.get(above) or identify("claude_code", session, "line", above)
        caller = text(line.get("parent_tool_use_id"))
        if caller is not None:
            return identify("claude_code", session, "tool", caller)
        return identify("claude_code", session, "agent", agent) if agent else None

    def _line_identity(self, line: Members) -> tuple[str, str]:
        own = text(at_path(line, "forkedFrom", "messageUuid")) or text(line.get("uuid"))
        return ("line", own) if own else ("content", fingerprint(line))

    def _assistant(self, record: Record, line: Members, said: Members, mode: str | None) -> Observation:
        message = text(said.get("id"))
        identity = ("message", message) if message else self._line_identity(line)
        key = identify(text(line.get("sessionId")) or text(line.get("session_id")), *identity)
        if key in self.turns:
            turn, texts, calls = self.turns[key]
            turn.records += 1
            turn.ended_at = nanoseconds(text(line.get("timestamp"))) or turn.ended_at
        else:
            turn = self._step(record, line, "model_call", "assistant", identity)
            turn.parent_event_id = beside_models(turn, self.above_turn)
            texts, calls = [], []
            self.turns[key] = turn, texts, calls
        turn.model = text(said.get("model")) or turn.model
        usage = part(said, "usage")
        turn.input_tokens = _larger(turn.input_tokens, count(usage.get("input_tokens")))
        turn.output_tokens = _larger(turn.output_tokens, count(usage.get("output_tokens")))
        content = said.get("content")
        if isinstance(content, str):
            texts.append(content)
        for block in objects(content):
            kind = block.get("type")
            if kind in ("tool_use", "server_tool_use", "mcp_tool_use"):
                calls.append({"name": block.get("name"), "arguments": block.get("input")})
                self._call(record, line, block, turn, mode)
            elif kind in ("tool_result", "mcp_tool_result", "web_search_tool_result"):
                self._result(record, line, block, records=0)
            elif (spoken := text(block.get("text")) or text(block.get("thinking"))) is not None:
                texts.append(spoken)
            elif kind == "redacted_thinking":
                turn.gap = "thinking encrypted"
        if line.get("isApiErrorMessage") is True or line.get("error"):
            turn.status, turn.error = "error", texts_of(content) or as_text(line.get("error"))
        return turn

    def _call(self, record: Record, line: Members, block: Members, turn: Observation, mode: str | None) -> None:
        name, number = text(block.get("name")), text(block.get("id"))
        if number is not None and number in self.calls and self.calls[number].tool is not None:
            return
        handed = name in HANDOFF_TOOLS
        identity = ("tool", number) if number else ("tool", fingerprint(block), turn.event_id)
        call = self._open(record, line, number, identity, "handoff" if handed else "tool_call")
        call.parent_event_id, call.agent_id = turn.event_id, turn.agent_id
        call.tool, call.arguments = name, as_text(block.get("input")) if "input" in block else None
        call.status = "pending" if call.status == "unknown" else call.status
        call.error = None if name else "the call names no tool"
        named = named_in(call.arguments)
        call.target, call.credential_id, call.principal = named.target, named.credential_id, named.principal
        call.on_behalf_of = named.on_behalf_of
        if handed:
            call.target, call.approval = taken_over_by(block.get("input")) or call.target, None
        elif call.approval == "not_recorded" and allowed_by_mode(mode, name):
            call.approval = "automatic"

    def _open(
        self, record: Record, line: Members, number: str | None, identity: tuple[str, ...], kind: Kind
    ) -> Observation:
        call = self._step(record, line, kind, "tool_use", identity)
        call.records, call.status = 0, "unknown"
        call.approval = "not_recorded" if kind == "tool_call" else None
        if number is not None:
            self.calls[number] = call
            call.joins = joined_by(call=number)
        return call

    def _user(self, record: Record, line: Members, said: Members) -> Observation:
        content = said.get("content")
        results = [b for b in objects(content) if b.get("type") == "tool_result"]
        if not results:
            step = self._step(
                record, line, "message", "meta" if line.get("isMeta") is True else "user", self._line_identity(line)
            )
            step.arguments = content_of(content)
            return step
        calls = [self._result(record, line, block, records=int(n == 0)) for n, block in enumerate(results)]
        return calls[-1]

    def _result(self, record: Record, line: Members, block: Members, *, records: int) -> Observation:
        """A tool's result joins its call; where the call stands in another file, the store joins them."""
        number = text(block.get("tool_use_id"))
        call = self.calls.get(number or "")
        answered_at = nanoseconds(text(line.get("timestamp")))
        if call is None:
            identity = ("tool", number) if number else self._line_identity(line)
            call = self._open(record, line, number, identity, "tool_call")
            call.gap, call.started_at = "the call itself is not in this file", None
        call.records += records
        content = block.get("content")
        call.result = content_of(content)
        call.ended_at = answered_at or call.ended_at
        said = texts_of(content)
        failed = block.get("is_error") is True
        call.status = "error" if failed else "ok"
        call.error = said if failed else None
        if said is not None and said.startswith("<persisted-output>"):
            call.gap = "result kept outside the transcript"
        decided, by = verdict(said, is_error=failed)
        if decided is not None:
            call.approval = decided if call.kind == "tool_call" else None
            call.status = "denied" if decided == "denied" else call.status
            self._approval(record, line, call, ("decision", number or call.event_id)).approver = by
        self._subagent(record, line, call)
        return call

    def _approval(self, record: Record, line: Members, call: Observation, identity: tuple[str, str]) -> Observation:
        step = self._step(record, line, "approval", "permission", identity)
        step.records, step.parent_event_id, step.agent_id = 0, call.event_id, call.agent_id
        step.tool, step.target, step.arguments, step.approval = call.tool, call.target, call.arguments, call.approval
        step.approval = "denied" if call.status == "denied" else (call.approval or "approved")
        step.status = "denied" if step.approval == "denied" else "ok"
        return step

    def _subagent(self, record: Record, line: Members, call: Observation) -> None:
        """The result of a hand-over tells which file's steps were the subagent's."""
        agent = text(at_path(line, "toolUseResult", "agentId"))
        if agent is None or call.kind != "handoff":
            return
        step = self._step(record, line, "lifecycle", "subagent", ("agent", agent))
        step.records, step.parent_event_id, step.agent_id = 0, call.event_id, call.target
        step.started_at, step.ended_at, step.sequence = call.started_at, call.ended_at, None

    def _aside(self, record: Record, line: Members, kind: str) -> Observation:
        """Everything that is no message: progress of a call is part of it, the rest is the session's life."""
        call = self.calls.get(str(line.get("parentToolUseID") or line.get("toolUseID")))
        if kind == "progress" and call is not None:
            call.records += 1
            return call
        decided_on, decision = hook_decision(part(line, "attachment"))
        if decision is not None:
            call = self.calls.get(decided_on or "")
            step = self._step(record, line, "approval", "hook_permission_decision", self._line_identity(line))
            step.approval, step.approver = decision, "policy: hook"
            step.status = "denied" if decision == "denied" else "ok"
            if call is not None:
                step.parent_event_id, step.tool, step.target = call.event_id, call.tool, call.target
                step.arguments, call.approval = call.arguments, decision
            return step
        operation = text(line.get("subtype")) or kind
        step = self._step(record, line, "lifecycle", operation, self._line_identity(line))
        if line.get("is_error") is True or line.get("level") == "error":
            step.status, step.error = "error", text(line.get("content")) or text(line.get("result"))
        return step


def _larger(known: int | None, told: int | None) -> int | None:
    """Usage is repeated on every line of a message; while it streams, the number of tokens grows."""
    return told if known is None else max(known, told or 0)
