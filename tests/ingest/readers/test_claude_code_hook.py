"""Claude Code hooks: before and after a call are one step, the same that the session file tells of."""

from __future__ import annotations

from typing import Any

import pytest
from mutated import SAMPLES, claimed_by, only, read_file, read_lines, told, withstands

from ingest.readers.claude_code import claude_code
from ingest.readers.claude_code_hook import claude_code_hook

SAMPLE = SAMPLES / "otlp_genai/defenseclaw/claudecode.post-tool-use.hook.source.json"


def hook(event: str, **more: object) -> dict[str, Any]:
    return {"hook_event_name": event, "session_id": "s1", "cwd": "/w", **more}


CALL = {"tool_name": "Bash", "tool_input": {"command": "ls", "host": "db-1"}}
RUN = [
    hook("UserPromptSubmit", prompt="list"),
    hook("PreToolUse", tool_use_id="t1", **CALL),
    hook("PostToolUse", tool_use_id="t1", tool_response={"stdout": "x"}, **CALL),
    hook("PermissionRequest", tool_use_id="t2", **CALL),
    hook("Stop"),
]


@pytest.mark.skipif(not SAMPLES.exists(), reason="no ../shared/samples beside this checkout")
def test_a_payload_without_content_is_a_call_whose_content_was_left_out() -> None:
    outcome = read_file(claude_code_hook, SAMPLE)
    call = only(outcome, kind="tool_call", tool="Read", status="ok")
    assert call.gap == "arguments and result left out"
    assert call.sequence is None
    assert claimed_by(claude_code_hook) == {"otlp_genai/defenseclaw/" + SAMPLE.name}


def test_before_and_after_a_call_have_the_session_files_id() -> None:
    outcome = read_lines(claude_code_hook, *RUN)
    before, after = only(outcome, operation="PreToolUse"), only(outcome, operation="PostToolUse")
    said = {"role": "assistant", "id": "m", "content": [{"type": "tool_use", "id": "t1", "name": "Bash", "input": {}}]}
    call = only(read_lines(claude_code, {"type": "assistant", "sessionId": "s1", "message": said}), kind="tool_call")
    assert before.event_id == after.event_id == call.event_id
    assert (before.status, after.status, after.target) == ("pending", "ok", "db-1")
    assert before.trace_id == call.trace_id


def test_without_ids_the_nth_before_and_the_nth_after_are_one_call() -> None:
    lines = [hook("PreToolUse", **CALL), hook("PostToolUse", **CALL)] * 2
    steps = read_lines(claude_code_hook, *lines)[0]
    assert steps[0].event_id == steps[1].event_id != steps[2].event_id == steps[3].event_id


def test_an_asked_permission_is_pending_and_a_bypassed_one_automatic() -> None:
    outcome = read_lines(claude_code_hook, *RUN, hook("PreToolUse", permission_mode="bypassPermissions", **CALL))
    assert only(outcome, kind="approval").approval == "pending"
    assert outcome[0][-1].approval == "automatic"


def test_mutated_payloads_never_raise_and_stay_accounted_for() -> None:
    assert told(read_lines(claude_code_hook, *RUN)) == len(RUN)
    withstands(claude_code_hook, [RUN])
