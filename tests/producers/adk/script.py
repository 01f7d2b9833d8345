"""Google ADK: an agent that transfers to a second one, whose tools ask for confirmation; session JSON and spans."""

from __future__ import annotations

import asyncio
import os

from story import FIRST, HAND_OVER, MODEL, PERSON, PROMPT, SECOND, SESSION, Story, call_id

os.environ["OTEL_SERVICE_NAME"] = "soc-adk"

from google.adk.agents import LlmAgent
from google.adk.models.base_llm import BaseLlm
from google.adk.models.llm_response import LlmResponse
from google.adk.runners import Runner
from google.adk.sessions import InMemorySessionService
from google.adk.tools import FunctionTool
from google.genai import types
from opentelemetry import trace
from opentelemetry.exporter.otlp.json.file import FileSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

story = Story()


class FakeModel(BaseLlm):
    """Says what the story has for its agent."""

    agent: str

    async def generate_content_async(self, llm_request, stream: bool = False):
        said = story.next(self.agent)
        if said == HAND_OVER:
            part = types.Part(function_call=types.FunctionCall(
                id=call_id("handoff"), name="transfer_to_agent", args={"agent_name": SECOND}))  # fmt: skip
        elif isinstance(said, str):
            part = types.Part(text=said)
        else:
            part = types.Part(function_call=types.FunctionCall(id=said.id, name=said.tool, args=said.arguments))
        spent, made = story.tokens()
        yield LlmResponse(
            content=types.Content(role="model", parts=[part]),
            model_version=MODEL,
            usage_metadata=types.GenerateContentResponseUsageMetadata(
                prompt_token_count=spent, candidates_token_count=made, total_token_count=spent + made
            ),
        )


def caught(error: Exception) -> dict:
    """An app that hands a tool's error to the model, as ADK's own error callbacks do."""
    return {"error": str(error)}


responder = LlmAgent(
    name=SECOND,
    description="contains hosts",
    model=FakeModel(model=MODEL, agent=SECOND),
    tools=[FunctionTool(t, require_confirmation=True) for t in (story.isolate_host, story.disable_account)],
)
triage = LlmAgent(
    name=FIRST,
    model=FakeModel(model=MODEL, agent=FIRST),
    tools=[story.lookup_ip, story.query_siem],
    sub_agents=[responder],
    on_tool_error_callback=lambda tool, args, tool_context, error: caught(error),
)


async def main() -> None:
    service = InMemorySessionService()
    await service.create_session(app_name="soc", user_id=PERSON, session_id=SESSION)
    runner = Runner(agent=triage, app_name="soc", session_service=service)
    message = types.Content(role="user", parts=[types.Part(text=PROMPT)])
    while message:
        asked = []
        async for event in runner.run_async(user_id=PERSON, session_id=SESSION, new_message=message):
            asked += [c for c in event.get_function_calls() if c.name == "adk_request_confirmation"]
        answers = []
        for ask in asked:
            confirmed = story.decide(ask.args["originalFunctionCall"]["name"])
            answers.append(types.Part(function_response=types.FunctionResponse(
                id=ask.id, name=ask.name, response={"confirmed": confirmed})))  # fmt: skip
        message = types.Content(role="user", parts=answers) if answers else None
    session = await service.get_session(app_name="soc", user_id=PERSON, session_id=SESSION)
    written = session.model_dump_json(by_alias=True, exclude_none=True, indent=1)
    (story.out / "session.json").write_text(written + "\n")


provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(FileSpanExporter(story.out / "spans.otlp.jsonl")))
trace.set_tracer_provider(provider)
asyncio.run(main())
provider.shutdown()
story.write()
