"""Strands: a swarm of two agents with a hook that asks for approval; exports OTLP/JSON."""

from __future__ import annotations

import json
import os

from story import FIRST, HAND_OVER, MODEL, PERSON, PROMPT, SECOND, SESSION, Call, Story, call_id

os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "gen_ai_latest_experimental"
os.environ["OTEL_SERVICE_NAME"] = "soc-swarm"

from opentelemetry import trace
from opentelemetry.exporter.otlp.json.file import FileSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from strands import Agent, tool
from strands.hooks import BeforeToolCallEvent, HookProvider, HookRegistry
from strands.models.model import Model
from strands.multiagent import Swarm

story = Story()


class FakeModel(Model):
    """Says what the story has for its agent."""

    def __init__(self, agent: str) -> None:
        self.agent = agent

    def update_config(self, **_) -> None: ...

    def get_config(self) -> dict:
        return {"model_id": MODEL}

    async def structured_output(self, *_, **__):
        raise NotImplementedError
        yield

    async def stream(self, *_, **__):
        said = story.next(self.agent)
        if said == HAND_OVER:
            said = Call(
                call_id("handoff"), self.agent, "handoff_to_agent", {"agent_name": SECOND, "message": "Contain it."}
            )
        yield {"messageStart": {"role": "assistant"}}
        if isinstance(said, Call):
            use = {"toolUse": {"toolUseId": said.id, "name": said.tool}}
            yield {"contentBlockStart": {"contentBlockIndex": 0, "start": use}}
            yield {
                "contentBlockDelta": {
                    "contentBlockIndex": 0,
                    "delta": {"toolUse": {"input": json.dumps(said.arguments)}},
                }
            }
        else:
            yield {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": said}}}
        yield {"contentBlockStop": {"contentBlockIndex": 0}}
        yield {"messageStop": {"stopReason": "tool_use" if isinstance(said, Call) else "end_turn"}}
        spent, made = story.tokens()
        usage = {"inputTokens": spent, "outputTokens": made, "totalTokens": spent + made}
        yield {"metadata": {"usage": usage, "metrics": {"latencyMs": 5}}}


class Approval(HookProvider):
    """Interrupts before what needs a person."""

    def register_hooks(self, registry: HookRegistry, **_) -> None:
        registry.add_callback(BeforeToolCallEvent, self.ask)

    def ask(self, event: BeforeToolCallEvent) -> None:
        name = event.tool_use["name"]
        if name in ("isolate_host", "disable_account"):
            answer = event.interrupt(f"approve-{name}", reason=event.tool_use["input"])
            if answer != "approved":
                event.cancel_tool = f"denied by {PERSON}"


def agent(name: str, *tools) -> Agent:
    return Agent(
        name=name,
        model=FakeModel(name),
        tools=[tool(t) for t in tools],
        hooks=[Approval()],
        callback_handler=None,
        trace_attributes={"session.id": SESSION, "user.id": PERSON},
    )


exporter = FileSpanExporter(story.out / "spans.otlp.jsonl")
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(exporter))
trace.set_tracer_provider(provider)

swarm = Swarm(
    [agent(FIRST, story.lookup_ip, story.query_siem), agent(SECOND, story.isolate_host, story.disable_account)],
    trace_attributes={"session.id": SESSION, "user.id": PERSON},
)
result = swarm(PROMPT)
while result.interrupts:
    answers = []
    for interrupt in result.interrupts:
        approved = story.decide(interrupt.name.removeprefix("approve-"))
        response = {"interruptId": interrupt.id, "response": "approved" if approved else "denied"}
        answers.append({"interruptResponse": response})
    result = swarm(answers)
provider.shutdown()
story.write()
