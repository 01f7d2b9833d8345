"""What a span means: which kind of step, whose, with what outcome. Three generations of names, one answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ingest.arguments import named_in
from ingest.event import Approval, Kind, Observation, Status, identify
from ingest.joins import joined_by
from ingest.readers._otlp_approvals import Approved, approvals_in
from ingest.readers._otlp_content import model_content, tool_content
from ingest.readers._otlp_outcome import outcome_of, server_of
from ingest.readers._otlp_shape import Span
from ingest.readers._otlp_values import decode, text_of
from ingest.readers._otlp_words import (
    AGENT_SCOPES,
    CALL_IDS,
    CALLERS,
    HUMANS,
    INPUT_TOKENS,
    MODELS,
    NAMELESS,
    OPENINFERENCE,
    OPERATIONS,
    OUTPUT_TOKENS,
    RUNS,
    SESSIONS,
    TOOLS,
    TRACELOOP,
    TRANSFERS,
    VOCABULARY,
    count,
    first_text,
    text_at,
)


def observe(span: Span, source: str, source_sha256: str) -> Iterator[Observation]:
    """The step that a span tells of, then the hand-off and the approvals that it holds beside it."""
    step = _step_of(span, source, source_sha256)
    if step.kind in ("tool_call", "handoff"):
        _call(step, span)
    elif step.kind == "model_call":
        step.arguments, step.result = model_content(span)
        step.input_tokens = count(span.attributes, INPUT_TOKENS)
        step.output_tokens = count(span.attributes, OUTPUT_TOKENS)
        step.joins = _model_joins(span)
    elif step.operation in RUNS or (span.parent_span_id is None and step.witness != "infrastructure"):
        # What a run was asked and answered; steps inside it would only repeat the history.
        step.arguments, step.result = model_content(span)
    step.status, step.error = outcome_of(span, step.kind, step.result)
    yield step
    if step.witness == "infrastructure" or step.kind == "tool_call":
        return
    if step.operation == "invoke_agent" and (caller := _caller(span)) is not None and caller != step.agent_id:
        yield _handed_over(step, span, caller)
    for found in approvals_in(span):
        yield _approval(step, span, found)


def _step_of(span: Span, source: str, source_sha256: str) -> Observation:
    """What every kind of step has."""
    a = span.attributes
    resource = span.resource
    kind, operation = _step(span)
    parent = span.parent_span_id
    infrastructure = operation == ""
    return Observation(
        event_id=identify("otlp", span.trace_id, span.span_id),
        trace_id=span.trace_id,
        kind=kind,
        operation=operation or span.name or "span",
        session_id=first_text(a, SESSIONS),
        agent_id=None if infrastructure else _agent(span, operation),
        agent_version=None if infrastructure or _is_tool_server(span) else _version(span),
        service=resource.service or text_at(a, "aws.local.service"),
        parent_event_id=identify("otlp", span.trace_id, parent) if parent else None,
        started_at=span.started_at,
        ended_at=span.ended_at,
        model=None if infrastructure else first_text(a, MODELS),
        principal=text_at(a, "microsoft.agent.user.id"),
        credential_id=text_at(a, "aws.auth.account.access_key"),
        on_behalf_of=first_text(a, HUMANS),
        source_host=resource.host or first_text(a, ("host.name", "client.address")),
        target=server_of(span),
        source=source,
        source_sha256=source_sha256,
        witness="infrastructure" if infrastructure else "span",
    )


def _call(step: Observation, span: Span) -> None:
    """A tool call, or the hand-off that looks like one."""
    tool = step.tool = _tool(span, step.kind)
    step.arguments, step.result = tool_content(span)
    step.joins = _call_joins(span)
    named = named_in(step.arguments)
    step.principal, step.on_behalf_of = step.principal or named.principal, step.on_behalf_of or named.on_behalf_of
    step.credential_id = step.credential_id or named.credential_id
    if step.kind == "handoff" or _hands_over(span, tool):
        step.kind, step.target = "handoff", _receiver(span, tool, step.arguments, step.result)
    else:
        # What the call is about, before the server that took it.
        step.target = named.target or step.target
        step.approval = "not_recorded" if _can_record_approval(span) else "cannot_record"


def _call_joins(span: Span) -> str | None:
    """Ids of a call that other exports have too: the model's for it, ADK's of the answer's event, its own in MCP."""
    a = span.attributes
    own = f"{span.trace_id}/{span.span_id}" if "mcp.method.name" in a else None
    call, event = first_text(a, CALL_IDS), text_at(a, "gcp.vertex.agent.event_id")
    return joined_by(call=call, adk=event, span=own) if call or event or own else None


