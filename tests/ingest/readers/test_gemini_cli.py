"""Gemini CLI: recordings, their line form, saved chats and checkpoints."""

from __future__ import annotations

from typing import Any

import pytest
from mutated import SAMPLES, claimed_by, only, read_file, read_lines, told, withstands

from ingest.readers.gemini_cli import gemini_cli

SAMPLE = SAMPLES / "transcripts/gemini_cli/axsaucedo.session.json"
HEADER = {
    "sessionId": "g1",
    "projectHash": "p",
    "startTime": "2026-02-01T10:00:00.000Z",
    "lastUpdated": "2026-02-01T10:00:00.000Z",
}


def message(number: int, kind: str, **more: object) -> dict[str, Any]:
    return {"id": f"m{number}", "timestamp": f"2026-02-01T10:00:{number:02}.000Z", "type": kind, **more}


def called(status: str, **response: object) -> dict[str, Any]:
    answer = [{"functionResponse": {"id": "c1", "name": "shell", "response": response}}]
    return {"id": "c1", "name": "shell", "args": {"host": "db-1"}, "status": status, "result": answer}


TURN = message(
    2,
    "gemini",
    content="",
    model="some-model",
    tokens={"input": 7, "output": 2},
    toolCalls=[called("success", output="x")],
)
MESSAGES = [message(1, "user", content="list"), TURN, message(3, "error", content="limit")]
HISTORY = [
    {"role": "user", "parts": [{"text": "list"}]},
    {"role": "model", "parts": [{"text": "ok"}, {"functionCall": {"name": "shell", "args": {"host": "db-1"}}}]},
    {"role": "user", "parts": [{"functionResponse": {"name": "shell", "response": {"output": "x"}}}]},
]


def units(lines: list[Any]) -> int:
    """A document's messages, or the document alone; each line of the newer form."""
    total = 0
    for line in lines:
        held = line if isinstance(line, list) else None
        if (
            isinstance(line, dict)
            and "sessionId" not in line
            and {"toolCall", "authType"} & line.keys()
            and "history" in line
        ):
            history = line["history"] if isinstance(line["history"], list) else []
            waits = line.get("toolCall") is not None or not history
            total += max(len(history), 0) + (1 if waits else 0)
            continue
        if isinstance(line, dict) and isinstance(line.get("messages"), list) and "projectHash" in line:
            held = line["messages"]
        total += max(1, len(held)) if held is not None else 1
    return total


@pytest.mark.skipif(not SAMPLES.exists(), reason="no ../shared/samples beside this checkout")
def test_the_real_session_is_accounted_for() -> None:
    outcome = read_file(gemini_cli, SAMPLE)
    assert told(outcome) == 6
    assert {o.status for o in outcome[0] if o.kind == "tool_call"} == {"ok"}
    assert [o.input_tokens for o in outcome[0] if o.kind == "model_call"] == [1200, 800]
    assert claimed_by(gemini_cli) == {"transcripts/gemini_cli/" + SAMPLE.name}


def test_the_line_form_tells_the_same_events_as_the_document() -> None:
    document = read_lines(gemini_cli, HEADER | {"messages": MESSAGES})
    lines = read_lines(gemini_cli, HEADER, *MESSAGES, TURN)
    assert told(lines) == 5
    assert {o.event_id for o in document[0]} < {o.event_id for o in lines[0]}
    call = only(document, kind="tool_call")
    assert (call.status, call.target, call.approval) == ("ok", "db-1", "not_recorded")


def test_a_cancelled_call_is_denied_only_where_the_user_did_it() -> None:
    for reason, status in (("User denied execution", "denied"), ("timeout", "error")):
        turn = message(2, "gemini", toolCalls=[called("cancelled", error=f"[Operation Cancelled] Reason: {reason}")])
        outcome = read_lines(gemini_cli, HEADER | {"messages": [turn]})
        assert only(outcome, kind="tool_call").status == status
        assert [o.approval for o in outcome[0] if o.kind == "approval"] == (["denied"] if status == "denied" else [])


def test_a_saved_chat_joins_calls_and_responses_in_its_order() -> None:
    outcome = read_lines(gemini_cli, HISTORY)
    assert gemini_cli.claims(HISTORY)
    assert told(outcome) == 3
    call = only(outcome, kind="tool_call")
    assert (call.status, call.result, call.sequence) == ("ok", '{"output":"x"}', 2)


def test_a_checkpoints_call_waits_for_its_yes() -> None:
    checkpoint = {"history": HISTORY[:2], "toolCall": {"name": "shell", "args": {}}, "commitHash": "c"}
    assert gemini_cli.claims(checkpoint)
    call = only(read_lines(gemini_cli, checkpoint), kind="tool_call")
    assert (call.status, call.records) == ("pending", 1)


def test_the_log_of_prompts_is_messages() -> None:
    log = [
        {"sessionId": "g1", "messageId": 0, "type": "user", "message": "hi", "timestamp": "2026-02-01T10:00:00.000Z"}
    ]
    assert gemini_cli.claims(log)
    assert only(read_lines(gemini_cli, log), kind="message").arguments == '"hi"'


def test_mutated_sessions_never_raise_and_stay_accounted_for() -> None:
    withstands(gemini_cli, [[HEADER | {"messages": MESSAGES}]], units)
    withstands(gemini_cli, [[HISTORY]], units)
    withstands(gemini_cli, [[HEADER, *MESSAGES]], units)
