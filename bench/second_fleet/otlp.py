"""Sessions as OTLP/JSON: one line a trace, in three generations of the GenAI names.

Agents of the form `maf` record approvals as Agent Framework does: a run that stops with a request, and a run of its
own that begins with the answer. Agents of the form `otlp` record none, whatever people said to them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any

from bench.second_fleet.cast import shown_name
from bench.second_fleet.ledger import Ledger
from bench.second_fleet.model import Agent, Session, Step, hexes
from bench.second_fleet.settings import SECOND_NS

_MS = 1_000_000


def traces(session: Session, ledger: Ledger) -> Iterator[str]:
    """The lines of one session."""
    yield from _Writer(session, ledger).lines()


class _Writer:
    def __init__(self, session: Session, ledger: Ledger) -> None:
        self.session, self.ledger = session, ledger
        self.rng = Random(f"otlp/{session.id}/{session.start_ns}")
        self.turn = 0
        self.trace = ""
        self.answered: tuple[Step, str] | None = None
        """The call that was agreed to, which the next run begins with."""
        self.answer_of = ""
        """The chain that the answer given before the next run belongs to."""
        self.spans: list[tuple[Agent, str, dict[str, Any]]] = []

    def lines(self) -> Iterator[str]:
        given: list[dict[str, Any]] = [{"type": "text", "content": self.session.asked}]
        at = self.session.start_ns
        for part in _turns(self.session):
            last = part[-1] if part else None
            pending = last if last is not None and last.approval is not None and self.records_approvals else None
            calls = part[:-1] if pending is not None else part
            self._begin()
            call_id = f"call_{hexes(f'{self.session.id}/{self.turn}/{at}', 20)}"
            asked = [_request(pending, call_id, self.session.agent)] if pending is not None else None
            stops = pending.at_ns - int(pending.approval.wait_s * SECOND_NS) if pending and pending.approval else 0
            ends = stops or self.session.end_ns
            self._run(self.session, calls, at, ends, given, asked, "")
            yield self._line()
            if pending is not None and pending.approval is not None:
                given = [_answer(pending, call_id, self.session.agent)]
                at = pending.at_ns - 40 * _MS
                self.answered = (pending, call_id) if pending.approval.is_yes else None
                self.answer_of = pending.chain

    @property
    def records_approvals(self) -> bool:
        return self.session.agent.form == "maf"

    def _begin(self) -> None:
        self.turn += 1
        self.trace = hexes(f"{self.session.id}/{self.session.start_ns}/{self.turn}", 32)
        self.spans = []

    def _span(
        self, agent: Agent, name: str, kind: int, start: int, end: int, said: dict[str, Any], parent: str,
        error: str = "",
    ) -> str:  # fmt: skip
        identity = hexes(f"{self.trace}/{len(self.spans)}", 16)
        span: dict[str, Any] = {"traceId": self.trace, "spanId": identity, "name": name, "kind": kind}
        if parent:
            span["parentSpanId"] = parent
        if error:
            said["error.type"] = "tool_error" if name.startswith("execute_tool") else "error"
        span |= {
            "startTimeUnixNano": str(start),
            "endTimeUnixNano": str(max(end, start + _MS)),
            "attributes": [{"key": key, "value": _value(value)} for key, value in said.items()],
            "status": {"code": 2, "message": error} if error else {},
        }
        self.spans.append((agent, agent.version(self.session.day), span))
        return identity

    def _run(
        self, session: Session, steps: list[Step], start: int, end: int, given: list[dict[str, Any]] | None,
        asked: list[dict[str, Any]] | None, parent: str,
    ) -> None:  # fmt: skip
        agent = session.agent
        said: dict[str, Any] = {"gen_ai.operation.name": "invoke_agent", **self._who(agent)}
        if session.human:
            said["user.id" if agent.number % 3 else "enduser.id"] = session.human
        must = agent.form == "maf"
        if given and (agent.shows_content or must):
            said["gen_ai.input.messages"] = json.dumps([{"role": "user", "parts": given}])
        if asked is not None:
            said["gen_ai.output.messages"] = json.dumps([{"role": "assistant", "parts": asked}])
        elif agent.shows_content:
            done = [{"type": "text", "content": session.answer}]
            said["gen_ai.output.messages"] = json.dumps([{"role": "assistant", "parts": done}])
        run = self._span(agent, f"invoke_agent {agent.name}", 1, start, end, said, parent)
        if self.answer_of and not parent:
            self._note(self.answer_of, agent, run, start)
            self.answer_of = ""
        if session.chain and not parent:
            self._note(session.chain, agent, run, start)
        if self.answered is not None and not parent:
            step, call_id = self.answered
            self._call(session, step, run, call_id)
            self.answered = None
        before = start
        for step in steps:
            self._chat(agent, before, step.at_ns, run)
            self._call(session, step, run, f"call_{hexes(f'{self.trace}/{len(self.spans)}', 20)}")
            before = step.at_ns + int(step.took_s * SECOND_NS)
        self._chat(agent, before, end, run)

    def _chat(self, agent: Agent, start: int, end: int, run: str) -> None:
        old = agent.number % 4 == 1
        tokens = self.rng.randrange(600, 9000)
        said = {
            "gen_ai.operation.name": "chat",
            "gen_ai.system" if old else "gen_ai.provider.name": agent.model.split("-")[0],
            "gen_ai.request.model": agent.model,
            "gen_ai.usage.prompt_tokens" if old else "gen_ai.usage.input_tokens": tokens,
            "gen_ai.usage.completion_tokens" if old else "gen_ai.usage.output_tokens": self.rng.randrange(20, 700),
            **self._who(agent, is_run=False),
        }
        end = max(end - 3 * _MS, start + 2 * _MS)
        self._span(agent, f"chat {agent.model}", 3, min(start + 2 * _MS, end - _MS), end, said, run)

    def _call(self, session: Session, step: Step, run: str, call_id: str) -> None:
        agent = session.agent
        name = step.tool if step.is_literal else shown_name(step.tool, agent.style)
        said: dict[str, Any] = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": name,
            "gen_ai.tool.call.id": call_id,
            "gen_ai.tool.call.arguments": json.dumps(step.args, ensure_ascii=False),
            **self._who(agent, is_run=False),
        }
        if step.result is not None:
            said["gen_ai.tool.call.result"] = json.dumps(step.result, ensure_ascii=False)
        end = step.at_ns + int(step.took_s * SECOND_NS)
        span = self._span(agent, f"execute_tool {name}", 1, step.at_ns, end, said, run, step.error)
        self._note(step.chain, agent, span, step.at_ns)
        if step.sub is not None:
            sub = step.sub
            asked = [{"type": "text", "content": sub.asked}]
            self._run(sub, sub.steps, sub.start_ns, sub.end_ns, asked, None, span)

    def _who(self, agent: Agent, is_run: bool = True) -> dict[str, Any]:
        said: dict[str, Any] = {"gen_ai.conversation.id": self.session.id}
        if is_run or agent.number % 2:
            said["gen_ai.agent.name"] = agent.name
        if is_run and agent.number % 5 == 2:
            said["gen_ai.agent.id"] = f"agt_{hexes(agent.name, 10)}"
        return said

    def _note(self, chain: str, agent: Agent, span: str, at_ns: int) -> None:
        reference = {"source": "otlp", "trace_id": self.trace, "span_id": span}
        self.ledger.note(chain, self.session.id, agent.name, at_ns, reference)

    def _line(self) -> str:
        """Children first, as exporters write them; one batch an agent."""
        batches: dict[str, tuple[Agent, str, list[dict[str, Any]]]] = {}
        for agent, version, span in reversed(self.spans):
            batches.setdefault(agent.name, (agent, version, []))[2].append(span)
        resources = [
            {
                "resource": {"attributes": _resource(agent, version)},
                "scopeSpans": [{"scope": {"name": _scope(agent), "version": "1.23.0"}, "spans": spans}],
            }
            for agent, version, spans in batches.values()
        ]
        return json.dumps({"resourceSpans": resources}, ensure_ascii=False, separators=(",", ":"))


def _turns(session: Session) -> Iterator[list[Step]]:
    """The session's steps, cut after each that waits for an answer (where the agent records answers)."""
    part: list[Step] = []
    for step in session.steps:
        part.append(step)
        if step.approval is not None and session.agent.form == "maf":
            yield part
            part = []
    yield part