def _model_joins(span: Span) -> str | None:
    event = text_at(span.attributes, "gcp.vertex.agent.event_id")
    return joined_by(adk=event) if event else None


def _caller(span: Span) -> str | None:
    """The agent that started this run, where the span names it: it runs in a process, or a product, of its own."""
    if (caller := first_text(span.attributes, CALLERS)) is not None:
        return caller
    is_agent = str(span.attributes.get("gen_ai.caller.type")).lower() == "agent"
    return text_at(span.attributes, "gen_ai.caller.name") if is_agent else None


def _handed_over(step: Observation, span: Span, caller: str) -> Observation:
    return Observation(
        event_id=identify("otlp", span.trace_id, span.span_id, "caller"),
        trace_id=span.trace_id,
        kind="handoff",
        operation="caller",
        session_id=step.session_id,
        agent_id=caller,
        parent_event_id=step.parent_event_id,
        started_at=step.started_at,
        target=step.agent_id,
        status="ok",
        on_behalf_of=step.on_behalf_of,
        source=step.source,
        source_sha256=step.source_sha256,
        records=0,
    )


def _approval(step: Observation, span: Span, found: Approved) -> Observation:
    # An answer is there before the run that it allows, a request when the run stops for it.
    at = span.ended_at if found.approval == "pending" else span.started_at
    return Observation(
        event_id=identify("otlp", span.trace_id, span.span_id, "approval", found.id),
        trace_id=span.trace_id,
        kind="approval",
        operation=found.operation,
        service=span.resource.service,
        parent_event_id=step.event_id,
        started_at=at,
        ended_at=at,
        tool=found.tool,
        arguments=found.arguments,
        result=found.said,
        status=_STATUS_OF.get(found.approval, "ok"),
        source_host=span.resource.host,
        target=named_in(found.arguments).target,
        # The answer stands in the turn of the person who gave it.
        approver=found.approver or (step.on_behalf_of if found.approval in ("approved", "denied") else None),
        approval=found.approval,
        joins=found.joins,
        source=step.source,
        source_sha256=step.source_sha256,
        records=0,
    )


_STATUS_OF: Final[dict[Approval, Status]] = {
    "approved": "ok",
    "automatic": "ok",
    "denied": "denied",
    "pending": "pending",
}


