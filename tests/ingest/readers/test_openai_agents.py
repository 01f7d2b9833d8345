"""OpenAI Agents SDK traces: spans once, paused calls once, tokens once."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from export_checks import SAMPLES, accounted, line_each, never_raises, read, read_sample, sample_lines

from ingest.event import Observation
from ingest.readers.openai_agents import openai_agents
from ingest.settle import content_key, settle

SAMPLE = "generated/openai_agents_trace.jsonl"
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="no ../shared/samples beside this checkout")


def span(own: str, above: str | None, second: int, fault: Any = None, **data: Any) -> dict[str, Any]:
    return {
        "object": "trace.span", "id": own, "trace_id": "t1", "parent_id": above, "error": fault,
        "started_at": f"2026-03-01T10:00:{second:02}.000001+00:00",
        "ended_at": f"2026-03-01T10:00:{second:02}.500000+00:00", "span_data": data,
    }  # fmt: skip


OWN = [
    {"object": "trace", "id": "t1", "workflow_name": "Patrol", "group_id": "g1", "metadata": {"user_id": "kim"}},
    span("a1", None, 0, type="agent", name="guard", tools=["lock_door"]),
    span("u1", "a1", 1, type="custom", name="turn", data={"sdk_span_type": "turn", "agent_name": "guard",
         "usage": {"input_tokens": 9}}),
    span("m1", "u1", 1, type="generation", model="m", usage={"input_tokens": 9, "output_tokens": 2},
         input=[], output=[{"type": "function_call", "call_id": "c1", "name": "lock_door", "arguments": '{"host": "d1"}'}]),
    span("f1", "u1", 2, type="function", name="lock_door", input='{"host": "d1"}', output=None),
    span("a2", None, 5, type="agent", name="guard"),
    span("f2", "a2", 6, type="function", name="lock_door", input='{"host": "d1"}', output="locked"),
    span("r1", "a2", 7, type="response", response_id="resp_9", usage={"input_tokens": 3, "output_tokens": 1}),
    span("h1", "a2", 8, type="handoff", from_agent="guard", to_agent="chief"),
    span("g1", "a2", 8, type="guardrail", name="no_pii", triggered=True),
    span("l1", "a2", 9, type="mcp_tools", server="files", result=["read_file"]),
]  # fmt: skip


def by_span(*spans: Any) -> dict[str, Observation]:
    """Observations by the line they came from, named as the span there."""
    observations, rejected = read(openai_agents, *spans)
    assert not rejected
    return {spans[int(o.source.rsplit(":", 1)[1]) - 1]["id"]: o for o in observations}


@needs_samples
def test_the_real_trace_is_read_whole() -> None:
    observations, rejected = read_sample(openai_agents, SAMPLE)
    assert accounted(observations, rejected) == 19 and not rejected
    assert Counter(o.kind for o in observations) == {"lifecycle": 10, "model_call": 4, "tool_call": 4, "handoff": 1}
    assert sum(o.input_tokens or 0 for o in observations) == 200
    settled = settle((content_key(o), o) for o in observations)
    calls = [row for row in settled if row.kind == "tool_call" and row.witness_of is None]
    assert sorted((c.tool, c.agent_id, c.status) for c in calls) == [
        ("flaky", "triage", "error"), ("isolate_host", "responder", "ok"), ("lookup_ip", "triage", "ok"),
    ]  # fmt: skip
    assert {row.session_id for row in settled} == {"thread-42"}


def test_a_paused_and_a_resumed_span_are_one_call() -> None:
    said = by_span(*OWN)
    assert said["f1"].event_id == said["f2"].event_id
    assert (said["f1"].status, said["f2"].status) == ("pending", "ok")
    assert said["f1"].gap is None and said["f2"].target == "d1"


def test_the_order_of_the_lines_changes_nothing() -> None:
    there, back = by_span(*OWN), by_span(*reversed(OWN))
    assert {k: o.event_id for k, o in there.items()} == {k: o.event_id for k, o in back.items()}


def test_two_calls_with_equal_arguments_stay_two() -> None:
    twice = [OWN[2], *(span(f"f{n}", "u1", n, type="function", name="poll", input="{}", output="no") for n in (3, 4))]
    said = by_span(*twice)
    assert said["f3"].event_id != said["f4"].event_id


def test_a_call_that_nothing_followed_says_what_is_not_known() -> None:
    said = by_span(span("f", None, 1, type="function", name="t", input="{}", output=None))["f"]
    assert said.status == "pending" and "waits for an approval" in (said.gap or "")
    hidden = by_span(span("f", None, 1, type="function", name="t", input=None, output=None))["f"]
    assert hidden.status == "unknown" and hidden.gap == "arguments and result not recorded"


def test_redacted_errors_are_a_gap() -> None:
    error = {"message": "Error running tool", "data": {"error": "Details are redacted."}}
    said = by_span(span("f", None, 1, error, type="function", name="t", input="{}", output="x"))["f"]
    assert said.error == "Error running tool: Details are redacted." and said.gap == "error details redacted"


def test_other_spans_say_what_they_are() -> None:
    said = by_span(*OWN)
    assert said["t1"].session_id == "g1" and said["t1"].on_behalf_of == "kim" and said["t1"].service == "Patrol"
    assert said["a1"].operation == "invoke_agent" and said["a1"].agent_id == "guard"
    assert said["r1"].input_tokens == 3 and "not exported" in (said["r1"].gap or "")
    assert said["u1"].input_tokens is None
    assert (said["h1"].agent_id, said["h1"].target) == ("guard", "chief")
    assert said["g1"].status == "denied"
    assert said["l1"].target == "files"


def test_batches_read_like_lines() -> None:
    lines, _ = read(openai_agents, *OWN)
    batch, _ = read(openai_agents, {"data": OWN})
    assert [o.event_id for o in lines] == [o.event_id for o in batch]
    assert openai_agents.claims({"data": OWN}) and openai_agents.claims(OWN)


def test_what_is_no_span_is_rejected() -> None:
    _, rejected = read(openai_agents, {"object": "trace.span", "id": "x"}, 3, {"object": "trace"})
    assert [r.line for r in rejected] == [1, 2, 3]


def test_mutated_traces_never_raise() -> None:
    never_raises(openai_agents, [*OWN, *sample_lines(SAMPLE)], line_each)
