"""Copilot Studio transcripts: the planner's steps as tool calls, cards as approvals."""

from __future__ import annotations

import json
from typing import Any

from microsoft_cases import accounted, claimed_by, fuzz, read, read_document

from ingest.readers.copilot_studio import copilot_studio

AT = 1_780_000_000


def said(identity: str, role: Any, text: str | None = None, **more: Any) -> dict[str, Any]:
    who = {"id": f"id-{role}", "role": role}
    return {"type": "message", "id": identity, "timestamp": AT, "from": who, **({"text": text} if text else {}), **more}


def told(identity: str, what: str, **value: Any) -> dict[str, Any]:
    return {
        "type": "event", "id": identity, "timestamp": AT + 1, "from": {"role": 0}, "valueType": what, "value": value,
    }  # fmt: skip


STEP = {"planIdentifier": "p", "stepId": "s", "taskDialogId": "MCP:cr1_ops.ops:isolate_host"}
PLAN = [
    said("1", 1, "isolate wks-7"),
    told("2", "DynamicPlanReceived", planIdentifier="p", steps=["MCP:cr1_ops.ops:isolate_host"]),
    told("3", "DynamicPlanStepTriggered", **STEP, thought="The host must go.", state="inProgress", type="Action"),
    told("4", "DynamicPlanStepBindUpdate", **STEP, arguments={"hostname": "wks-7"}),
    told("5", "DynamicPlanStepFinished", **STEP, state="completed", observation={"status": "isolated"}),
    told("6", "DynamicPlanFinished", planIdentifier="p"),
    said("7", 0, "Done."),
]
CARD = {
    "contentType": "application/vnd.microsoft.card.adaptive",
    "content": {
        "type": "AdaptiveCard",
        "body": [{"type": "TextBlock", "text": "Isolate wks-7?"}],
        "actions": [{"type": "Action.Submit", "title": "Approve"}, {"type": "Action.Submit", "title": "Reject"}],
    },
}
ROW = {
    "conversationtranscriptid": "t-1",
    "name": "conv-9_bot-3",
    "metadata": json.dumps({"BotId": "bot-3", "BotName": "Ops Helper", "BatchId": "0"}),
    "content": json.dumps({"activities": PLAN}),
}


def test_the_records_of_a_step_are_one_tool_call() -> None:
    assert claimed_by(ROW) == claimed_by({"value": [ROW]}) == claimed_by({"activities": PLAN}) == ["copilot_studio"]
    observations, rejected = read(copilot_studio, ROW)
    assert not rejected
    (call,) = [o for o in observations if o.kind == "tool_call"]
    assert (call.tool, call.target, call.status, call.records) == ("isolate_host", "wks-7", "ok", 3)
    assert call.result == '{"status":"isolated"}'
    assert (call.agent_id, call.session_id, call.approval) == ("Ops Helper", "conv-9", "not_recorded")
    thought = next(o for o in observations if o.operation == "thought")
    plan = next(o for o in observations if o.operation == "DynamicPlanReceived")
    assert (call.parent_event_id, thought.parent_event_id) == (thought.event_id, plan.event_id)
    assert accounted(observations, rejected) == len(PLAN) + 1
    assert observations[0].on_behalf_of == "id-1"
    assert observations[0].started_at == AT * 10**9


def test_names_without_the_prefix_and_roles_as_words_are_the_same() -> None:
    short = [{**a, "valueType": a["valueType"].removeprefix("Dynamic")} if "valueType" in a else a for a in PLAN]
    bare = [{**a, "valueType": a["valueType"].replace("PlanStep", "Step")} if "valueType" in a else a for a in short]
    worded = [{**a, "from": {**a["from"], "role": "bot" if a["from"]["role"] == 0 else "user"}} for a in bare]
    observations, _ = read_document(copilot_studio, {"activities": worded})
    assert [(o.tool, o.records) for o in observations if o.kind == "tool_call"] == [("isolate_host", 3)]
    assert [o.operation for o in observations if o.kind == "message"] == ["user", "thought", "bot"]


