"""Agent Framework sessions: calls joined with results, a request and its answer are one approval."""

from __future__ import annotations

import json
from typing import Any

import pytest
from microsoft_cases import NO_SAMPLES, SAMPLES, accounted, claimed_by, fuzz, read, read_document, read_sample

from ingest.readers._maf_parts import family
from ingest.readers.agent_framework import agent_framework

CALL = {
    "type": "function_call",
    "call_id": "k1",
    "id": "af-call-0a1b2c3d4e5f60718293a4b5c6d7e8f9",
    "name": "disable_account",
    "arguments": '{"username": "o.lindqvist"}',
}


def message(role: str, *contents: dict[str, Any], **more: Any) -> dict[str, Any]:
    author = {"author_name": "warden"} if role != "user" else {}
    return {"type": "message", "role": role, "contents": list(contents), **author, **more}


def words(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


def asked(**more: Any) -> dict[str, Any]:
    return {"type": "function_approval_request", "id": CALL["id"], "function_call": CALL, **more}


def answered(approved: Any, **more: Any) -> dict[str, Any]:
    return {
        "type": "function_approval_response",
        "id": CALL["id"],
        "approved": approved,
        "function_call": CALL,
        **more,
    }


def result(value: Any, **more: Any) -> dict[str, Any]:
    return {"type": "function_result", "call_id": "k1", "id": CALL["id"], "result": value, **more}


def session(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "session", "session_id": "s-77", "state": {"in_memory": {"messages": list(messages)}}, **more}


ASKED = message("assistant", words("One moment."), CALL, asked())
APPROVED = session(
    message("user", words("Lock that account")),
    ASKED,
    message("user", answered(True), author_name="Ines"),
    message("tool", result("locked")),
)


def units(value: Any) -> int:
    """A record for each message that says something or is the model's, and for each call, result, request, answer."""
    if not isinstance(value, dict) or not isinstance(value.get("contents"), list):
        return 1
    if not isinstance(value.get("role"), str | dict):
        return 1
    parts = value["contents"]
    steps = sum(family(part) != "" for part in parts)
    role = value["role"].get("value") if isinstance(value["role"], dict) else value["role"]
    return steps + (1 if role == "assistant" or not parts or steps < len(parts) else 0)


def is_message(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("contents"), list)
        and isinstance(value.get("role"), str | dict)
    )


def lists_in(value: Any) -> list[list[Any]]:
    found: list[list[Any]] = []
    for member in value.values() if isinstance(value, dict) else []:
        if isinstance(member, list) and any(is_message(item) for item in member):
            found.append(member)
        elif isinstance(member, dict):
            found += lists_in(member)
    return found


def expected(document: Any) -> int:
    if isinstance(document, dict) and "contents" in document:
        return units(document)
    held = lists_in(document)
    return sum(units(m) for listed in held for m in listed) or 1


@pytest.mark.skipif(not SAMPLES.exists(), reason=NO_SAMPLES)
@pytest.mark.parametrize("stem", ["maf", "maf_default_nocontent"])
def test_real_sessions_are_read_whole(stem: str) -> None:
    path = SAMPLES / f"generated/{stem}.otlp.jsonl.session.json"
    observations, rejected = read_sample(agent_framework, path)
    assert not rejected
    assert accounted(observations, rejected) == expected(json.loads(path.read_text()))
    isolate = next(o for o in observations if o.tool == "isolate_host" and o.kind == "tool_call")
    assert (isolate.target, isolate.status, isolate.approval) == ("wks-042", "ok", "approved")
    (approval,) = [o for o in observations if o.kind == "approval"]
    assert approval.parent_event_id == isolate.event_id
    assert approval.records == 2
    bare, rejected = read_sample(agent_framework, SAMPLES / f"generated/{stem}.otlp.jsonl.messages.json")
    assert not rejected
    assert {o.agent_id for o in bare} == {"triage"}
    assert [o.approval for o in bare if o.kind == "approval"] == ["pending"]


