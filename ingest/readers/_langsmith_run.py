"""One LangSmith run -> one observation."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from ingest.arguments import named_in
from ingest.event import Kind, Observation, identify
from ingest.handoffs import handed_to
from ingest.joins import joined_by
from ingest.payloads import as_text, value_of
from ingest.readers._export_fields import Fields, fields_in
from ingest.records import Record
from ingest.times import nanoseconds

RUN_TYPES: Final = ("chain", "llm", "chat_model", "tool", "retriever", "prompt", "parser", "embedding")
_KINDS: Final[dict[str, Kind]] = {
    "llm": "model_call",
    "chat_model": "model_call",
    "embedding": "model_call",
    "tool": "tool_call",
    "retriever": "tool_call",
}
_SESSIONS: Final = ("thread_id", "session_id", "conversation_id")
_HUMANS: Final = ("user_id", "user_email", "langgraph_auth_user_id", "user")
_AGENTS: Final = ("lc_agent_name", "ls_agent_name", "agent_name", "agent_id")
_GENERIC: Final = re.compile(r"LangGraph|Runnable\w*(<.*>)?|AgentExecutor|\w*Chain|__\w+__|Unnamed\w*")
"""Root names that a library gives and that therefore name no agent."""
PAUSES: Final = ("GraphInterrupt(", "NodeInterrupt(", "GraphBubbleUp(", "Interrupt(")
_COMMANDS: Final = ("ParentCommand(",)
"""Not an error either: how a node hands control to the graph above it."""
_STAMP: Final = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{1,9})Z(.+)")


def run_event(trace_id: str, run_id: str) -> str:
    """The event id of a run."""
    return identify("langsmith", trace_id, run_id)


def run(record: Record, fields: Fields) -> Observation | None:
    """The run as a step; None where it lacks what makes it one."""
    kind, run_id = fields.text("run_type"), fields.text("id")
    if kind is None or run_id is None:
        return None
    order = (fields.text("dotted_order") or "").split(".")
    trace_id = fields.text("trace_id") or _dotted(order[0])[1] or run_id
    parent = fields.text("parent_run_id") or (_dotted(order[-2])[1] if len(order) > 1 else None)
    about = fields.inside("extra").inside("metadata")
    session = about.text(*_SESSIONS)
    started_at = nanoseconds(fields.text("start_time"))
    said = Observation(
        event_id=run_event(trace_id, run_id),
        trace_id=trace_id,
        session_id=session if session or parent else trace_id,
        kind=_KINDS.get(kind, "lifecycle"),
        operation=kind,
        agent_id=about.text(*_AGENTS) or _subgraph(about) or _root_name(fields, parent),
        agent_version=about.text("agent_version", "revision_id"),
        service=fields.text("session_name"),
        parent_event_id=run_event(trace_id, parent) if parent else None,
        started_at=started_at if started_at is not None else _dotted(order[-1])[0],
        ended_at=nanoseconds(fields.text("end_time")),
        arguments=fields.payload("inputs"),
        result=fields.payload("outputs"),
        on_behalf_of=about.text(*_HUMANS),
        source=record.source,
        source_sha256=record.sha256,
    )
    _outcome(said, fields)
    if said.kind == "tool_call":
        _tool(said, fields)
        said.joins = joined_by(call=call_id(fields))
        if said.tool is not None and (receiver := handed_to(said.tool, said.arguments)) is not None:
            said.kind, said.target, said.approval = "handoff", receiver, None
    elif said.kind == "model_call":
        _model(said, fields, about)
        said.joins = joined_by(lc_run=run_id)
    return said


def _subgraph(about: Fields) -> str | None:
    """The agent whose graph runs inside another: the node that holds it, in `triage:<id>|tools:<id>`."""
    inside = (about.text("langgraph_checkpoint_ns") or "").split("|")
    return inside[-2].split(":", 1)[0] or None if len(inside) > 1 else None


def _root_name(fields: Fields, parent: str | None) -> str | None:
    name = fields.text("name")
    if parent is not None or name is None or _GENERIC.fullmatch(name) or fields.text("run_type") != "chain":
        return None
    return name


def _outcome(said: Observation, fields: Fields) -> None:
    error = fields.text("error")
    if error is not None and error.startswith(PAUSES):
        said.status, said.result = "pending", None
    elif error is not None and not error.startswith(_COMMANDS):
        said.status, said.error = "error", error
    elif said.ended_at is None and fields.text("status") not in ("success", "error"):
        said.status = "pending"
    else:
        said.status = "error" if fields.text("status") == "error" else "ok"


def _tool(said: Observation, fields: Fields) -> None:
    said.tool = fields.text("name")
    said.approval = "pending" if (fields.text("error") or "").startswith(PAUSES) else "not_recorded"
    inputs = fields.inside("inputs")
    if inputs.raw.keys() == {"input"} and (given := inputs.text("input")) and isinstance(value_of(given), dict):
        # What the callbacks wrote as text before tools had structured inputs.
        said.arguments = inputs.payload("input")
    outputs = fields.inside("outputs")
    message = _message(outputs.inside("output"))
    if "content" in message:
        said.result = message.payload("content")
        if message.text("status") == "error" and said.status == "ok":
            said.status, said.error = "error", message.text("content")
    elif outputs.raw.keys() == {"output"}:
        said.result = outputs.payload("output")
    named = named_in(said.arguments)
    said.target, said.credential_id, said.principal = named.target, named.credential_id, named.principal
    said.on_behalf_of = named.on_behalf_of or said.on_behalf_of


def call_id(fields: Fields) -> str | None:
    """The model's id of the call that a tool run answers."""
    given = fields.inside("extra").text("tool_call_id")
    return given or _message(fields.inside("outputs").inside("output")).text("tool_call_id")


def _model(said: Observation, fields: Fields, about: Fields) -> None:
    asked = fields.inside("extra").inside("invocation_params")
    said.model = about.text("ls_model_name") or asked.text("model", "model_name", "azure_deployment")
    outputs = fields.inside("outputs")
    message = outputs.inside("message")
    for choices in outputs.list_of("generations")[:1]:
        first = Fields({"": msgspec.Raw(choices)}).list_of("")[:1] or [choices]
        message = _message(fields_in(first[0]).inside("message"))
    used = outputs.inside("llm_output").inside("token_usage", "usage")
    for usage in (used, outputs.inside("usage_metadata"), message.inside("usage_metadata"), outputs.inside("usage")):
        if usage.raw:
            said.input_tokens = usage.count("prompt_tokens", "input_tokens")
            said.output_tokens = usage.count("completion_tokens", "output_tokens")
            break
    else:
        said.input_tokens, said.output_tokens = fields.count("prompt_tokens"), fields.count("completion_tokens")
    if message.raw:
        calls = message.payload("tool_calls")
        content = message.payload("content")
        said.result = content
        if calls not in (None, "[]"):
            said.result = as_text({"content": value_of(content), "tool_calls": value_of(calls)})


def _message(message: Fields) -> Fields:
    """A LangChain message, out of the wrapper that its serialiser puts around it."""
    return message.inside("kwargs") if "lc" in message else message


def _dotted(part: str) -> tuple[int | None, str | None]:
    """A part of `dotted_order`: when the run started, and its id."""
    found = _STAMP.fullmatch(part)
    if found is None:
        return None, None
    year, month, day, hour, minute, second, fraction, run_id = found.groups()
    return nanoseconds(f"{year}-{month}-{day}T{hour}:{minute}:{second}.{fraction}Z"), run_id