def test_the_channels_position_is_the_order() -> None:
    placed = [{**a, "channelData": {"webchat:internal:position": n}} for n, a in enumerate(PLAN)]
    one, _ = read_document(copilot_studio, {"activities": placed})
    two, _ = read_document(copilot_studio, {"activities": placed[::-1]})
    assert {(o.event_id, o.sequence) for o in one} == {(o.event_id, o.sequence) for o in two}


def test_a_card_and_its_answer_are_one_approval_of_the_open_step() -> None:
    asked = said("c", 0, attachments=[CARD])
    answer = {**said("d", 1), "replyToId": "c", "value": {"action": "Approve"}}
    answer["from"]["name"] = "Ines"
    activities = [*PLAN[:4], asked, answer, *PLAN[4:]]
    observations, rejected = read_document(copilot_studio, {"activities": activities})
    (approval,) = [o for o in observations if o.kind == "approval"]
    (call,) = [o for o in observations if o.kind == "tool_call"]
    assert (approval.approval, approval.approver, approval.parent_event_id) == ("approved", "Ines", call.event_id)
    assert (call.approval, call.approver) == ("approved", "Ines")
    assert accounted(observations, rejected) == len(activities) + 1


def test_a_card_without_an_answer_is_pending_and_a_form_is_no_decision() -> None:
    asked = said("c", 0, attachments=[CARD])
    observations, _ = read_document(copilot_studio, {"activities": [asked]})
    assert [o.approval for o in observations if o.kind == "approval"] == ["pending"]
    form = {**said("d", 1), "value": {"size": "XL", "result": "ok"}}
    observations, _ = read_document(copilot_studio, {"activities": [form]})
    assert [o.kind for o in observations] == ["message"]


def test_a_redirect_to_another_agent_is_a_handoff_and_to_a_topic_is_not() -> None:
    there = told("1", "DialogRedirect", targetDialogId="cr1_ops.agent.Payroll", targetDialogType=2)
    topic = told("2", "DialogRedirect", targetDialogId="cr1_ops.topic.Goodbye")
    observations, _ = read_document(copilot_studio, {"activities": [there, topic]})
    assert [(o.kind, o.target) for o in observations] == [
        ("handoff", "Payroll"),
        ("lifecycle", "cr1_ops.topic.Goodbye"),
    ]


def test_a_step_that_fails_or_is_blocked_says_so() -> None:
    failed = told("5", "DynamicPlanStepFinished", **STEP, state="failed", observation={"error": "no route"})
    blocked = told("5", "DynamicPlanStepBlocked", **STEP, reason="policy")
    for last, status, error in ((failed, "error", "no route"), (blocked, "denied", "policy")):
        observations, _ = read_document(copilot_studio, {"activities": [*PLAN[:4], last]})
        assert [(o.status, o.error) for o in observations if o.kind == "tool_call"] == [(status, error)]


def test_the_rows_of_a_long_conversation_stay_in_order() -> None:
    second = {**ROW, "metadata": json.dumps({"BotName": "Ops Helper", "BatchId": "1"})}
    observations, _ = read(copilot_studio, ROW, {**second, "content": json.dumps({"activities": [said("9", 1, "hi")]})})
    numbers = [o.sequence or 0 for o in observations]
    assert numbers == sorted(numbers)
    assert len({o.trace_id for o in observations}) == 1


def test_content_that_is_cut_off_is_rejected() -> None:
    _, rejected = read(copilot_studio, {**ROW, "content": ROW["content"][:300]})
    assert "cut off" in rejected[0].reason


def test_mutated_transcripts_never_raise_and_stay_accounted_for() -> None:
    def expected(document: Any) -> int:
        observations, rejected = read(copilot_studio, document)
        extra = sum(o.records == 0 for o in observations)
        held = document.get("activities") if isinstance(document, dict) else document
        if not isinstance(held, list):
            return accounted(observations, rejected)
        return max(1, len(held)) + extra

    asked = said("c", 0, attachments=[CARD])
    answer = {**said("d", 1), "replyToId": "c", "value": {"action": "Approve"}}
    fuzz(copilot_studio, [{"activities": [*PLAN[:4], asked, answer, *PLAN[4:]]}], expected)
