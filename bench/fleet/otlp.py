"""OTLP/JSON as three frameworks write it: Strands, Microsoft Agent Framework, and OpenInference instrumentation.

One trace becomes one line for each service, a child span before its parent. Agent Framework has a place for
approvals: a run that asks ends with a `function_approval_request`, and the answer opens another run of the same
conversation, in a trace of its own. The others have none: with them only time passes.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any, Final

from bench.fleet.cast import Agent
from bench.fleet.clock import Clock, encode, text, uuid
from bench.fleet.cloudtrail import witness
from bench.fleet.shelf import Shelf
from bench.fleet.steps import Ask, Call, Hand, Note, Session
from bench.fleet.values import sentence

_SCOPES: Final = {
    "strands": {"name": "strands.telemetry.tracer"},
    "maf": {"name": "agent_framework", "version": "1.23.0"},
    "openinference": {"name": "openinference.instrumentation.langchain", "version": "0.1.60"},
}
_BOTOCORE: Final = {"name": "opentelemetry.instrumentation.botocore", "version": "0.66b1"}
_HTTPX: Final = {"name": "opentelemetry.instrumentation.httpx", "version": "0.66b1"}
_HOSTS: Final = ("api.corp.example", "soar.corp.example", "mcp.corp.example", "gateway.vendor.example")


def pairs(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in values.items() if value is not None]


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        return {"stringValue": value}
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    return {"stringValue": text(value)}


class _Trace:
    """One trace of one or several agents."""

    def __init__(self, rng: Random, clock: Clock) -> None:
        self.rng, self.clock = rng, clock
        self.id = f"{rng.getrandbits(128) | 1:032x}"
        self.lines: dict[str, tuple[Session, dict[str, tuple[Mapping[str, str], list[dict[str, Any]]]]]] = {}

    def span_id(self) -> str:
        return f"{self.rng.getrandbits(64) | 1:016x}"

    def add(
        self, session: Session, scope: Mapping[str, str], name: str, span: str, parent: str | None, start: int,
        values: Mapping[str, Any], kind: int = 1, error: str | None = None,
    ) -> None:  # fmt: skip
        """A finished span; it ends now."""
        skew = session.agent.skew_ns
        made: dict[str, Any] = {
            "traceId": self.id, "spanId": span, "flags": 256, "name": name, "kind": kind,
            "startTimeUnixNano": str(start + skew), "endTimeUnixNano": str(self.clock.ns + skew),
            "attributes": pairs(values), "status": {"code": 2, "message": error} if error else {},
        }  # fmt: skip
        if parent is not None:
            made["parentSpanId"] = parent
        _, scopes = self.lines.setdefault(session.agent.name, (session, {}))
        scopes.setdefault(scope["name"], (scope, []))[1].append(made)

    def shelve(self, shelf: Shelf) -> None:
        for session, scopes in self.lines.values():
            agent = session.agent
            resource = {
                "telemetry.sdk.language": "python", "telemetry.sdk.name": "opentelemetry",
                "service.name": agent.service, "service.version": session.version,
                "service.instance.id": uuid(Random(f"{agent.name}{session.version}")),
                "deployment.environment.name": "production", "host.name": agent.host,
            }  # fmt: skip
            groups = [{"scope": scope, "spans": spans} for scope, spans in scopes.values()]
            line = {"resourceSpans": [{"resource": {"attributes": pairs(resource)}, "scopeSpans": groups}]}
            shelf.line("otlp", self.clock.ns, encode(line), session.id)


def write(session: Session, shelf: Shelf) -> int:
    """Write a run and those that it handed over to; when it ended."""
    rng = Random(f"otlp/{session.id}")
    run = _Run(session, shelf, _Trace(rng, Clock(rng, session.at_ns)), None)
    run.write()
    return run.trace.clock.ns


class _Run:
    """One agent's run inside a trace."""

    def __init__(self, session: Session, shelf: Shelf, trace: _Trace, parent: str | None) -> None:
        self.session, self.shelf, self.trace, self.parent = session, shelf, trace, parent
        self.agent: Agent = session.agent
        self.scope = _SCOPES[self.agent.medium]
        self.ponder: float = shelf.settings.raw["texture"]["ponder"]
        self._begin([{"type": "text", "content": session.prompt}])

    def _begin(self, asked: list[dict[str, Any]]) -> None:
        self.root, self.start = self.trace.span_id(), self.trace.clock.wait(0.001, 0.01)
        self.asked: list[dict[str, Any]] = asked
        self.tokens = [0, 0]

    def write(self) -> None:
        clock, rng = self.trace.clock, self.trace.rng
        for step in self.session.steps:
            if isinstance(step, Ask):
                clock.wait(0.3, 3)
                self._ask(step)
                continue
            if isinstance(step, Call):
                if step.action and step.api is None and self.agent.medium == "cloudtrail":
                    continue
                clock.wait(step.wait, step.wait * 1.1)
            if rng.random() < self.ponder:
                self._chat(step.tool if isinstance(step, Call) else "transfer_to_agent")
            if isinstance(step, Call):
                self._call(step)
            else:
                self._hand(step)
        self._chat(None)
        self._end("crashed: out of memory" if self.session.crashed else None)

    def _end(self, error: str | None = None, output: list[dict[str, Any]] | None = None) -> None:
        agent, session = self.agent, self.session
        said = output or [{"type": "text", "content": sentence(self.trace.rng)}]
        self.trace.clock.wait(0.001, 0.01)
        if agent.medium == "openinference":
            values: dict[str, Any] = {
                "openinference.span.kind": "AGENT", "agent.name": agent.name, "session.id": session.id,
                "user.id": session.human, "input.value": text(self.asked), "output.value": text(said),
                "metadata": text({"version": session.version}),
            }  # fmt: skip
        else:
            values = {
                "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": agent.name,
                "gen_ai.agent.version": session.version, "gen_ai.conversation.id": session.id,
                "session.id": session.id if agent.medium == "strands" else None, "user.id": session.human,
                "gen_ai.provider.name": "strands-agents" if agent.medium == "strands" else "microsoft.agent_framework",
                "gen_ai.request.model": agent.model,
                "gen_ai.usage.input_tokens": self.tokens[0], "gen_ai.usage.output_tokens": self.tokens[1],
                "gen_ai.input.messages": [{"role": "user", "parts": self.asked}],
                "gen_ai.output.messages": [{"role": "assistant", "parts": said}],
            }  # fmt: skip
        name = f"invoke_agent {agent.name}"
        self.trace.add(session, self.scope, name, self.root, self.parent, self.start, values, error=error)
        if self.parent is None:
            self.trace.shelve(self.shelf)

    def _chat(self, tool: str | None) -> None:
        rng, clock, agent = self.trace.rng, self.trace.clock, self.agent
        span, start = self.trace.span_id(), clock.wait(0.001, 0.02)
        clock.wait(0.6, 4)
        used = rng.randrange(600, 4000), rng.randrange(30, 300)
        self.tokens[0] += used[0]
        self.tokens[1] += used[1]
        part = {"type": "tool_call", "name": tool} if tool else {"type": "text", "content": sentence(rng)}
        if agent.medium == "openinference":
            values: dict[str, Any] = {
                "openinference.span.kind": "LLM", "llm.model_name": agent.model, "session.id": self.session.id,
                "llm.token_count.prompt": used[0], "llm.token_count.completion": used[1],
                "output.value": text([part]),
            }  # fmt: skip
        else:
            values = {
                "gen_ai.operation.name": "chat", "gen_ai.request.model": agent.model,
                "gen_ai.usage.input_tokens": used[0], "gen_ai.usage.output_tokens": used[1],
                "gen_ai.output.messages": [{"role": "assistant", "parts": [part]}],
            }  # fmt: skip
        self.trace.add(self.session, self.scope, f"chat {agent.model}", span, self.root, start, values)

    def _call(self, call: Call) -> None:
        rng, clock = self.trace.rng, self.trace.clock
        span, start = self.trace.span_id(), clock.wait(0.002, 0.02)
        self._below(call, span)
        arguments = text(call.arguments)
        result = None if call.error else text(call.result)
        strands_status = ("error" if call.error else "success") if self.agent.medium == "strands" else None
        if self.agent.medium == "openinference":
            values: dict[str, Any] = {
                "openinference.span.kind": "TOOL", "tool.name": call.tool, "input.value": arguments,
                "output.value": result, "session.id": self.session.id, "input.mime_type": "application/json",
            }  # fmt: skip
        else:
            values = {
                "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": call.tool, "gen_ai.tool.type": "function",
                "gen_ai.tool.call.id": f"call_{rng.getrandbits(64):016x}", "gen_ai.tool.call.arguments": arguments,
                "gen_ai.tool.call.result": result,
                "gen_ai.tool.status": strands_status,
                "http.response.status_code": 403 if call.denied else None,
                "error.type": "ToolError" if call.error else None,
            }  # fmt: skip
        self.trace.add(
            self.session, self.scope, f"execute_tool {call.tool}", span, self.root, start, values, error=call.error
        )
        if call.told:
            self._note(span, start)

    def _note(self, span: str, start: int) -> None:
        chain = self.session.chain
        if chain is not None:
            event = {"source": "otlp", "trace_id": self.trace.id, "span_id": span}
            chain.notes.append(Note(self.session.id, self.agent.name, start + self.agent.skew_ns, event))

    def _below(self, call: Call, parent: str) -> None:
        """The request that left the machine, each attempt of it; and what AWS recorded of it."""
        rng, clock = self.trace.rng, self.trace.clock
        for attempt in range(call.attempts):
            failed = call.error or ("throttled" if attempt < call.attempts - 1 else None)
            span, start = self.trace.span_id(), clock.wait(0.002, 0.02)
            clock.wait(call.seconds * 0.9, call.seconds)
            code = (403 if call.denied else 503) if failed else 200
            if call.api is not None:
                request_id, (service, method) = uuid(rng), call.api.split(":")
                values: dict[str, Any] = {
                    "rpc.system": "aws-api", "rpc.service": service, "rpc.method": method, "aws.request_id": request_id,
                    "aws.auth.account.access_key": call.identity.key if call.identity else None,
                    "server.address": f"{service}.eu-west-1.amazonaws.com", "http.response.status_code": code,
                }  # fmt: skip
                scope, name = _BOTOCORE, f"{service}.{method}"
                if attempt == call.attempts - 1:
                    witness(self.session, call, start, rng, request_id, self.shelf)
            elif rng.random() < 0.3:
                address = _HOSTS[hash_of(call.tool) % len(_HOSTS)]
                values = {
                    "http.request.method": "POST", "url.full": f"https://{address}/{call.tool}",
                    "server.address": address, "http.response.status_code": code,
                }  # fmt: skip
                scope, name = _HTTPX, "POST"
            else:
                continue
            self.trace.add(self.session, scope, name, span, parent, start, values, kind=3, error=failed)

    def _hand(self, hand: Hand) -> None:
        span, start = self.trace.span_id(), self.trace.clock.wait(0.002, 0.02)
        child = hand.to
        to = child.agent.name
        if child.agent.medium not in _SCOPES:
            child.at_ns = self.trace.clock.wait(0.5, 3)
        else:
            child.id = self.session.id
            if child.chain is None:
                child.chain = self.session.chain
            _Run(child, self.shelf, self.trace, span).write()
        values: dict[str, Any] = {
            "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": f"transfer_to_{to}",
            "gen_ai.tool.call.arguments": text(hand.task), "gen_ai.transfer.mode": "delegate",
            "gen_ai.transfer.target.name": to, "session.id": self.session.id,
        }  # fmt: skip
        if self.agent.medium == "openinference":
            values["openinference.span.kind"] = "TOOL"
        self.trace.add(self.session, self.scope, f"execute_tool transfer_to_{to}", span, self.root, start, values)
        if hand.told:
            self._note(span, start)

    def _ask(self, ask: Ask) -> None:
        """Agent Framework ends the run with the question and opens another with the answer."""
        clock, rng = self.trace.clock, self.trace.rng
        if self.agent.medium != "maf":
            clock.wait(ask.seconds, ask.seconds * 1.02)
            return
        content = f"af-call-{rng.getrandbits(96):024x}"
        function_call = {
            "type": "function_call", "call_id": f"call_{rng.getrandbits(64):016x}", "name": ask.tool,
            "arguments": text(ask.arguments), "id": content,
        }  # fmt: skip
        part = {"type": "function_approval_request", "function_call": function_call, "id": content}
        self._end(output=[part])
        clock.wait(ask.seconds, ask.seconds * 1.02)
        if self.parent is None:
            self.trace = _Trace(rng, clock)
        response: list[dict[str, Any]] = []
        if not ask.silent:
            properties = {"approved_by": ask.by} | ({"ticket": ask.ticket} if ask.ticket else {})
            response = [
                {
                    "type": "function_approval_response", "approved": ask.verdict == "approved", "id": content,
                    "function_call": function_call, "additional_properties": properties,
                }
            ]  # fmt: skip
        self._begin(response or [{"type": "text", "content": "no answer, close the run"}])


def hash_of(name: str) -> int:
    return sum(name.encode())
