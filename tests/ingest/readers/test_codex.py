"""Codex: what a rollout tells twice is one step; refusals and policies are told apart."""

from __future__ import annotations

import json
from typing import Any

import pytest
from mutated import SAMPLES, claimed_by, only, read_file, read_lines, told, withstands

from ingest.readers.codex import codex

SAMPLE = SAMPLES / "transcripts/codex/axsaucedo.rollout.jsonl"


def line(number: int, kind: str, **payload: object) -> dict[str, Any]:
    return {"timestamp": f"2026-02-01T10:00:{number:02}.000Z", "type": kind, "payload": payload}


def item(number: int, kind: str, **more: object) -> dict[str, Any]:
    return line(number, "response_item", type=kind, **more)


def event(number: int, kind: str, **more: object) -> dict[str, Any]:
    return line(number, "event_msg", type=kind, **more)


def says(number: int, role: str, words: str) -> dict[str, Any]:
    return item(number, "message", role=role, content=[{"type": "output_text", "text": words}])


def calls(number: int, identity: str, name: str = "shell", **given: object) -> dict[str, Any]:
    return item(number, "function_call", name=name, arguments=json.dumps(given), call_id=identity)


def answers(number: int, identity: str, output: object) -> dict[str, Any]:
    return item(number, "function_call_output", call_id=identity, output=output)


USAGE = {"last_token_usage": {"input_tokens": 50, "output_tokens": 7}, "total_token_usage": {"input_tokens": 50}}
META = line(1, "session_meta", id="c1", cli_version="0.108.0", cwd="/w")
RUN = [
    META,
    line(2, "turn_context", model="some-model", approval_policy="on-request"),
    says(3, "user", "list"),
    event(3, "user_message", message="list"),
    item(4, "reasoning", summary=[{"type": "summary_text", "text": "look"}]),
    calls(5, "k1", command=["ls"], host="db-1"),
    event(5, "exec_command_begin", call_id="k1", command=["ls"]),
    event(6, "exec_command_end", call_id="k1", exit_code=0, aggregated_output="x"),
    answers(6, "k1", "x"),
    event(6, "token_count", info=USAGE),
    event(7, "agent_message", message="done"),
    says(7, "assistant", "done"),
    event(7, "token_count", info=USAGE),
    line(8, "compacted", message="short"),
]
EXEC = [
    {"type": "thread.started", "thread_id": "x1"},
    {"type": "turn.started"},
    {"type": "item.started", "item": {"id": "item_0", "type": "command_execution", "command": "ls", "status": "in_progress"}},
    {"type": "item.completed", "item": {"id": "item_0", "type": "command_execution", "command": "ls", "status": "completed",
                                        "exit_code": 0, "aggregated_output": "x"}},
    {"type": "item.completed", "item": {"id": "item_1", "type": "mcp_tool_call", "server": "edr", "tool": "isolate",
                                        "arguments": {"host": "h"}, "status": "declined"}},
    {"type": "item.completed", "item": {"id": "item_2", "type": "agent_message", "text": "done"}},
    {"type": "turn.completed", "usage": {"input_tokens": 11, "output_tokens": 3}},
]  # fmt: skip


@pytest.mark.skipif(not SAMPLES.exists(), reason="no ../shared/samples beside this checkout")
def test_the_real_rollout_is_told_once() -> None:
    outcome = read_file(codex, SAMPLE)
    assert told(outcome) == 10
    assert not outcome[1]
    assert only(outcome, kind="message").records == 2
    assert only(outcome, kind="tool_call").records == 2
    assert claimed_by(codex) == {"transcripts/codex/" + SAMPLE.name}


def test_an_item_and_its_event_are_one_step_whichever_comes_first() -> None:
    outcome = read_lines(codex, *RUN)
    assert told(outcome) == len(RUN)
    assert only(outcome, kind="message").records == 2
    call = only(outcome, kind="tool_call")
    assert (call.records, call.status, call.target, call.approval) == (4, "ok", "db-1", "not_recorded")
    first, second = [o for o in outcome[0] if o.kind == "model_call"]
    assert call.parent_event_id == first.event_id
    assert (first.input_tokens, first.output_tokens) == (50, 7)
    # The same totals again are news of the rate limit and no further tokens.
    assert second.input_tokens is None


def test_policy_never_asks_nobody() -> None:
    outcome = read_lines(codex, META, line(2, "turn_context", approval_policy="never"), calls(3, "k"))
    assert only(outcome, kind="tool_call").approval == "automatic"


@pytest.mark.parametrize(
    "sentence", ["exec command rejected by user", "patch rejected by user", "user rejected MCP tool call"]
)
def test_a_persons_refusal_is_denied(sentence: str) -> None:
    outcome = read_lines(codex, META, calls(3, "k"), answers(4, "k", sentence))
    assert only(outcome, kind="tool_call").status == "denied"
    assert only(outcome, kind="approval").approval == "denied"


def test_a_failed_command_is_an_error_and_no_denial() -> None:
    output = json.dumps({"output": "no such file", "metadata": {"exit_code": 2}})
    outcome = read_lines(codex, META, calls(3, "k"), answers(4, "k", output))
    assert only(outcome, kind="tool_call").status == "error"


def test_a_request_for_approval_is_pending_below_its_call() -> None:
    asked = event(4, "exec_approval_request", call_id="k", command=["rm"])
    outcome = read_lines(codex, META, calls(3, "k", command=["rm"]), asked)
    decision = only(outcome, kind="approval")
    assert (decision.approval, decision.parent_event_id) == ("pending", only(outcome, kind="tool_call").event_id)


def test_an_older_rollout_of_bare_items_is_ordered_by_its_list() -> None:
    header = {"id": "old", "timestamp": "2025-05-01T00:00:00Z", "instructions": None}
    assert codex.claims(header)
    bare = [entry["payload"] for entry in (says(1, "user", "hi"), calls(2, "k"), answers(3, "k", "x"))]
    outcome = read_lines(codex, header, *bare)
    assert told(outcome) == 4
    document = {"session": header, "items": bare}
    assert codex.claims(document)
    assert {o.event_id for o in read_lines(codex, document)[0]} == {o.event_id for o in outcome[0]}


def test_exec_lines_are_ordered_by_their_place() -> None:
    assert codex.claims(EXEC[0])
    outcome = read_lines(codex, *EXEC)
    assert told(outcome) == len(EXEC)
    assert only(outcome, tool="command_execution").status == "ok"
    refused = only(outcome, tool="edr__isolate")
    assert (refused.status, refused.approval, refused.target) == ("denied", "denied", "h")
    assert only(outcome, kind="model_call").output_tokens == 3


def test_mutated_rollouts_never_raise_and_stay_accounted_for() -> None:
    withstands(codex, [RUN, EXEC, [META, calls(3, "k", name="spawn_agent"), answers(4, "k", '{"agent_id": "c2"}')]])
