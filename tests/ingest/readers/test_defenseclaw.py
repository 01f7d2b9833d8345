"""DefenseClaw: calls joined by id, decisions of the policy told apart from what a person did."""

from __future__ import annotations

from typing import Any

from mutated import claimed_by, only, read_lines, told, withstands

from ingest.readers.defenseclaw import defenseclaw


def event(number: int, kind: str, said: dict[str, Any], **more: object) -> dict[str, Any]:
    return {"ts": f"2026-02-01T10:00:{number:02}.123456789Z", "event_type": kind, "severity": "INFO",
            "schema_version": 7, "session_id": "s1", "agent_id": "a-1", "agent_name": "key-bot", "root_agent_id": "a-1",
            "agent_sequence": number, "user_name": "sam", kind: said, **more}  # fmt: skip


def tool(number: int, phase: str, **more: object) -> dict[str, Any]:
    return event(number, "tool_invocation", {"phase": phase, "tool": "isolate", "tool_call_id": "t1", **more})


RUN = [
    event(1, "llm_prompt", {"prompt_id": "p1", "role": "user", "prompt": "isolate db-1"}),
    event(2, "llm_response", {"response_id": "r1", "reply_to_prompt_id": "p1", "response": "yes"}, model="some-model"),
    tool(3, "call", tool_input='{"host":"db-1"}'),
    event(4, "hook_decision", {"connector": "c", "event": "PreToolUse", "action": "allow", "raw_action": "block",
                               "would_block": True, "enforced": False}, tool_name="isolate", tool_id="t1"),
    tool(5, "result", tool_output="ok", exit_code=0),
    event(6, "verdict", {"stage": "opa", "action": "block", "reason": "no"}, tool_name="isolate", tool_id="t2"),
    event(7, "activity", {"actor": "sam@x.example", "action": "approval.approve", "target_id": "t2"}),
    event(8, "egress", {"branch": "known", "decision": "block", "source": "go", "target_host": "h.example"}),
    event(9, "lifecycle", {"subsystem": "agent", "transition": "start"}, agent_lifecycle_event="subagent_start",
          agent_id="a-2", agent_name="sub-bot", parent_agent_id="a-1"),
    event(10, "scan", {"scanner": "x"}),
]  # fmt: skip


def test_call_and_result_are_one_step_with_its_nanoseconds() -> None:
    assert defenseclaw.claims(RUN[0])
    assert claimed_by(defenseclaw) == set()
    outcome = read_lines(defenseclaw, *RUN)
    assert told(outcome) == len(RUN)
    call, result = [o for o in outcome[0] if o.kind == "tool_call"]
    assert call.event_id == result.event_id
    assert (call.target, call.sequence, call.status, result.status) == ("db-1", 3, "pending", "ok")
    assert (call.started_at or 0) % 1_000_000_000 == 123456789
    assert result.sequence is None


def test_what_a_policy_decided_is_never_a_persons_approval() -> None:
    outcome = read_lines(defenseclaw, *RUN)
    hook = only(outcome, operation="hook_decision")
    assert (hook.approval, hook.approver) == ("automatic", "policy: defenseclaw")
    assert hook.parent_event_id == only(outcome, status="pending", kind="tool_call").event_id
    assert hook.gap
    assert only(outcome, operation="verdict").approval == "denied"


def test_an_operators_decision_names_the_operator() -> None:
    decision = only(read_lines(defenseclaw, *RUN), operation="approval.approve")
    assert (decision.kind, decision.approval, decision.approver) == ("approval", "approved", "sam@x.example")


def test_a_started_subagent_is_a_hand_over() -> None:
    handoff = only(read_lines(defenseclaw, *RUN), kind="handoff")
    assert (handoff.agent_id, handoff.target) == ("a-1", "sub-bot")


def test_mutated_events_never_raise_and_stay_accounted_for() -> None:
    withstands(defenseclaw, [RUN])
