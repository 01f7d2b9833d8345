"""Claude Code sessions: each message, call and denial once, subagents below the call that started them."""

from __future__ import annotations

from typing import Any

import pytest
from mutated import SAMPLES, claimed_by, only, read_file, read_lines, told, withstands

from ingest.readers.claude_code import claude_code
from ingest.settle import content_key, settle

needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="no ../shared/samples beside this checkout")
FOLDER = SAMPLES / "transcripts/claude_code"
REFUSED = "The user doesn't want to proceed with this tool use. The tool use was rejected."


def line(number: int, kind: str, content: object, **more: object) -> dict[str, Any]:
    role = "assistant" if kind == "assistant" else "user"
    message: dict[str, Any] = {"role": role, "content": content}
    message |= more.pop("message", {})  # type: ignore[arg-type]
    return {
        "type": kind, "uuid": f"u{number}", "parentUuid": f"u{number - 1}" if number > 1 else None,
        "timestamp": f"2026-02-01T10:00:{number:02}.000Z", "sessionId": "s1", "version": "2.1.0",
        "isSidechain": False, "message": message, **more,
    }  # fmt: skip


def use(identity: str, name: str, **given: object) -> dict[str, Any]:
    return {"type": "tool_use", "id": identity, "name": name, "input": given}


def result(identity: str, content: object = "done", **more: object) -> list[dict[str, Any]]:
    return [{"type": "tool_result", "tool_use_id": identity, "content": content, **more}]


SAID = {"id": "msg_1", "model": "some-model", "usage": {"input_tokens": 9, "output_tokens": 2}}
MORE = {"id": "msg_1", "model": "some-model", "usage": {"input_tokens": 9, "output_tokens": 30}}
TALK = [
    line(1, "user", "Rotate the key"),
    line(2, "assistant", [{"type": "text", "text": "I look first"}], message=SAID),
    line(3, "assistant", [use("t1", "WebFetch", url="https://kms.example/keys")], message=MORE),
    line(4, "user", result("t1"), toolUseResult={"code": 200}),
    line(5, "assistant", [use("t2", "Bash", command="rm -rf x")], message={"id": "msg_2"}),
    line(6, "user", result("t2", REFUSED, is_error=True)),
    {"type": "summary", "summary": "Key rotation", "leafUuid": "u6"},
    {"type": "system", "subtype": "compact_boundary", "uuid": "u8", "parentUuid": None, "sessionId": "s1"},
]


@needs_samples
def test_every_line_of_the_real_files_is_accounted_for() -> None:
    for name, lines, calls in (("axsaucedo.session.jsonl", 24, 4), ("axsaucedo.agent-subagent.jsonl", 6, 3)):
        outcome = read_file(claude_code, FOLDER / name)
        assert told(outcome) == lines
        assert not outcome[1]
        assert sum(o.kind == "tool_call" for o in outcome[0]) == calls


@needs_samples
def test_no_other_formats_file_is_claimed() -> None:
    assert all("claude_code" in name for name in claimed_by(claude_code))


def test_one_message_over_several_lines_is_one_model_call_with_its_tokens_once() -> None:
    outcome = read_lines(claude_code, *TALK)
    turn = only(outcome, kind="model_call", records=2)
    assert (turn.input_tokens, turn.output_tokens, turn.model) == (9, 30, "some-model")
    assert told(outcome) == len(TALK)


def test_a_result_joins_its_call_by_id() -> None:
    outcome = read_lines(claude_code, *TALK)
    call = only(outcome, tool="WebFetch", kind="tool_call")
    assert (call.status, call.result, call.target) == ("ok", '"done"', "https://kms.example/keys")
    assert call.parent_event_id == only(outcome, kind="model_call", records=2).event_id
    assert call.approval == "not_recorded"


def test_a_persons_refusal_is_a_denied_approval_by_nobody_named() -> None:
    outcome = read_lines(claude_code, *TALK)
    call = only(outcome, tool="Bash", kind="tool_call")
    decision = only(outcome, kind="approval")
    assert (call.status, call.approval) == ("denied", "denied")
    assert (decision.approval, decision.approver, decision.parent_event_id) == ("denied", None, call.event_id)


