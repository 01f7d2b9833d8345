"""One events.jsonl -> observations."""

from __future__ import annotations

from typing import Final

from ingest.arguments import named_in
from ingest.event import Approval, Kind, Observation, Rejected, identify
from ingest.joins import joined_by
from ingest.payloads import as_text, count, payload, text
from ingest.readers._chat_values import content_of
from ingest.readers._members import Members, at_path, beside_models, fingerprint, objects, part
from ingest.records import Record
from ingest.times import nanoseconds

AGENT: Final = "copilot-cli"
_ERRORS: Final = {"session.error", "abort", "subagent.failed"}


def decided(kind: str | None) -> tuple[Approval, str | None]:
    """(approval, the policy that decided) of a permission result's kind."""
    if kind is None:
        return "pending", None
    if kind.startswith("approved"):
        return "approved", None
    if kind == "denied-interactively-by-user":
        return "denied", None
    if kind.startswith(("denied", "cancelled", "rejected", "reject")):
        return "denied", None if "user" in kind and "could-not" not in kind else f"policy: {kind}"
    return ("automatic", f"policy: {kind}") if kind.startswith("auto") else ("pending", None)


class Session:
    """A file while it is read."""

    def __init__(self) -> None:
        self.out: list[Observation | Rejected] = []
        self.steps: list[tuple[Observation, tuple[str, ...]]] = []
        self.session: str | None = None
        self.agent = AGENT
        self.version: str | None = None
        self.model: str | None = None
        self.calls: dict[str, Observation] = {}
        self.requests: dict[str, Observation] = {}
        self.agents: dict[str, str] = {}
        self.step_of: dict[str, Observation] = {}
        self.parents: dict[int, str] = {}
        self.last_turn: Observation | None = None

    def add(self, record: Record, event: Members) -> None:
        """Take one line."""
        kind, data = text(event.get("type")) or "event", part(event, "data")
        if kind in ("session.start", "session.resume"):
            self.session = self.session or text(data.get("sessionId"))
            self.version = text(data.get("copilotVersion")) or self.version
            self.model = text(data.get("selectedModel")) or self.model
        elif kind == "session.model_change":
            self.model = text(data.get("newModel")) or self.model
        elif kind == "subagent.selected":
            self.agent = text(data.get("agentName")) or self.agent
        elif kind == "subagent.deselected":
            self.agent = AGENT
        step = self._of(record, event, kind, data)
        own = text(event.get("id"))
        if own is not None:
            self.step_of[own] = step

    def finish(self) -> list[Observation | Rejected]:
        """All observations, named by the session, which the file may tell late."""
        trace = self.session
        if trace is None and self.steps:
            trace = identify("copilot_cli", *self.steps[0][1])
        for step, identity in self.steps:
            step.event_id = identify("copilot_cli", trace, *identity)
            step.trace_id = step.session_id = trace or step.event_id
        above: dict[str, str | None] = {}
        for step, _ in self.steps:
            if step.parent_event_id is None:
                parent = self.step_of.get(self.parents.get(id(step), ""))
                step.parent_event_id = parent.event_id if parent is not None and parent is not step else None
            else:
                step.parent_event_id = identify("copilot_cli", trace, *step.parent_event_id.split("\x1f"))
            if step.kind == "model_call":
                step.parent_event_id = beside_models(step, above)
        return self.out

    def _of(self, record: Record, event: Members, kind: str, data: Members) -> Observation:
        if kind == "user.message":
            step = self._step(record, event, "message", kind)
            step.arguments = content_of(data.get("content"))
            return step
        if kind in ("assistant.message", "assistant.reasoning"):
            return self._said(record, event, kind, data)
        if kind == "assistant.usage":
            return self._usage(record, event, data)
        if kind.startswith(("tool.execution", "tool.user_requested", "external_tool")) and text(data.get("toolCallId")):
            return self._tool(record, event, kind, data)
        if kind.startswith("permission."):
            return self._permission(record, event, kind, data)
        if kind.startswith("subagent.") and text(data.get("toolCallId")) is not None:
            return self._subagent(record, event, kind, data)
        step = self._step(record, event, "lifecycle", kind)
        if kind in _ERRORS:
            step.status, step.error = "error", text(data.get("message")) or text(data.get("reason"))
        if kind == "session.truncation":
            step.gap = "earlier messages cut from the model's context"
        return step

    def _step(self, record: Record, event: Members, kind: Kind, operation: str, *identity: str) -> Observation:
        data = part(event, "data")
        caller = text(data.get("parentToolCallId"))
        step = Observation(
            event_id="",
            trace_id="",
            kind=kind,
            operation=operation,
            agent_id=self.agents.get(caller or "") or text(data.get("agentName")) or self.agent,
            agent_version=self.version,
            service=AGENT,
            started_at=nanoseconds(text(event.get("timestamp"))),
            status="ok",
            source=record.source,
            source_sha256=record.sha256,
            witness="message",
        )
        own = text(event.get("id"))
        self.steps.append((step, identity or (("event", own) if own else ("content", fingerprint(event)))))
        self.parents[id(step)] = str(event.get("parentId"))
        if caller is not None and caller in self.agents:
            step.parent_event_id = f"call\x1f{caller}"
        self.out.append(step)
        return step

    def _said(self, record: Record, event: Members, kind: str, data: Members) -> Observation:
        if kind == "assistant.reasoning":
            step = self._step(record, event, "lifecycle", kind)
            step.result = content_of(data.get("content"))
            return step
        step = self._step(record, event, "model_call", kind)
        step.model = text(data.get("model")) or self.model
        step.output_tokens = count(data.get("outputTokens"))
        self.last_turn = step
        requests = objects(data.get("toolRequests"))
        asked = [{"name": r.get("name"), "arguments": r.get("arguments")} for r in requests]
        content = data.get("content")
        step.result = as_text({"content": content, "tool_calls": asked}) if asked else content_of(content)
        for request in requests:
            number = text(request.get("toolCallId"))
            if number is None:
                continue
            call = self._call(record, event, number)
            call.tool = call.tool or text(request.get("name"))
            self._arguments(call, request)
        return step

    def _call(self, record: Record, event: Members, number: str) -> Observation:
        call = self.calls.get(number)
        if call is None:
            call = self.calls[number] = self._step(record, event, "tool_call", "tool.execution", "call", number)
            call.records, call.status, call.approval = 0, "pending", "not_recorded"
            call.joins = joined_by(call=number)
            # Below the message that asks for it, which is the line itself where a message asks.
            if event.get("type") == "assistant.message":
                self.parents[id(call)] = str(event.get("id"))
        return call

    def _arguments(self, call: Observation, data: Members) -> None:
        if call.arguments is None and "arguments" in data:
            call.arguments = payload(data["arguments"])
            named = named_in(call.arguments)
            call.target, call.credential_id, call.principal = named.target, named.credential_id, named.principal
            call.on_behalf_of = named.on_behalf_of

    def _tool(self, record: Record, event: Members, kind: str, data: Members) -> Observation:
        call = self._call(record, event, str(data["toolCallId"]))
        call.records += 1
        server, tool = text(data.get("mcpServerName")), text(data.get("mcpToolName"))
        call.tool = call.tool or text(data.get("toolName")) or (f"{server}-{tool}" if server and tool else tool)
        self._arguments(call, data)
        at = nanoseconds(text(event.get("timestamp")))
        if kind == "tool.execution_start":
            call.started_at = at or call.started_at
        if kind != "tool.execution_complete":
            return call
        call.ended_at = at
        call.result = payload(at_path(data, "result", "content") or data.get("result"))
        call.status = "ok" if data.get("success") is not False else "error"
        if call.status == "error":
            code = text(at_path(data, "error", "code"))
            call.error = text(at_path(data, "error", "message")) or text(data.get("error")) or code or "failed"
            if code in ("rejected", "denied") or call.approval == "denied":
                call.status = "denied"
                call.approval = "denied" if call.kind == "tool_call" else None
        return call

    def _usage(self, record: Record, event: Members, data: Members) -> Observation:
        """Tokens belong to the message before; a call of the model without one is a step of its own."""
        step = self.last_turn
        if step is None or step.input_tokens is not None:
            step = self._step(record, event, "model_call", "assistant.usage")
        else:
            step.records += 1
        step.model = text(data.get("model")) or step.model
        step.input_tokens, spoken = count(data.get("inputTokens")), count(data.get("outputTokens"))
        step.output_tokens = spoken if spoken is not None else step.output_tokens
        return step

    def _permission(self, record: Record, event: Members, kind: str, data: Members) -> Observation:
        request = part(data, "permissionRequest") or part(data, "promptRequest")
        number, asked = text(data.get("requestId")), text(request.get("toolCallId")) or text(data.get("toolCallId"))
        step = self.requests.get(number or "")
        if step is None:
            identity = ("permission", number) if number else ()
            step = self._step(record, event, "approval", "permission", *identity)
            step.approval, step.status, step.records = "pending", "pending", 0
            if number is not None:
                self.requests[number] = step
        step.records += 1
        call = self.calls.get(asked or "")
        if asked is not None:
            step.parent_event_id = f"call\x1f{asked}"
        if call is not None and step.tool is None:
            step.tool, step.target, step.arguments = call.tool, call.target, call.arguments
        if step.arguments is None and request:
            step.arguments = as_text(request)
            step.target = named_in(step.arguments).target
            step.tool = step.tool or text(request.get("toolName")) or text(request.get("kind"))
        if kind == "permission.completed":
            step.ended_at = nanoseconds(text(event.get("timestamp")))
            step.approval, step.approver = decided(text(at_path(data, "result", "kind")) or text(data.get("result")))
            if data.get("resolvedByHook") is True:
                step.approver = "policy: hook"
                step.approval = "automatic" if step.approval == "approved" else step.approval
            step.status = "denied" if step.approval == "denied" else "ok" if step.approval != "pending" else "pending"
            if call is None and step.parent_event_id is not None:
                call = self.calls.get(step.parent_event_id.split("\x1f")[-1])
            if call is not None and call.kind == "tool_call" and step.approval != "pending":
                call.approval = step.approval
                call.status = "denied" if step.approval == "denied" else call.status
        return step

    def _subagent(self, record: Record, event: Members, kind: str, data: Members) -> Observation:
        """The call that starts a subagent is a hand-over to it."""
        number = str(data["toolCallId"])
        name = text(data.get("agentName")) or text(data.get("agentDisplayName"))
        call = self._call(record, event, number)
        call.records += 1
        call.kind, call.approval = "handoff", None
        if name is not None:
            self.agents[number] = call.target = name
            call.agent_id = self.agent if call.agent_id == name else call.agent_id
        if kind == "subagent.failed":
            call.status, call.error = "error", text(data.get("error")) or "failed"
        return call