def test_an_answer_makes_the_request_an_approval_and_stands_on_the_call() -> None:
    observations, rejected = read_document(agent_framework, APPROVED)
    assert not rejected
    call = next(o for o in observations if o.kind == "tool_call")
    approval = next(o for o in observations if o.kind == "approval")
    assert (call.approval, call.approver, call.status, call.records) == ("approved", "Ines", "ok", 2)
    assert (approval.approval, approval.approver, approval.tool) == ("approved", "Ines", "disable_account")
    assert approval.target == "o.lindqvist"
    assert (approval.sequence or 0) > (call.sequence or 0)
    assert call.session_id == "s-77"


def test_a_policy_that_answers_is_automatic_and_a_no_denies_the_call() -> None:
    by_policy = answered(True, additional_properties={"approver": "auto-approve-policy"})
    observations, _ = read_document(
        agent_framework, session(ASKED, message("user", by_policy), message("tool", result("x")))
    )
    assert [o.approval for o in observations if o.kind == "approval"] == ["automatic"]
    observations, _ = read_document(
        agent_framework, session(ASKED, message("user", answered(False)), message("tool", result("not run")))
    )
    assert [(o.approval, o.status) for o in observations if o.kind == "tool_call"] == [("denied", "denied")]


def test_a_request_without_an_answer_is_pending_and_an_unasked_call_is_not_recorded() -> None:
    observations, _ = read_document(agent_framework, session(ASKED))
    assert [o.approval for o in observations if o.kind == "approval"] == ["pending"]
    observations, _ = read_document(agent_framework, session(message("assistant", CALL)))
    assert [o.approval for o in observations if o.kind == "tool_call"] == ["not_recorded"]


def test_a_call_id_that_comes_again_is_another_step() -> None:
    plain = {k: v for k, v in CALL.items() if k != "id"}
    answer = {"type": "function_result", "call_id": "k1", "result": "a"}
    turns = [message("assistant", plain), message("tool", answer), message("assistant", plain)]
    observations, _ = read_document(agent_framework, session(*turns, message("tool", {**answer, "exception": "late"})))
    calls = [o for o in observations if o.kind == "tool_call"]
    assert len({o.event_id for o in calls}) == 2
    assert [(o.status, o.error) for o in calls] == [("ok", None), ("error", "late")]


def test_dotnets_spelling_is_the_same_conversation() -> None:
    call = {"$type": "functionCall", "callId": "k1", "name": "handoff_to_billing", "arguments": {"why": "x"}}
    used = {"$type": "usage", "details": {"inputTokenCount": 12, "outputTokenCount": 3}}
    thread = {
        "storeState": {
            "messages": [
                {"role": "user", "contents": [{"$type": "text", "text": "help"}], "createdAt": "2026-03-01T10:00:00Z"},
                {"role": "assistant", "authorName": "front", "contents": [call, used]},
                {"role": "tool", "contents": [{"$type": "functionResult", "callId": "k1", "result": "ok"}]},
            ]
        }
    }
    assert claimed_by(thread) == ["agent_framework"]
    observations, rejected = read_document(agent_framework, thread)
    assert not rejected
    handoff = next(o for o in observations if o.kind == "handoff")
    assert (handoff.target, handoff.agent_id, handoff.status) == ("billing", "front", "ok")
    model = next(o for o in observations if o.kind == "model_call")
    assert (model.input_tokens, model.output_tokens) == (12, 3)
    assert observations[0].started_at == 1772359200 * 10**9


def test_a_reformatted_document_gives_the_same_ids() -> None:
    one, _ = read(agent_framework, APPROVED)
    two, _ = read_document(agent_framework, APPROVED)
    assert [o.event_id for o in one] == [o.event_id for o in two]


def test_a_session_kept_by_a_service_is_rejected_with_the_reason() -> None:
    observations, rejected = read(agent_framework, session(service_session_id="conv_1"))
    assert not observations
    assert "lies with the service" in rejected[0].reason


def test_mutated_sessions_never_raise_and_stay_accounted_for() -> None:
    fuzz(agent_framework, [APPROVED, session(ASKED, message("user", answered(False, reason="no")))], expected)
