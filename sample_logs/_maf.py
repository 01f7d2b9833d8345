"""Microsoft Agent Framework's spans, with approvals as it writes them.

A run that wants approval ends with a `function_approval_request`. The answer opens a new run, in a new
trace of the same conversation, as a `function_approval_response`; who gave it stands in that content's
`additional_properties`, the one place that the framework has for what the application adds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from _calls import TOOLS, Call, spaced
from _cast import Agent, uuid
from _otlp import Trace

MAF = {"name": "agent_framework", "version": "1.23.0"}


@dataclass(frozen=True)
class Question:
    """A call for which the agent asks leave."""

    call: Call
    call_id: str
    content_id: str

    def _content(self, kind: str, more: dict[str, Any], properties: dict[str, Any]) -> dict[str, Any]:
        function_call = {
            "type": "function_call", "call_id": self.call_id, "name": self.call.tool,
            "arguments": spaced(self.call.arguments), "hosted": False, "id": self.content_id,
            "additional_properties": {},
        }  # fmt: skip
        return {"type": kind, "function_call": function_call, "id": self.content_id,
                "additional_properties": properties} | more  # fmt: skip

    def request(self) -> dict[str, Any]:
        return self._content("function_approval_request", {"user_input_request": True}, {})

    def response(self, approved: bool, approved_by: str) -> dict[str, Any]:
        return self._content("function_approval_response", {"approved": approved}, {"approved_by": approved_by})


def question(trace: Trace, call: Call) -> Question:
    return Question(call, f"call_{trace.rng.getrandbits(80):020x}", f"af-call-{uuid(trace.rng).replace('-', '')}")


def maf(
    trace: Trace, agent: Agent, conversation: str, user: str, asked: Sequence[dict[str, Any]],
    calls: Sequence[Call | Question], answer: str, *, ask: Question | None = None, parent: str | None = None,
) -> None:  # fmt: skip
    """One run: a chat before each call, one at the end, and perhaps a question at the very end.

    A `Question` among the calls is one that was answered: its call keeps the id under which it was asked.
    """
    rng, clock = trace.rng, trace.clock
    root, start = trace.span_id(), clock.wait(0.001, 0.01)
    said: list[dict[str, Any]] = []
    total = [0, 0]
    answered = bool(calls) and isinstance(calls[0], Question)

    def chat(part: dict[str, Any]) -> None:
        chat_start = clock.wait(0.001, 0.02)
        clock.wait(0.7, 5)
        used = rng.randrange(700, 2600), rng.randrange(40, 260)
        total[0], total[1] = total[0] + used[0], total[1] + used[1]
        output = [{"role": "assistant", "parts": [part]}]
        said.extend(output)
        trace.write(agent, MAF, f"chat {agent.model}", trace.span_id(), root, chat_start, {
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai",
            "gen_ai.request.model": agent.model, "gen_ai.response.model": agent.model,
            "gen_ai.response.id": f"resp_{rng.getrandbits(96):024x}", "gen_ai.request.choice.count": 1,
            "server.address": "api.openai.com",
            "gen_ai.usage.input_tokens": used[0], "gen_ai.usage.output_tokens": used[1],
            "gen_ai.output.messages": output,
        })  # fmt: skip

    for place, step in enumerate(calls):
        step = step if isinstance(step, Question) else question(trace, step)
        if not (answered and place == 0):
            chat(_tool_call(step))
        result = _tool(trace, agent, step, root)
        part = {"type": "tool_call_response", "id": step.call_id, "response": result}
        said.append({"role": "tool", "parts": [part]})
    if ask:
        chat(_tool_call(ask))
        said[-1] = {"role": "assistant", "parts": [*said[-1]["parts"], ask.request()]}
    else:
        chat({"type": "text", "content": answer})
    clock.wait(0.001, 0.01)
    trace.write(agent, MAF, f"invoke_agent {agent.name}", root, parent, start, {
        "gen_ai.operation.name": "invoke_agent", "gen_ai.provider.name": "microsoft.agent_framework",
        "gen_ai.agent.name": agent.name, "gen_ai.agent.version": agent.version(clock.at),
        "gen_ai.conversation.id": conversation, "user.id": user, "gen_ai.request.model": agent.model,
        "gen_ai.request.choice.count": 1,
        "gen_ai.tool.definitions": [
            {"type": "function", "name": tool, "description": TOOLS[tool].description}
            for tool in agent.tools(clock.at)
        ],
        "gen_ai.input.messages": [{"role": "user", "parts": list(asked)}], "gen_ai.output.messages": said,
        "gen_ai.usage.input_tokens": total[0], "gen_ai.usage.output_tokens": total[1],
    })  # fmt: skip


def _tool_call(step: Question) -> dict[str, Any]:
    arguments = spaced(step.call.arguments)
    return {"type": "tool_call", "id": step.call_id, "name": step.call.tool, "arguments": arguments}


def _tool(trace: Trace, agent: Agent, step: Question, parent: str) -> str:
    call, span_id, start = step.call, trace.span_id(), trace.clock.wait(0.002, 0.02)
    trace.infrastructure(agent, call, span_id)
    trace.clock.wait(0.001, 0.01)
    result = f"Error: {call.error}" if call.error else spaced(call.result)
    trace.write(agent, MAF, f"execute_tool {call.tool}", span_id, parent, start, {
        "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": call.tool,
        "gen_ai.tool.call.id": step.call_id,
        "gen_ai.tool.type": "function", "gen_ai.tool.description": TOOLS[call.tool].description,
        "gen_ai.tool.call.arguments": spaced(call.arguments),
        "gen_ai.tool.call.result": None if call.error else result,
        "error.type": "ServiceUnavailable" if call.error else None,
        "agent_framework.function.invocation.duration": (trace.clock.ns - start) / 1e9,
    }, error=call.error)  # fmt: skip
    return result