def _step(span: Span) -> tuple[Kind, str]:
    """Which kind of step, and the source's word for it; no word where the span speaks no agent vocabulary."""
    a = span.attributes
    operation = a.get("gen_ai.operation.name")
    if isinstance(operation, str) and (kind := OPERATIONS.get(operation.lower())) is not None:
        if kind == "tool_call" and a.get("gen_ai.tool.name") == "(merged tools)":
            # ADK repeats here the results of parallel calls that have spans of their own.
            return "lifecycle", "merged_tools"
        return kind, operation.lower()
    method = a.get("mcp.method.name")
    if isinstance(method, str):
        return ("tool_call" if method == "tools/call" else "lifecycle"), method or "mcp"
    family = a.get("openinference.span.kind")
    if isinstance(family, str):
        word = family.upper()
        kind_word = OPENINFERENCE.get(word, ("lifecycle", word.lower()))
        if word == "TOOL" and span.name.startswith("handoff to "):
            return "handoff", "handoff"
        return kind_word
    family = a.get("traceloop.span.kind")
    if isinstance(family, str):
        return TRACELOOP.get(family, ("lifecycle", family or span.name))
    if isinstance(a.get("llm.request.type"), str) or span.name == "call_llm":
        return "model_call", text_of(a.get("llm.request.type")) or span.name
    if isinstance(vercel := a.get("ai.operationId"), str):
        if vercel == "ai.toolCall":
            return "tool_call", vercel
        is_leaf = vercel.endswith((".doGenerate", ".doStream", ".doEmbed"))
        return ("model_call" if is_leaf else "lifecycle"), vercel
    if isinstance(a.get("gen_ai.tool.name"), str) and operation in (None, "", "unknown"):
        return "tool_call", "execute_tool"
    if isinstance(operation, str) and operation:
        return "lifecycle", operation
    if span.scope == "agent_framework" and span.name.startswith(("executor.process ", "edge_group.process ")):
        return "lifecycle", span.name.partition(" ")[0]
    if span.scope.startswith(AGENT_SCOPES) or any(key.startswith(VOCABULARY) for key in a):
        return "lifecycle", span.name or "span"
    return "lifecycle", ""


def _tool(span: Span, kind: Kind) -> str | None:
    a = span.attributes
    stated = first_text(a, TOOLS)
    if stated is not None:
        return stated
    for lead in ("execute_tool ", "MCP send tools/call ", "tools/call ", "running tool "):
        if span.name.startswith(lead):
            return span.name[len(lead) :] or None
    return span.name or None if kind == "tool_call" else None


def _hands_over(span: Span, tool: str | None) -> bool:
    if tool is not None and tool.startswith(TRANSFERS):
        return tool != "handoff_to_user"  # Strands' tool that asks a person
    return "gen_ai.transfer.target.name" in span.attributes or "gen_ai.transfer.mode" in span.attributes


def _receiver(span: Span, tool: str | None, arguments: str | None, result: str | None) -> str | None:
    """The agent that takes over."""
    a = span.attributes
    stated = first_text(a, ("gen_ai.transfer.target.name", "gen_ai.handoff.to_agent"))
    if stated is not None:
        return stated
    for lead in ("handoff to ", "handoff_to_", "transfer_to_"):
        for name in (span.name, tool or ""):
            if name.startswith(lead) and name not in ("transfer_to_agent", "handoff_to_agent"):
                return name[len(lead) :] or None
    for payload in (arguments, result):
        decoded = _object(payload)
        for key in ("agent_name", "agent", "target", "to_agent"):
            if (name_said := text_of(decoded.get(key))) is not None:
                return name_said
    return None


def _object(payload: str | None) -> dict[str, object]:
    """The JSON object in a payload, or an empty one."""
    decoded = decode(payload) if payload and payload[0] == "{" else None
    return decoded if isinstance(decoded, dict) else {}


def _agent(span: Span, operation: str) -> str | None:
    """The agent that this span names itself; where it names none, settling looks above it."""
    a = span.attributes
    for key in ("gen_ai.agent.name", "agent.name", "gen_ai.agent.id"):
        name = a.get(key)
        if isinstance(name, str) and name and name.lower() not in NAMELESS:
            return name
    if operation == "invoke_agent":
        return first_text(a, ("graph.node.id", "traceloop.entity.name")) or span.resource.runtime
    return text_at(a, "gen_ai.workflow.name") if operation == "invoke_workflow" else None


def _version(span: Span) -> str | None:
    return text_at(span.attributes, "gen_ai.agent.version") or span.resource.version


def _is_tool_server(span: Span) -> bool:
    return span.side == "SERVER" and "mcp.method.name" in span.attributes


def _can_record_approval(span: Span) -> bool:
    """Agent Framework writes approvals with the content: a span without content cannot have them."""
    if span.scope.startswith("agent_framework"):
        return "gen_ai.tool.call.arguments" in span.attributes
    return span.name.startswith("claude_code.")
