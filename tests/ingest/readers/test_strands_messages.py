"""Strands and Converse lists: every message and tool use once, results joined, interrupts answered."""

from __future__ import annotations

import json
from typing import Any

import pytest
from microsoft_cases import NO_SAMPLES, SAMPLES, accounted, claimed_by, fuzz, read, read_document, read_sample

from ingest.readers.strands_messages import strands_messages

STEPS = ("toolUse", "toolResult", "interruptResponse")


def use(identity: str, name: str, **given: Any) -> dict[str, Any]:
    return {"toolUse": {"toolUseId": identity, "name": name, "input": given}}


def answer(identity: str, said: str, status: str = "success") -> dict[str, Any]:
    return {"toolResult": {"toolUseId": identity, "status": status, "content": [{"text": said}]}}


def message(role: str, *content: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"role": role, "content": list(content), **more}


TALK = [
    message("user", {"text": "Free up disk on db-3"}, tracking_id="51f0c8aa-7d1e-4c55-9e0f-a4b8a1f6e0c2"),
    message("assistant", {"text": "Looking."}, use("u1", "list_files", path="/var"), use("u2", "df", host="db-3")),
    message("user", answer("u2", "91 %"), answer("u1", "no such host", "error")),
    message("assistant", {"text": "Done."}, metadata={"usage": {"inputTokens": 9, "outputTokens": 4}}),
]


def is_step(part: Any) -> bool:
    return isinstance(part, dict) and any(isinstance(part.get(s), dict) and part[s] for s in STEPS)


def units(value: Any) -> int:
    if isinstance(value, dict) and isinstance(value.get("message"), dict) and "role" not in value:
        value = value["message"]
    if (
        not isinstance(value, dict)
        or not isinstance(value.get("role"), str)
        or not isinstance(value.get("content"), list)
    ):
        return 1
    steps = sum(map(is_step, value["content"]))
    own = value["role"] == "assistant" or steps < len(value["content"]) or not steps
    return steps + own


def expected(document: Any) -> int:
    if isinstance(document, dict):
        held = document.get("messages")
        if isinstance(held, list) and held and "role" not in document:
            document = held
        else:
            return units(document)
    return sum(map(units, document)) or 1


@pytest.mark.skipif(not SAMPLES.exists(), reason=NO_SAMPLES)
@pytest.mark.parametrize("stem", ["strands_default", "strands_latest", "strands_simple_processor"])
def test_real_lists_are_read_whole(stem: str) -> None:
    path = SAMPLES / f"generated/{stem}.otlp.jsonl.messages.json"
    observations, rejected = read_sample(strands_messages, path)
    assert not rejected
    assert accounted(observations, rejected) == expected(json.loads(path.read_text()))
    assert [(o.tool, o.status) for o in observations if o.kind == "tool_call"] == [
        ("lookup_ip", "ok"),
        ("flaky", "error"),
        ("isolate_host", "ok"),
    ]
    assert [o.input_tokens for o in observations if o.kind == "model_call"] == [101, 103, 105]


def test_results_find_their_calls_in_any_order() -> None:
    observations, rejected = read_document(strands_messages, TALK)
    assert not rejected
    calls = {o.tool: o for o in observations if o.kind == "tool_call"}
    assert calls["df"].result == '"91 %"'
    assert (calls["list_files"].status, calls["df"].target) == ("error", "db-3")
    assert calls["df"].approval == "cannot_record"


def test_an_answered_interrupt_is_an_approval_of_the_tool_use_in_its_id() -> None:
    interrupt = "v1:before_tool_call:u9:0f3a5c1e-2b4d-4e6f-8a9b-0c1d2e3f4a5b"
    talk = [
        message("assistant", use("u9", "wipe_disk", host="db-3")),
        message("user", {"interruptResponse": {"interruptId": interrupt, "response": "n"}}),
        message("user", answer("u9", "cancelled", "error")),
    ]
    observations, _ = read_document(strands_messages, talk)
    call = next(o for o in observations if o.kind == "tool_call")
    approval = next(o for o in observations if o.kind == "approval")
    assert approval.parent_event_id == call.event_id
    assert (approval.approval, call.approval, call.status) == ("denied", "denied", "denied")


def test_a_swarms_handoff_names_the_agent() -> None:
    body = {"session_id": "s", "messages": [message("assistant", use("h", "handoff_to_agent", agent_name="writer"))]}
    assert claimed_by(body) == ["strands_messages"]
    observations, _ = read_document(strands_messages, body)
    assert [(o.target, o.session_id) for o in observations if o.kind == "handoff"] == [("writer", "s")]


def test_a_result_without_its_call_is_kept_with_a_gap() -> None:
    observations, _ = read_document(strands_messages, [message("user", answer("gone", "42"))])
    assert [o.gap for o in observations] == ["the call of this result is not in the list"]


def test_other_formats_lists_are_not_claimed() -> None:
    assert "strands_messages" not in claimed_by([{"role": "user", "content": [{"type": "text", "text": "x"}]}])
    assert "strands_messages" not in claimed_by([{"role": "user", "contents": []}])
    assert claimed_by(TALK) == ["strands_messages"]


def test_lines_are_one_list() -> None:
    assert len({o.trace_id for o in read(strands_messages, *TALK)[0]}) == 1


def test_mutated_lists_never_raise_and_stay_accounted_for() -> None:
    body = {"session_id": "s", "messages": TALK}
    fuzz(strands_messages, [body, TALK, [{"message": m, "message_id": 0} for m in TALK]], expected)
