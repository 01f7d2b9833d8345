"""OTLP/JSON as two agent frameworks write it: Strands (latest GenAI names) and Microsoft Agent Framework.

One `Trace` becomes one line per service. Spans stand in export order: a child before its parent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from random import Random
from typing import Any

from _calls import TOOLS, Call, Clock, Tool, spaced
from _cast import REGION, Agent, uuid

STRANDS = {"name": "strands.telemetry.tracer"}
BOTOCORE = {"name": "opentelemetry.instrumentation.botocore", "version": "0.66b1"}
HTTPX = {"name": "opentelemetry.instrumentation.httpx", "version": "0.66b1"}

CLIENT, INTERNAL = 3, 1


def attributes(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in values.items() if value is not None]


def _value(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case str():
            return {"stringValue": value}
        case _:
            return {"stringValue": spaced(value)}


class Trace:
    """One trace while it is written."""

    def __init__(self, rng: Random, at: datetime) -> None:
        self.rng, self.clock = rng, Clock(rng, at)
        self.trace_id = f"{rng.getrandbits(128) | 1:032x}"
        self.spans: list[tuple[Agent, Mapping[str, str], dict[str, Any]]] = []

    def span_id(self) -> str:
        return f"{self.rng.getrandbits(64) | 1:016x}"

    def write(
        self, agent: Agent, scope: Mapping[str, str], name: str, span_id: str, parent: str | None, start: int,
        values: Mapping[str, Any], *, kind: int = INTERNAL, error: str | None = None,
        events: Sequence[dict[str, Any]] = (),
    ) -> None:  # fmt: skip
        """A finished span: it ends now."""
        status: dict[str, Any] = {"code": 1} if scope is STRANDS else {}
        if error:
            status = {"code": 2, "message": error}
        span: dict[str, Any] = {
            "traceId": self.trace_id, "spanId": span_id, "flags": 256, "name": name, "kind": kind,
            "startTimeUnixNano": str(start), "endTimeUnixNano": str(self.clock.ns),
            "attributes": attributes(values), "status": status,
        }  # fmt: skip
        if parent:
            span["parentSpanId"] = parent
        if events:
            span["events"] = list(events)
        self.spans.append((agent, scope, span))

    def lines(self) -> list[dict[str, Any]]:
        """One line per service, in the order in which they exported first."""
        by_agent: dict[str, list[tuple[Mapping[str, str], dict[str, Any]]]] = {}
        agents = {agent.name: agent for agent, _, _ in self.spans}
        for agent, scope, span in self.spans:
            by_agent.setdefault(agent.name, []).append((scope, span))
        return [_line(agents[name], spans, self.clock.at) for name, spans in by_agent.items()]

    def infrastructure(self, agent: Agent, call: Call, parent: str) -> None:
        """The client span below a tool call: the request that left the machine."""
        tool, span_id, start = TOOLS[call.tool], self.span_id(), self.clock.wait(0.002, 0.02)
        self.clock.wait(0.05, 1.2)
        status = 503 if call.error else 200
        values: dict[str, Any] = {"server.address": tool.address, "server.port": 443}
        if tool.is_aws:
            values |= {
                "rpc.system": "aws-api", "rpc.service": tool.service, "rpc.method": tool.method,
                "aws.region": REGION, "aws.request_id": uuid(self.rng),
                "aws.auth.account.access_key": call.key or agent.key(self.clock.at),
            }  # fmt: skip
            scope, name = BOTOCORE, f"{tool.service}.{tool.method}"
        else:
            values |= {"http.request.method": tool.method, "url.full": _url(tool, call)}
            scope, name = HTTPX, tool.method
        values |= {"http.response.status_code": status, "error.type": str(status) if call.error else None}
        self.write(agent, scope, name, span_id, parent, start, values, kind=CLIENT, error=call.error)


def _url(tool: Tool, call: Call) -> str:
    what = "" if tool.method == "POST" else "/" + str(next(iter(call.arguments.values()), ""))
    return f"https://{tool.address}{tool.path}{what}"


def _line(agent: Agent, spans: list[tuple[Mapping[str, str], dict[str, Any]]], at: datetime) -> dict[str, Any]:
    resource = {
        "telemetry.sdk.language": "python", "telemetry.sdk.name": "opentelemetry",
        "telemetry.sdk.version": "1.45.1", "service.instance.id": uuid(Random(f"{agent.name}{at:%Y%W}")),
        "service.name": agent.service, "service.version": agent.version(at),
        "deployment.environment.name": "production", "host.name": agent.host,
    }  # fmt: skip
    scoped: dict[str, dict[str, Any]] = {}
    for scope, span in spans:
        scoped.setdefault(scope["name"], {"scope": dict(scope), "spans": []})["spans"].append(span)
    return {"resourceSpans": [{"resource": {"attributes": attributes(resource)}, "scopeSpans": [*scoped.values()]}]}


def schema_of(arguments: Mapping[str, Any]) -> dict[str, Any]:
    names = sorted(arguments)
    return {"properties": {name: {"type": "string"} for name in names}, "required": names, "type": "object"}


def strands(
    trace: Trace, agent: Agent, session: str, user: str, prompt: str, turns: Sequence[Sequence[Call]],
    answer: str, parent: str | None = None,
) -> None:  # fmt: skip
    """One Strands run: cycles of a chat and its tool calls, then the answer."""
    rng, clock = trace.rng, trace.clock
    common = {"gen_ai.provider.name": "strands-agents", "session.id": session, "user.id": user,
              "gen_ai.conversation.id": session}  # fmt: skip
    root, start = trace.span_id(), clock.wait(0.001, 0.01)
    tokens_in, tokens_out, total = rng.randrange(900, 1800), 0, [0, 0]

    def said(direction: str, role: str, parts: list[dict[str, Any]], **more: str) -> dict[str, Any]:
        message = [{"role": role, "parts": parts} | more]
        return {"timeUnixNano": str(clock.ns), "name": "gen_ai.client.inference.operation.details",
                "attributes": attributes({f"gen_ai.{direction}.messages": message})}  # fmt: skip

    asked = said("input", "user", [{"type": "text", "content": prompt}])
    for turn in [*turns, ()]:
        cycle, cycle_start = trace.span_id(), clock.wait(0.001, 0.01)
        chat, chat_start = trace.span_id(), clock.wait(0.001, 0.01)
        clock.wait(0.8, 6)
        ids = [f"tooluse_{rng.getrandbits(64):016x}" for _ in turn]
        parts: list[dict[str, Any]] = [
            {"type": "tool_call", "name": call.tool, "id": i, "arguments": dict(call.arguments)}
            for call, i in zip(turn, ids, strict=True)
        ] or [{"type": "text", "content": answer}]
        tokens_out = rng.randrange(40, 120) * (len(turn) or 3)
        total = [total[0] + tokens_in, total[1] + tokens_out]
        said_out = said("output", "assistant", parts, finish_reason="tool_use" if turn else "end_turn")
        used = {"gen_ai.usage.input_tokens": tokens_in, "gen_ai.usage.output_tokens": tokens_out,
                "gen_ai.usage.total_tokens": tokens_in + tokens_out}  # fmt: skip
        trace.write(agent, STRANDS, "chat", chat, cycle, chat_start, {
            "gen_ai.operation.name": "chat", **common, "gen_ai.request.model": agent.model, **used,
        }, events=[said_out])  # fmt: skip
        tokens_in += tokens_out + rng.randrange(150, 700) * len(turn)
        for call, call_id in zip(turn, ids, strict=True):
            _strands_tool(trace, agent, common, call, call_id, cycle)
        trace.write(agent, STRANDS, "execute_event_loop_cycle", cycle, root, cycle_start, {
            "gen_ai.operation.name": "execute_event_loop_cycle", **common, "event_loop.cycle_id": uuid(rng),
        })  # fmt: skip
    clock.wait(0.001, 0.01)
    said_out = said("output", "assistant", [{"type": "text", "content": answer}], finish_reason="end_turn")
    trace.write(agent, STRANDS, f"invoke_agent {agent.name}", root, parent, start, {
        "gen_ai.operation.name": "invoke_agent", **common, "gen_ai.agent.name": agent.name,
        "gen_ai.agent.version": agent.version(clock.at), "gen_ai.agent.tools": agent.tools(clock.at),
        "gen_ai.request.model": agent.model,
        "gen_ai.usage.input_tokens": total[0], "gen_ai.usage.output_tokens": total[1],
    }, events=[asked, said_out])  # fmt: skip


def _strands_tool(trace: Trace, agent: Agent, common: Mapping[str, Any], call: Call, call_id: str, parent: str) -> None:
    span_id, start = trace.span_id(), trace.clock.wait(0.002, 0.02)
    transfer = {}
    if call.delegate is not None:
        target = call.tool.removeprefix("transfer_to_").replace("_", "-")
        transfer = {"gen_ai.transfer.mode": "delegate", "gen_ai.transfer.target.name": target}
        call.delegate(span_id)
        description = f"Hand the task to {target}."
    else:
        trace.infrastructure(agent, call, span_id)
        description = TOOLS[call.tool].description
    trace.clock.wait(0.001, 0.01)
    events = []
    if call.error:
        error = {
            "exception.type": "ServiceUnavailable",
            "exception.message": call.error,
            "exception.escaped": "False",
        }
        events = [{"timeUnixNano": str(trace.clock.ns), "name": "exception", "attributes": attributes(error)}]
    trace.write(agent, STRANDS, f"execute_tool {call.tool}", span_id, parent, start, {
        "gen_ai.operation.name": "execute_tool", **common, "gen_ai.tool.name": call.tool,
        "gen_ai.tool.call.id": call_id, "gen_ai.tool.call.arguments": spaced(call.arguments),
        "gen_ai.tool.description": description, "gen_ai.tool.json_schema": schema_of(call.arguments),
        "gen_ai.tool.status": "error" if call.error else "success", **transfer,
        "gen_ai.tool.call.result": None if call.error else [{"text": spaced(call.result)}],
    }, error=call.error, events=events)  # fmt: skip
