"""OpenAI Agents: a hand-off, tools that need approval; the trace as the SDK exports it, and its RunState."""

from __future__ import annotations

import asyncio
import json

from agents import (
    Agent,
    Model,
    ModelResponse,
    RunConfig,
    Runner,
    Usage,
    add_trace_processor,
    function_tool,
    generation_span,
    set_trace_processors,
)
from agents.tracing import TracingProcessor
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText
from story import FIRST, HAND_OVER, MODEL, PROMPT, SECOND, SESSION, Story, call_id

story = Story()


class ToFile(TracingProcessor):
    """Writes what the SDK's own exporter would send."""

    def __init__(self, path) -> None:
        self.file = path.open("w")

    def on_trace_start(self, trace) -> None:
        self._write(trace)

    def on_trace_end(self, trace) -> None: ...

    def on_span_start(self, span) -> None: ...

    def on_span_end(self, span) -> None:
        self._write(span)

    def shutdown(self) -> None:
        self.file.close()

    def force_flush(self) -> None:
        self.file.flush()

    def _write(self, item) -> None:
        if exported := item.export():
            self.file.write(json.dumps(exported) + "\n")


class FakeModel(Model):
    """Says what the story has for its agent, in a generation span as the SDK's own models do."""

    def __init__(self, agent: str) -> None:
        self.agent = agent

    async def get_response(self, *args, **kwargs) -> ModelResponse:
        said = story.next(self.agent)
        spent, made = story.tokens()
        with generation_span(model=MODEL) as span:
            span.span_data.usage = {"input_tokens": spent, "output_tokens": made}
            if said == HAND_OVER:
                item = ResponseFunctionToolCall(
                    arguments="{}", call_id=call_id("handoff"), name=f"transfer_to_{SECOND}", type="function_call"
                )
            elif isinstance(said, str):
                text = ResponseOutputText(annotations=[], text=said, type="output_text")
                item = ResponseOutputMessage(
                    id="msg-1", content=[text], role="assistant", status="completed", type="message"
                )
            else:
                item = ResponseFunctionToolCall(
                    arguments=json.dumps(said.arguments), call_id=said.id, name=said.tool, type="function_call"
                )
            span.span_data.output = [item.model_dump(exclude_none=True)]
        usage = Usage(requests=1, input_tokens=spent, output_tokens=made, total_tokens=spent + made)
        return ModelResponse(output=[item], usage=usage, response_id=None)

    def stream_response(self, *args, **kwargs):
        raise NotImplementedError


responder = Agent(
    name=SECOND,
    model=FakeModel(SECOND),
    tools=[function_tool(t, needs_approval=True) for t in (story.isolate_host, story.disable_account)],
)
triage = Agent(
    name=FIRST,
    model=FakeModel(FIRST),
    tools=[function_tool(t) for t in (story.lookup_ip, story.query_siem)],
    handoffs=[responder],
)


async def main() -> None:
    config = RunConfig(workflow_name="soc triage", group_id=SESSION)
    result = await Runner.run(triage, PROMPT, run_config=config)
    number = 0
    while result.interruptions:
        number += 1
        state = result.to_state()
        (story.out / f"run_state.{number}.asked.json").write_text(json.dumps(state.to_json(), indent=1) + "\n")
        for item in result.interruptions:
            (state.approve if story.decide(item.tool_name) else state.reject)(item)
        (story.out / f"run_state.{number}.decided.json").write_text(json.dumps(state.to_json(), indent=1) + "\n")
        result = await Runner.run(triage, state, run_config=config)
    (story.out / "run_state.end.json").write_text(json.dumps(result.to_state().to_json(), indent=1) + "\n")


set_trace_processors([])
add_trace_processor(processor := ToFile(story.out / "trace.jsonl"))
asyncio.run(main())
processor.shutdown()
story.write()
