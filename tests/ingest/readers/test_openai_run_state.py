"""Run states: what waits, what was decided, and the calls they belong to."""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import Any

import pytest
from export_checks import MUTATIONS, SAMPLES, accounted, mutate, read, read_sample

from ingest.event import Observation
from ingest.readers.openai_agents import openai_agents
from ingest.readers.openai_run_state import openai_run_state
from ingest.settle import content_key, settle

SAMPLE = "generated/openai_agents_trace.jsonl.runstate.json"
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="no ../shared/samples beside this checkout")


def call(call_id: str, tool: str = "wipe", **arguments: Any) -> dict[str, Any]:
    raw = {"type": "function_call", "call_id": call_id, "name": tool, "arguments": json.dumps(arguments)}
    return {"type": "tool_call_item", "raw_item": raw, "agent": {"name": "janitor"}, "tool_name": tool}


def output(call_id: str, said: str) -> dict[str, Any]:
    raw = {"type": "function_call_output", "call_id": call_id, "output": said}
    return {"type": "tool_call_output_item", "raw_item": raw, "agent": {"name": "janitor"}, "output": said}


def state(*items: Any, waiting: Any = (), **context: Any) -> dict[str, Any]:
    made = [i["raw_item"] for i in items if i["type"] == "tool_call_item"]
    return {
        "$schemaVersion": "1.9", "current_turn": 1, "current_agent": {"name": "janitor"},
        "original_input": "clean up", "generated_items": list(items), "context": context,
        "model_responses": [{"usage": {"input_tokens": 7, "output_tokens": 2}, "output": made, "response_id": "r1"}],
        "current_step": {"type": "next_step_interruption", "data": {"interruptions": list(waiting)}},
        "trace": {"id": "t9", "group_id": "g9", "workflow_name": "Cleaning"},
    }  # fmt: skip


def read_one(*values: Any) -> list[Observation]:
    observations, rejected = read(openai_run_state, *values)
    assert not rejected
    return observations


@needs_samples
def test_the_real_state_holds_a_pending_approval_bound_to_its_call() -> None:
    observations, rejected = read_sample(openai_run_state, SAMPLE)
    assert not rejected and accounted(observations, rejected) == 1 + 3 + 8
    assert Counter(o.kind for o in observations) == {
        "model_call": 3, "tool_call": 3, "lifecycle": 1, "handoff": 1, "approval": 1,
    }  # fmt: skip
    approval = next(o for o in observations if o.kind == "approval")
    waiting = next(o for o in observations if o.event_id == approval.parent_event_id)
    assert (approval.approval, waiting.tool, waiting.target) == ("pending", "isolate_host", "wks-042")
    assert waiting.approval == "pending"


@needs_samples
def test_state_and_trace_of_one_run_tell_of_the_same_calls() -> None:
    state_said, _ = read_sample(openai_run_state, SAMPLE)
    trace_said, _ = read_sample(openai_agents, "generated/openai_agents_trace.jsonl")
    rows = settle((content_key(o), o) for o in [*state_said, *trace_said])
    events = [row for row in rows if row.witness_of is None]
    assert Counter(row.kind for row in events if row.kind in ("tool_call", "handoff", "approval")) == {
        "tool_call": 3, "handoff": 1, "approval": 1,
    }  # fmt: skip
    assert sum(row.input_tokens or 0 for row in events) == 200


@pytest.mark.parametrize(
    ("context", "verdict"),
    [
        ({"approvals": {"wipe": {"approved": ["c1"], "rejected": []}}}, "approved"),
        ({"approvals": {"wipe": {"approved": [], "rejected": ["c1"]}}}, "denied"),
        ({"approvals": {"wipe": {"approved": True, "rejected": []}}}, "automatic"),
        ({"function_tool_approvals": [{"tool_key": "wipe", "decision": {"approved": ["c1"]}}]}, "approved"),
        ({"approvals": {"ops.wipe": {"approved": ["c1"]}}}, "approved"),
    ],
)
def test_decisions_in_the_state_are_approvals_of_their_call(context: dict[str, Any], verdict: str) -> None:
    said = read_one(state(call("c1", disk="d"), output("c1", "done"), **context))
    approval = next(o for o in said if o.kind == "approval")
    made = next(o for o in said if o.kind == "tool_call")
    assert (approval.approval, made.approval) == (verdict, verdict)
    assert approval.parent_event_id == made.event_id and approval.tool == "wipe"
    assert approval.approver is None


def test_what_was_decided_for_another_call_covers_nothing() -> None:
    said = read_one(state(call("c1"), approvals={"wipe": {"approved": ["c2"], "rejected": False}}))
    assert [o.approval for o in said if o.kind in ("tool_call", "approval")] == ["not_recorded"]


def test_an_interruption_is_told_once() -> None:
    waits = {**call("c1"), "type": "tool_approval_item"}
    said = read_one(state(call("c1"), waits, waiting=[waits]))
    assert [o.approval for o in said if o.kind == "approval"] == ["pending"]
    said = read_one(state(call("c1"), waiting=[waits]))
    assert [o.approval for o in said if o.kind == "approval"] == ["pending"]


def test_the_javascript_spelling_reads_the_same() -> None:
    plain = state(call("c1", host="h"), output("c1", "done"))
    camel = {
        "$schemaVersion": "1.0", "currentAgent": {"name": "janitor"}, "originalInput": "clean up",
        "generatedItems": [
            {"type": "tool_call_item", "rawItem": {"type": "function_call", "callId": "c1", "name": "wipe",
             "arguments": '{"host": "h"}'}, "agent": {"name": "janitor"}},
            {"type": "tool_call_output_item", "rawItem": {"type": "function_call_result", "callId": "c1"},
             "output": "done", "agent": {"name": "janitor"}},
        ],
        "modelResponses": [{"usage": {"inputTokens": 7}, "output": [], "responseId": "r1"}],
        "trace": {"id": "t9"},
    }  # fmt: skip
    ours, theirs = read_one(plain), read_one(camel)
    assert {o.event_id for o in ours} == {o.event_id for o in theirs}
    assert [o.result for o in theirs if o.kind == "tool_call"] == ['"done"']


def test_the_model_call_stands_before_what_it_asked_for() -> None:
    said = read_one(state(call("c1"), output("c1", "done")))
    order = [o.kind for o in sorted(said, key=lambda o: o.sequence or 0)]
    assert order == ["lifecycle", "model_call", "tool_call"]


def test_mutated_states_never_raise() -> None:
    waits = {**call("c2"), "type": "tool_approval_item"}
    own = state(
        call("c1"), output("c1", "x"), call("c2"), waits, waiting=[waits], approvals={"wipe": {"approved": ["c1"]}}
    )
    rng = random.Random(5)
    for _ in range(MUTATIONS):
        value = json.loads(json.dumps(own))
        for _ in range(rng.randint(1, 4)):
            mutate(value, rng)
        observations, rejected = read(openai_run_state, value)
        items = value.get("generated_items")
        responses = value.get("model_responses")
        least = 1 + sum(len(part) for part in (items, responses) if isinstance(part, list))
        least = least if "$schemaVersion" in value else 1
        assert accounted(observations, rejected) >= least
