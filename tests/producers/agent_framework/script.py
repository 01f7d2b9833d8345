"""Microsoft Agent Framework: a workflow of two agents, function approval; OTLP with content and session JSON."""

from __future__ import annotations

import asyncio
import json
import os

from story import FIRST, HAND_OVER, MODEL, PROMPT, SECOND, SESSION, Story

os.environ["OTEL_SERVICE_NAME"] = "soc-maf"

from agent_framework import (
    Agent,
    AgentExecutor,
    BaseChatClient,
    ChatMiddlewareLayer,
    ChatResponse,
    Content,
    FunctionInvocationLayer,
    Message,
    WorkflowBuilder,
    tool,
)
from agent_framework.observability import ChatTelemetryLayer, enable_instrumentation
from opentelemetry import trace
from opentelemetry.exporter.otlp.json.file import FileSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

story = Story()


class FakeClient(FunctionInvocationLayer, ChatMiddlewareLayer, ChatTelemetryLayer, BaseChatClient):
    """Says what the story has for its agent; the layers are those of the SDK's own clients."""

    OTEL_PROVIDER_NAME = "fake"

    def __init__(self, agent: str) -> None:
        super().__init__()
        self.agent, self.model = agent, MODEL

    def _inner_get_response(self, *, messages, stream, options, **kwargs):
        async def answer() -> ChatResponse:
            said = story.next(self.agent)
            if isinstance(said, str):
                content = Content.from_text("Contain it." if said == HAND_OVER else said)
            else:
                content = Content.from_function_call(said.id, said.tool, arguments=json.dumps(said.arguments))
            spent, made = story.tokens()
            usage = {"input_token_count": spent, "output_token_count": made, "total_token_count": spent + made}
            return ChatResponse(messages=[Message("assistant", [content])], model=MODEL, usage_details=usage)

        return answer()


def agent(name: str, approval: str, *tools) -> Agent:
    wrapped = [tool(t, approval_mode=approval) for t in tools]
    return Agent(FakeClient(name), f"You are {name}.", id=name, name=name, tools=wrapped)


async def main() -> None:
    triage = agent(FIRST, "never_require", story.lookup_ip, story.query_siem)
    responder = agent(SECOND, "always_require", story.isolate_host, story.disable_account)
    sessions = {a.name: a.create_session(session_id=f"{SESSION}-{a.name}") for a in (triage, responder)}
    first, second = (AgentExecutor(a, session=sessions[a.name]) for a in (triage, responder))
    workflow = WorkflowBuilder(name="soc", start_executor=first, output_from=[second]).add_edge(first, second).build()
    result = await workflow.run(PROMPT)
    while asked := result.get_request_info_events():
        answers = {}
        for event in asked:
            approved = story.decide(event.data.function_call.name)
            answers[event.request_id] = event.data.to_function_approval_response(approved)
        result = await workflow.run(responses=answers)
    for name, session in sessions.items():
        (story.out / f"session.{name}.json").write_text(json.dumps(session.to_dict(), indent=1, default=str) + "\n")


provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(FileSpanExporter(story.out / "spans.otlp.jsonl")))
trace.set_tracer_provider(provider)
enable_instrumentation(enable_sensitive_data=True)
asyncio.run(main())
provider.shutdown()
story.write()