def _called(step: Step, call_id: str, agent: Agent) -> dict[str, Any]:
    tool, args = step.tool, step.args
    if step.approval is not None:
        tool, args = step.approval.tool or tool, args if step.approval.said is None else step.approval.said
    return {
        "type": "function_call",
        "call_id": call_id,
        "name": shown_name(tool, agent.style),
        "arguments": json.dumps(args, ensure_ascii=False),
    }


def _request(step: Step, call_id: str, agent: Agent) -> dict[str, Any]:
    return {"type": "function_approval_request", "id": call_id, "function_call": _called(step, call_id, agent)}


def _answer(step: Step, call_id: str, agent: Agent) -> dict[str, Any]:
    said = _request(step, call_id, agent)
    assert step.approval is not None
    return said | {
        "type": "function_approval_response",
        "approved": step.approval.is_yes,
        "additional_properties": {"approved_by": step.approval.by},
    }


def _resource(agent: Agent, version: str) -> list[dict[str, Any]]:
    slug = "".join(c if c.isalnum() else "-" for c in agent.name.lower()).strip("-")
    said = {
        "service.name": slug,
        "service.version": version,
        "host.name": agent.host,
        "deployment.environment.name": "prod",
        "telemetry.sdk.language": "python",
    }
    return [{"key": key, "value": _value(value)} for key, value in said.items()]


def _scope(agent: Agent) -> str:
    return (
        "agent_framework"
        if agent.form == "maf"
        else ("harlow.agentkit", "agents-otel", "llm-runtime")[agent.number % 3]
    )


def _value(value: object) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    return {"stringValue": str(value)}
