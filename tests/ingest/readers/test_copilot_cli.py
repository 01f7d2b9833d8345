"""Copilot CLI: a call that three events tell of is one step; permissions are bound to their calls."""

from __future__ import annotations

from typing import Any

import pytest
from mutated import SAMPLES, claimed_by, only, read_file, read_lines, told, withstands

from ingest.readers.copilot_cli import copilot_cli

SAMPLE = SAMPLES / "transcripts/copilot_cli/axsaucedo.events.jsonl"


def event(number: int, kind: str, **data: object) -> dict[str, Any]:
    return {"type": kind, "id": f"e{number}", "parentId": f"e{number - 1}" if number > 1 else None,
            "timestamp": f"2026-02-01T10:00:{number:02}.000Z", "data": data}  # fmt: skip


def permission(kind: str | None, **more: object) -> list[dict[str, Any]]:
    asked = event(
        4, "permission.requested", requestId="r1", permissionRequest={"kind": "shell", "toolCallId": "t1"}, **more
    )
    return [asked, event(5, "permission.completed", requestId="r1", result={"kind": kind})]


REQUEST = {"toolCallId": "t1", "name": "bash", "arguments": {"command": "ls", "host": "db-1"}}
RUN = [
    event(1, "session.start", sessionId="s1", copilotVersion="1.0.2"),
    event(2, "user.message", content="list"),
    event(3, "assistant.message", messageId="m", content="", toolRequests=[REQUEST]),
    *permission("approved"),
    event(6, "tool.execution_start", toolCallId="t1", toolName="bash", arguments={"command": "ls"}),
    event(7, "tool.execution_complete", toolCallId="t1", success=True, result={"content": "x"}),
    event(8, "assistant.usage", model="some-model", inputTokens=10, outputTokens=4),
]


@pytest.mark.skipif(not SAMPLES.exists(), reason="no ../shared/samples beside this checkout")
def test_the_real_file_is_accounted_for() -> None:
    outcome = read_file(copilot_cli, SAMPLE)
    assert told(outcome) == 30
    assert not outcome[1]
    # One request was never carried out: the session was aborted.
    assert sorted(o.status for o in outcome[0] if o.kind == "tool_call") == ["ok", "ok", "ok", "pending"]
    assert claimed_by(copilot_cli) == {"transcripts/copilot_cli/" + SAMPLE.name}


def test_request_start_and_end_are_one_call_with_its_permission() -> None:
    outcome = read_lines(copilot_cli, *RUN)
    assert told(outcome) == len(RUN)
    call, decision = only(outcome, kind="tool_call"), only(outcome, kind="approval")
    assert (call.status, call.result, call.target, call.approval) == ("ok", '"x"', "db-1", "approved")
    assert call.parent_event_id == only(outcome, kind="model_call").event_id
    assert (decision.approval, decision.parent_event_id, decision.records) == ("approved", call.event_id, 2)
    assert only(outcome, kind="model_call").input_tokens == 10


@pytest.mark.parametrize(
    ("kind", "approval", "approver"),
    [
        ("denied-interactively-by-user", "denied", None),
        ("denied-by-rules", "denied", "policy: denied-by-rules"),
        ("approved-for-session", "approved", None),
        (None, "pending", None),
    ],
)
def test_what_was_decided_and_by_whom(kind: str | None, approval: str, approver: str | None) -> None:
    decision = only(read_lines(copilot_cli, *RUN[:3], *permission(kind)), kind="approval")
    assert (decision.approval, decision.approver) == (approval, approver)


def test_a_subagents_steps_are_its_own_below_the_hand_over() -> None:
    started = event(4, "subagent.started", toolCallId="t1", agentName="key-auditor")
    acts = event(5, "tool.execution_start", toolCallId="t2", toolName="grep", parentToolCallId="t1")
    outcome = read_lines(copilot_cli, *RUN[:3], started, acts)
    handoff = only(outcome, kind="handoff")
    assert (handoff.target, handoff.agent_id) == ("key-auditor", "copilot-cli")
    inside = only(outcome, tool="grep")
    assert (inside.agent_id, inside.parent_event_id) == ("key-auditor", handoff.event_id)


def test_mutated_events_never_raise_and_stay_accounted_for() -> None:
    started = event(4, "subagent.started", toolCallId="t1", agentName="key-auditor")
    acts = event(5, "tool.execution_start", toolCallId="t2", toolName="grep", parentToolCallId="t1")
    withstands(copilot_cli, [RUN, [*RUN[:3], started, acts]])
