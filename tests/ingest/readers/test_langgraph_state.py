"""LangGraph state histories: each message once, calls with their answers, interrupts as pending approvals."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from export_checks import SAMPLES, line_each, never_raises, read, read_sample

from ingest.readers.langgraph_state import langgraph_state

SAMPLE = "generated/langgraph.state_history.json"
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="no ../shared/samples beside this checkout")
ASK = {"type": "human", "content": "clean up", "id": "m1"}
CALL = {"type": "ai", "content": "", "id": "m2", "usage_metadata": {"input_tokens": 5, "output_tokens": 1},
        "tool_calls": [{"name": "wipe", "args": {"host": "h1"}, "id": "c1"}]}  # fmt: skip
DONE = {"type": "tool", "content": "gone", "id": "m3", "tool_call_id": "c1", "status": "success"}


def snapshot(step: int, *messages: Any, tasks: Any = (), **more: Any) -> dict[str, Any]:
    return {
        "config": {"configurable": {"thread_id": "th", "checkpoint_ns": "", "checkpoint_id": f"cp{step}"}},
        "metadata": {"source": "loop", "step": step, "user_id": "kim"}, "next": [],
        "created_at": f"2026-03-01T10:00:0{step}.000001+00:00", "values": {"messages": list(messages)},
        "tasks": list(tasks), **more,
    }  # fmt: skip


WAITS = {"id": "k1", "name": "tools", "interrupts": [{"id": "i1", "value": {"tool": "wipe", "host": "h1"}}]}
HISTORY = [snapshot(3, ASK, CALL, DONE), snapshot(2, ASK, CALL, tasks=[WAITS]), snapshot(1, ASK)]


@needs_samples
def test_the_real_history_is_told_once() -> None:
    observations, rejected = read_sample(langgraph_state, SAMPLE)
    assert not rejected and len({o.event_id for o in observations}) == len(observations)
    assert Counter(o.kind for o in observations) == {
        "lifecycle": 7, "model_call": 3, "tool_call": 2, "message": 1, "approval": 1,
    }  # fmt: skip
    approval = next(o for o in observations if o.kind == "approval")
    call = next(o for o in observations if o.event_id == approval.parent_event_id)
    assert (approval.approval, call.tool, call.status, call.target) == ("pending", "isolate_host", "ok", "wks-042")
    assert sum(o.input_tokens or 0 for o in observations) == 150


def test_order_is_the_step_and_not_the_file() -> None:
    newest, _ = read(langgraph_state, HISTORY)
    oldest, _ = read(langgraph_state, *reversed(HISTORY))
    assert [(o.event_id, o.sequence) for o in newest] == [(o.event_id, o.sequence) for o in oldest]
    kinds = [o.kind for o in sorted(newest, key=lambda o: o.sequence or 0)]
    assert kinds == ["lifecycle", "message", "lifecycle", "model_call", "tool_call", "approval", "lifecycle"]


@pytest.mark.parametrize(
    ("more", "verdict"),
    [
        ({"pending_writes": [["k1", "__resume__", [{"approved": True, "by": "ada"}]]]}, "approved"),
        ({"pending_writes": [{"task_id": "k1", "channel": "__resume__", "value": [False]}]}, "denied"),
    ],
)
def test_a_resume_write_is_the_decision(more: dict[str, Any], verdict: str) -> None:
    history = [HISTORY[0], snapshot(2, ASK, CALL, tasks=[WAITS], **more), HISTORY[2]]
    said, _ = read(langgraph_state, history)
    pending, decided = (o for o in said if o.kind == "approval")
    assert (pending.approval, decided.approval) == ("pending", verdict)
    call = next(o for o in said if o.kind == "tool_call")
    assert decided.parent_event_id == pending.parent_event_id == call.event_id
    assert (decided.tool, decided.target) == ("wipe", "h1")


def test_a_call_that_still_waits_is_pending() -> None:
    said, _ = read(langgraph_state, HISTORY[1:])
    call = next(o for o in said if o.kind == "tool_call")
    assert (call.approval, call.status) == ("pending", "pending")


def test_serialised_messages_and_the_servers_history_read_the_same() -> None:
    def wrapped(message: dict[str, Any]) -> dict[str, Any]:
        names = {"human": "HumanMessage", "ai": "AIMessage", "tool": "ToolMessage"}
        inner = {k: v for k, v in message.items() if k != "type"}
        return {"lc": 1, "type": "constructor", "id": ["langchain", names[message["type"]]], "kwargs": inner}

    server = [
        {k: v for k, v in s.items() if k != "config"}
        | {
            "checkpoint": s["config"]["configurable"],
            "values": {"messages": [wrapped(m) for m in s["values"]["messages"]]},
        }
        for s in HISTORY
    ]
    ours, _ = read(langgraph_state, HISTORY)
    theirs, _ = read(langgraph_state, {"history": server})
    assert [(o.event_id, o.kind, o.tool) for o in ours] == [(o.event_id, o.kind, o.tool) for o in theirs]
    assert langgraph_state.claims(server) and langgraph_state.claims(HISTORY[0])


def test_mutated_histories_never_raise() -> None:
    own = [*HISTORY, snapshot(2, ASK, CALL, tasks=[WAITS], pending_writes=[["k1", "__resume__", [True]]])]
    never_raises(langgraph_state, own, line_each, ("tool_call",))