def test_a_denial_by_rules_names_the_policy() -> None:
    refused = result("t1", "Permission to use Bash with command x has been denied.", is_error=True)
    outcome = read_lines(claude_code, line(1, "assistant", [use("t1", "Bash")]), line(2, "user", refused))
    assert only(outcome, kind="approval").approver == "policy: permission rules"


def test_bypassing_permissions_lets_calls_through_automatically() -> None:
    opened = line(1, "user", "go", permissionMode="bypassPermissions")
    outcome = read_lines(claude_code, opened, line(2, "assistant", [use("t1", "Bash")], message={"id": "m"}))
    assert only(outcome, kind="tool_call").approval == "automatic"


def test_accepted_edits_cover_edits_and_nothing_else() -> None:
    opened = line(1, "user", "go", permissionMode="acceptEdits")
    calls = line(2, "assistant", [use("t1", "Bash"), use("t2", "Edit")], message={"id": "m"})
    outcome = read_lines(claude_code, opened, calls)
    assert only(outcome, tool="Bash").approval == "not_recorded"
    assert only(outcome, tool="Edit").approval == "automatic"


def test_a_subagents_steps_stand_below_the_call_that_started_it() -> None:
    call = use("t9", "Task", subagent_type="key-auditor", prompt="audit")
    main = [
        line(1, "assistant", [call], message={"id": "m1"}),
        line(2, "user", result("t9"), toolUseResult={"agentId": "a7", "status": "completed"}),
    ]
    below = line(1, "user", "audit", isSidechain=True, agentId="a7") | {"uuid": "v1"}
    acts = line(2, "assistant", [use("t10", "Grep")], message={"id": "m2"}, isSidechain=True, agentId="a7")
    first, second = read_lines(claude_code, *main), read_lines(claude_code, below, acts | {"parentUuid": "v1"})
    assert only(first, kind="handoff").target == "key-auditor"
    rows = settle((content_key(o), o) for o in [*first[0], *second[0]])
    assert {r.agent_id for r in rows if r.tool == "Grep"} == {"key-auditor"}
    assert {r.agent_id for r in rows if r.kind == "handoff"} == {"claude-code"}


def test_a_copied_history_is_the_same_events() -> None:
    copied = {**TALK[0], "sessionId": "s2", "forkedFrom": {"sessionId": "s1", "messageUuid": "u1"}}
    ours, theirs = read_lines(claude_code, TALK[0])[0][0], read_lines(claude_code, copied)[0][0]
    assert (ours.event_id, ours.trace_id) == (theirs.event_id, theirs.trace_id)


def test_a_call_and_its_result_in_two_files_have_one_id() -> None:
    call = only(read_lines(claude_code, *TALK[:3]), kind="tool_call")
    answer = only(read_lines(claude_code, TALK[3]), kind="tool_call")
    assert call.event_id == answer.event_id
    assert answer.gap


def test_printed_lines_without_times_are_ordered_by_their_place() -> None:
    printed = [
        {"type": "system", "subtype": "init", "session_id": "p1", "permissionMode": "bypassPermissions"},
        {"type": "assistant", "message": {"id": "m", "content": [use("t", "Bash")]}, "session_id": "p1",
         "parent_tool_use_id": None},
        {"type": "user", "message": {"content": result("t")}, "session_id": "p1", "parent_tool_use_id": None},
        {"type": "result", "subtype": "success", "session_id": "p1", "is_error": False},
    ]  # fmt: skip
    assert claude_code.claims(printed[0])
    outcome = read_lines(claude_code, *printed)
    assert only(outcome, kind="tool_call").approval == "automatic"
    assert [o.sequence for o in outcome[0]] == sorted(o.sequence or 0 for o in outcome[0])
    assert told(outcome) == 4


def test_mutated_sessions_never_raise_and_stay_accounted_for() -> None:
    progress = {"type": "progress", "toolUseID": "t1", "uuid": "u4p", "parentUuid": "u3", "sessionId": "s1"}
    withstands(claude_code, [TALK, [*TALK[:3], progress, TALK[3]]])
