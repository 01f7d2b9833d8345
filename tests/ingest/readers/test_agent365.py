"""Agent 365's events as Defender keeps them."""

from __future__ import annotations

import json
from typing import Any

from microsoft_cases import claimed_by, fuzz, read, read_document, rows_in

from ingest.readers.agent365 import agent365
from ingest.readers.otlp import otlp

TRACE, SPAN, ROOT = "a1" * 16, "b2" * 8, "c3" * 8


def row(action: str, **raw: Any) -> dict[str, Any]:
    said = {
        "TraceId": TRACE, "ConversationId": "c-1", "SessionIdentity": "s-1", "CreationTime": "2026-05-01T08:00:00.5Z",
        "CompletionTime": "2026-05-01T08:00:01Z", "AgentId": "11111111-0000-4000-8000-000000000001",
        "AgentName": "Reset Desk", "HumanUserId": "mira@example.org", "AgentUserId": "reset@example.org", **raw,
    }  # fmt: skip
    return {
        "Timestamp": "2026-05-01T08:00:02Z", "ActionType": action, "Application": "Microsoft Agent 365",
        "IPAddress": "198.51.100.4:52001", "ReportId": "r-1", "RawEventData": json.dumps(said),
    }  # fmt: skip


TOOL = row(
    "ExecuteToolBySDK", OpId=SPAN, ParentId=ROOT, ToolName="reset_password", ToolServerName="graph-mcp",
    **{"gen_ai.tool.call.arguments": '{"user_id": "u-9"}'},
)  # fmt: skip
MODEL = row("InferenceCall", OpId="d4" * 8, ParentId=ROOT, **{"gen_ai.usage.input_tokens": "42", "OutputTokens": "7"})


def test_a_tool_execution_names_agent_human_and_target() -> None:
    assert claimed_by(TOOL) == claimed_by([TOOL]) == claimed_by({"results": [TOOL]}) == ["agent365"]
    (step,), rejected = read(agent365, TOOL)
    assert not rejected
    assert (step.kind, step.tool, step.target, step.status) == ("tool_call", "reset_password", "u-9", "ok")
    assert (step.agent_id, step.principal, step.on_behalf_of) == ("Reset Desk", "reset@example.org", "mira@example.org")
    assert (step.session_id, step.source_host, step.approval) == ("c-1", "198.51.100.4", "cannot_record")


def test_a_span_that_was_also_exported_as_otlp_is_one_step() -> None:
    (step,), _ = read(agent365, TOOL)
    span = {
        "traceId": TRACE, "spanId": SPAN, "parentSpanId": ROOT, "name": "execute_tool", "kind": "INTERNAL",
        "startTimeUnixNano": 1777622400500000000, "attributes": {"gen_ai.operation.name": "execute_tool"},
    }  # fmt: skip
    (same,), _ = read(otlp, {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})
    assert (step.event_id, step.trace_id, step.parent_event_id) == (same.event_id, same.trace_id, same.parent_event_id)


def test_flat_spans_of_agent_365_are_read_by_otlp() -> None:
    said = {"gen_ai.agent.name": "Reset Desk", "gen_ai.usage.input_tokens": "42", "microsoft.session.id": "s-1"}
    for operation in ("Chat", "chat"):
        span = {
            "traceId": TRACE, "spanId": SPAN, "name": "Chat m", "kind": "CLIENT", "status": {"code": "OK"},
            "startTimeUnixNano": 1777622400500000000, "endTimeUnixNano": 1777622401500000000,
            "attributes": {**said, "gen_ai.operation.name": operation},
        }  # fmt: skip
        body = {"resourceSpans": [{"resource": {"attributes": {}}, "scopeSpans": [{"spans": [span]}]}]}
        assert claimed_by(body) == ["otlp"]
        (step,), _ = read(otlp, body)
        assert (step.kind, step.input_tokens, step.session_id) == ("model_call", 42, "s-1")


def test_tokens_written_as_text_are_counts() -> None:
    (step,), _ = read(agent365, MODEL)
    assert (step.kind, step.input_tokens, step.output_tokens) == ("model_call", 42, 7)


def test_one_agent_that_invokes_another_hands_over() -> None:
    (run,), _ = read(agent365, row("InvokeAgent", OpId=ROOT, TargetAgentName="Reset Desk"))
    assert (run.kind, run.agent_id) == ("lifecycle", "Reset Desk")
    (step,), _ = read(agent365, row("InvokeAgent", OpId=ROOT, TargetAgentName="Payroll"))
    assert (step.kind, step.agent_id, step.target) == ("handoff", "Reset Desk", "Payroll")


def test_setting_up_a_server_is_no_tool_call_and_a_refusal_is_denied() -> None:
    (step,), _ = read(agent365, row("ExecuteToolBySDK", ToolName="MCP:ListToolsAsync"))
    assert step.kind == "lifecycle"
    (step,), _ = read(agent365, row("ExecuteToolByGateway", ToolName="x", ErrorType="403", ErrorMessage="no"))
    assert (step.status, step.error) == ("denied", "no")


def test_the_streaming_api_and_other_rows_are_read() -> None:
    streamed = {"time": "t", "category": "AdvancedHunting-CloudAppEvents", "properties": TOOL}
    assert claimed_by({"records": [streamed]}) == ["agent365"]
    assert read(agent365, streamed)[0][0].tool == "reset_password"
    copilot = {
        "Timestamp": "2026-05-01T08:00:02Z", "ActionType": "CopilotInteraction",
        "RawEventData": {"Id": "i", "CopilotEventData": {"Messages": [{"Id": "1", "isPrompt": True}]}},
    }  # fmt: skip
    observations, rejected = read_document(agent365, [TOOL, copilot])
    assert not rejected
    assert [o.kind for o in observations] == ["tool_call", "message"]


def test_a_row_without_its_action_is_rejected() -> None:
    _, rejected = read(agent365, TOOL, {"Timestamp": "x"})
    assert [r.line for r in rejected] == [2]


def test_mutated_rows_never_raise_and_stay_accounted_for() -> None:
    def expected(document: Any) -> int:
        observations, _ = read(agent365, document)
        return rows_in(document) + sum(o.records == 0 for o in observations)

    opened = {**TOOL, "RawEventData": json.loads(TOOL["RawEventData"])}
    fuzz(agent365, [[TOOL, opened, MODEL], {"results": [opened]}], expected)
