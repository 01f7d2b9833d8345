"""LangGraph: two agents in one graph, `interrupt()` for approval; LangSmith-shaped runs and the state history."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from typing import Annotated, Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import InjectedToolCallId, StructuredTool, tool
from langchain_core.tracers.base import BaseTracer
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import InjectedState, ToolNode, create_react_agent
from langgraph.types import Command, interrupt
from story import FIRST, HAND_OVER, MODEL, PERSON, PROMPT, SECOND, SESSION, Call, Story, call_id

story = Story()


class FakeModel(BaseChatModel):
    """Says what the story has for its agent."""

    agent: str
    model: str = MODEL

    @property
    def _llm_type(self) -> str:
        return "fake"

    def bind_tools(self, tools, **kwargs):
        return self

    def _generate(self, messages, stop=None, run_manager=None, **kwargs) -> ChatResult:
        said = story.next(self.agent)
        if said == HAND_OVER:
            said = Call(call_id("handoff"), self.agent, f"transfer_to_{SECOND}", {})
        spent, made = story.tokens()
        message = AIMessage(
            content=said if isinstance(said, str) else "",
            tool_calls=[] if isinstance(said, str) else [{"name": said.tool, "args": said.arguments, "id": said.id}],
            usage_metadata={"input_tokens": spent, "output_tokens": made, "total_tokens": spent + made},
        )
        return ChatResult(generations=[ChatGeneration(message=message)])


class ToFile(BaseTracer):
    """Writes the runs of a trace as LangSmith holds them, one a line."""

    def _persist_run(self, run) -> None:
        runs.write(json.dumps(run.model_dump(exclude={"child_runs"}), default=plain) + "\n")
        for child in run.child_runs:
            self._persist_run(child)


def plain(value: Any) -> Any:
    """Times and ids as text, messages as LangChain dumps them, interrupts and commands by their fields."""
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "model_dump"):
        return value.model_dump()
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in fields(value)}
    return str(value)


def refused(name: str) -> str | None:
    """Ask a person about a call; None where it may go on. The tool runs again from its start on the answer."""
    answer = interrupt({"tool": name, "question": "approve?"})
    return None if answer["approved"] else f"denied by {answer['by']}"


@tool
def isolate_host(hostname: str) -> str:
    """Cut a host off from the network."""
    return refused("isolate_host") or story.isolate_host(hostname)


@tool
def disable_account(account: str) -> str:
    """Disable an account."""
    return refused("disable_account") or story.disable_account(account)


@tool(f"transfer_to_{SECOND}")
def hand_over(state: Annotated[dict, InjectedState], tool_call_id: Annotated[str, InjectedToolCallId]) -> Command:
    """Hand the case to the responder."""
    done = ToolMessage("Transferred.", name=f"transfer_to_{SECOND}", tool_call_id=tool_call_id)
    return Command(goto=SECOND, graph=Command.PARENT, update={"messages": [*state["messages"], done]})


def agent(name: str, *tools):
    return create_react_agent(FakeModel(agent=name), ToolNode(list(tools), handle_tool_errors=True), name=name)


triage_tools = [StructuredTool.from_function(story.lookup_ip), StructuredTool.from_function(story.query_siem)]
graph = StateGraph(MessagesState)
graph.add_node(FIRST, agent(FIRST, *triage_tools, hand_over), destinations=(SECOND,))
graph.add_node(SECOND, agent(SECOND, isolate_host, disable_account))
graph.add_edge(START, FIRST)
app = graph.compile(checkpointer=InMemorySaver(), name="soc")
place = {"configurable": {"thread_id": SESSION}, "metadata": {"user_id": PERSON, "thread_id": SESSION}}

with (story.out / "runs.langsmith.jsonl").open("w") as runs:
    tracing = place | {"callbacks": [ToFile()]}
    result = app.invoke({"messages": [("user", PROMPT)]}, tracing)
    while asked := result.get("__interrupt__"):
        approved = story.decide(asked[0].value["tool"])
        result = app.invoke(Command(resume={"approved": approved, "by": PERSON}), tracing)

history = []
for snapshot in app.get_state_history(place):
    tasks = [task._asdict() for task in snapshot.tasks]
    history.append(snapshot._asdict() | {"tasks": tasks})
(story.out / "state_history.json").write_text(json.dumps(history, indent=1, default=plain) + "\n")
story.write()
