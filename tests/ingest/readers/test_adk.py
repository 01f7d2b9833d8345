"""ADK sessions: events of every spelling, calls joined with responses, confirmations bound to their calls."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from mutated import mutate

from ingest.event import Observation, Rejected
from ingest.load import all_readers
from ingest.readers._adk_shape import Sessions
from ingest.readers.adk import adk
from ingest.records import LogFile, Record
from ingest.settle import content_key, settle

SAMPLES = Path(__file__).parents[3] / "../shared/samples"
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="no ../shared/samples beside this checkout")
MUTATIONS = 3_000
INVOCATION = "e-3f1c7a90-aaaa-4bbb-8ccc-0123456789ab"
T = 1_790_000_000.0


def read_raw(raw: bytes) -> list[Observation | Rejected]:
    return list(adk.read([Record("s.json", 1, raw)]))


def read(*values: object) -> tuple[list[Observation], list[Rejected]]:
    lines = [Record("s.jsonl", n, json.dumps(value).encode()) for n, value in enumerate(values, 1)]
    out = list(adk.read(lines))
    return [o for o in out if isinstance(o, Observation)], [r for r in out if isinstance(r, Rejected)]


def event(identity: str, author: str, at: float, *parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    role = "user" if author == "user" or any("functionResponse" in p for p in parts) else "model"
    made = {"id": identity, "invocationId": INVOCATION, "author": author, "timestamp": T + at}
    return {**made, "content": {"role": role, "parts": list(parts)}, **more} if parts else {**made, **more}


def call(identity: str | None, name: str, **args: object) -> dict[str, Any]:
    return {"functionCall": {"id": identity, "name": name, "args": args}}


def response(identity: str | None, name: str, said: object) -> dict[str, Any]:
    return {"functionResponse": {"id": identity, "name": name, "response": said}}


def session(*events: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": "sess-9",
        "appName": "soc",
        "userId": "dana@example.test",
        "state": {},
        "events": list(events),
        **more,
    }


def confirmed(verdict: object, *after: dict[str, Any]) -> list[dict[str, Any]]:
    """A run in which the user is asked before a host is isolated."""
    original = {"id": "adk-call-1", "name": "isolate_host", "args": {"hostname": "wks-042"}}
    asked = {"originalFunctionCall": original, "toolConfirmation": {"hint": "?", "confirmed": False}}
    waiting = {"error": "This tool call requires confirmation, please approve or reject."}
    return [
        event("event-01", "user", 0, {"text": "go"}),
        event("event-02", "responder", 1, call("adk-call-1", "isolate_host", hostname="wks-042")),
        event("event-03", "responder", 3, call("adk-ask-1", "adk_request_confirmation", **asked)),
        event("event-04", "responder", 2, response("adk-call-1", "isolate_host", waiting),
              actions={"requestedToolConfirmations": {"adk-call-1": {"confirmed": False}}}),
        event("event-05", "user", 4, response("adk-ask-1", "adk_request_confirmation", verdict)),
        *after,
    ]  # fmt: skip


def units(value: Any) -> int:
    """One for an event that says or is something of its own, one for each call and each response in it."""
    parts = value.get("content", {}).get("parts", []) if isinstance(value.get("content"), dict) else []
    names = [p["functionCall"].get("name", "") for p in parts if "functionCall" in p]
    responses = sum("functionResponse" in p for p in parts)
    texts = any("text" in p for p in parts)
    asks = bool(names) and all(name.startswith("adk_request_") for name in names) and not texts
    own = 0 if (asks or (responses and not texts and not names)) else 1
    return own + len(names) + responses


@needs_samples
def test_a_session_and_its_bare_events_give_the_same_steps() -> None:
    whole, _ = read(json.loads((SAMPLES / "generated/adk.session.json").read_text()))
    lines = [json.loads(x) for x in (SAMPLES / "generated/adk.events.jsonl").read_text().splitlines()]
    bare, _ = read(*lines)
    assert {o.event_id for o in whole} == {o.event_id for o in bare}
    assert {o.trace_id for o in whole} == {o.trace_id for o in bare}
    assert Counter(o.kind for o in whole) == {
        "model_call": 4, "tool_call": 2, "message": 1, "handoff": 1, "approval": 1,
    }  # fmt: skip
    assert sum(o.records for o in whole) == sum(map(units, lines))


@needs_samples
@pytest.mark.parametrize(
    "name", ["sample.session", "successful_test.session", "dependent_tool_calls.test", "order_query.test"]
)
def test_old_exports_and_eval_sets_are_read_whole(name: str) -> None:
    out = read_raw((SAMPLES / f"adk/{name}.json").read_bytes())
    assert all(isinstance(o, Observation) for o in out)
    assert len({o.event_id for o in out if isinstance(o, Observation)}) == len(out)


@needs_samples
def test_no_other_reader_claims_our_files_and_we_claim_no_others() -> None:
    for path in sorted(SAMPLES.rglob("*.json*")):
        log = LogFile(path, path.name)
        names = [r.name for r in all_readers() if r.claims(log.first)]
        log.close()
        ours = path.parent.name == "adk" or path.name in ("adk.session.json", "adk.events.jsonl")
        assert (names == ["adk"]) if ours else ("adk" not in names), path


@pytest.mark.parametrize(
    ("verdict", "approval", "status"),
    [
        ({"confirmed": True}, "approved", "ok"),
        ({"response": '{"confirmed": true}'}, "approved", "ok"),
        ({"confirmed": False}, "denied", "denied"),
    ],
)
def test_a_confirmation_is_bound_to_its_call(verdict: object, approval: str, status: str) -> None:
    final = {"result": "done"} if approval == "approved" else {"error": "This tool call is rejected."}
    events = confirmed(verdict, event("event-06", "responder", 5, response("adk-call-1", "isolate_host", final)))
    observations, rejected = read(session(*events))
    assert not rejected
    (made,) = [o for o in observations if o.kind == "tool_call"]
    (decided,) = [o for o in observations if o.kind == "approval"]
    assert (decided.approval, decided.approver, decided.status) == (approval, "dana@example.test", status)
    assert (decided.parent_event_id, decided.tool, decided.target) == (made.event_id, "isolate_host", "wks-042")
    assert (made.status, made.approval, made.records) == (status, approval, 3)
    assert sum(o.records for o in observations) == sum(map(units, events))


def test_an_unanswered_confirmation_is_pending_and_the_placeholder_is_no_result() -> None:
    observations, _ = read(session(*confirmed({})[:4]))
    (made,) = [o for o in observations if o.kind == "tool_call"]
    (decided,) = [o for o in observations if o.kind == "approval"]
    assert (made.status, made.result, made.error) == ("pending", None, None)
    assert (decided.approval, decided.status) == ("pending", "pending")


def test_a_tool_that_asks_by_itself_has_an_approval_too() -> None:
    events = confirmed({})[:4]
    observations, _ = read(session(events[0], events[1], events[3]))
    (decided,) = [o for o in observations if o.kind == "approval"]
    assert (decided.approval, decided.records, decided.tool) == ("pending", 0, "isolate_host")


def test_the_same_run_from_two_stores_in_another_order_is_the_same() -> None:
    events = confirmed(
        {"confirmed": True},
        event("event-06", "responder", 5, response("adk-call-1", "isolate_host", {"result": "done"})),
        event("event-07", "responder", 5, {"text": "isolated"}),
    )

    def told(listed: list[dict[str, Any]]) -> list[tuple[object, ...]]:
        observations, _ = read(session(*listed))
        rows = settle((content_key(o), o) for o in observations)
        rows.sort(key=lambda r: (r.ordered_at or 0, r.trace_id, r.sequence or 0, r.depth, r.kind_rank, r.event_id))
        return [(r.event_id, r.kind, r.status, r.approval, r.parent_event_id, r.result, r.ordered_at) for r in rows]

    rng = random.Random(4)
    for _ in range(20):
        shuffled = rng.sample(events, len(events))
        assert told(shuffled) == told(events)


def test_a_transfer_is_one_handoff_and_what_follows_is_below_it() -> None:
    observations, _ = read(
        session(
            event("event-01", "user", 0, {"text": "go"}),
            event("event-02", "triage", 1, call("adk-t-1", "transfer_to_agent", agent_name="responder")),
            event("event-03", "triage", 2, response("adk-t-1", "transfer_to_agent", {"result": None}),
                  actions={"transferToAgent": "responder"}),
            event("event-04", "responder", 3, {"text": "mine"}),
        )
    )  # fmt: skip
    (handoff,) = [o for o in observations if o.kind == "handoff"]
    assert (handoff.target, handoff.agent_id, handoff.records) == ("responder", "triage", 2)
    assert observations[-1].parent_event_id == handoff.event_id


def test_a_transfer_without_a_call_is_a_handoff() -> None:
    observations, _ = read(session(event("event-01", "triage", 1, actions={"transferToAgent": "responder"})))
    assert [(o.kind, o.target, o.records) for o in observations] == [
        ("lifecycle", None, 1),
        ("handoff", "responder", 0),
    ]


def test_streamed_pieces_are_part_of_the_answer() -> None:
    pieces = [event(f"event-1{n}", "triage", n, {"text": "ab"[n]}, partial=True) for n in range(2)]
    whole = event(
        "event-19",
        "triage",
        3,
        {"text": "ab"},
        usageMetadata={"promptTokenCount": 7, "candidatesTokenCount": 2, "thoughtsTokenCount": 3},
    )
    (answer,), _ = read(session(*pieces, whole))
    assert (answer.result, answer.records, answer.input_tokens, answer.output_tokens) == ('"ab"', 3, 7, 5)
    (cut,), _ = read(session(*pieces))
    assert (cut.result, cut.records, cut.gap) == ('"ab"', 2, "only pieces of a stream, its end is missing")


def test_a_long_running_tool_is_pending_until_the_user_answers() -> None:
    begun = [
        event("event-01", "triage", 1, call("adk-l-1", "export_mailbox"), longRunningToolIds=["adk-l-1"]),
        event("event-02", "triage", 2, response("adk-l-1", "export_mailbox", {"ticket": 3})),
    ]
    observations, _ = read(session(*begun))
    assert observations[-1].status == "pending"
    observations, _ = read(
        session(*begun, event("event-03", "user", 3, response("adk-l-1", "export_mailbox", {"ok": 1})))
    )
    assert [(o.status, o.records) for o in observations if o.kind == "tool_call"] == [("ok", 3)]


def test_an_error_event_is_a_failed_model_call() -> None:
    (failed,), _ = read(session(event("event-01", "triage", 1, errorCode="SAFETY", errorMessage="blocked")))
    assert (failed.kind, failed.status, failed.error) == ("model_call", "error", "blocked")


def test_escalation_and_state_are_lifecycle() -> None:
    observations, _ = read(
        session(
            event("event-01", "loop", 1, actions={"escalate": True}),
            event("event-02", "user", 2, actions={"stateDelta": {"k": 1}}),
        )
    )
    assert [(o.kind, o.operation) for o in observations] == [("lifecycle", "escalate"), ("message", "user")]


def test_rows_of_the_events_table_and_vertex_events_are_read() -> None:
    plain = event("event-01", "triage", 1, call("adk-1", "scan", ip="203.0.113.9"))
    row = {"id": "event-01", "app_name": "soc", "user_id": "dana", "session_id": "s-1", "invocation_id": INVOCATION,
           "timestamp": "2026-09-21 14:13:21", "event_data": json.dumps(plain)}  # fmt: skip
    old = {"id": "event-01", "app_name": "soc", "user_id": "dana", "session_id": "s-1", "invocation_id": INVOCATION,
           "author": "triage", "timestamp": "2026-09-21 14:13:21", "actions": "gASV",
           "content": json.dumps({"role": "model", "parts": [call("adk-1", "scan")]})}  # fmt: skip
    for value in (row, old):
        assert adk.claims(value)
        observations, _ = read(value)
        assert [(o.kind, o.session_id, o.service, o.on_behalf_of) for o in observations] == [
            ("model_call", "s-1", "soc", "dana"), ("tool_call", "s-1", "soc", "dana"),
        ]  # fmt: skip
    name = "projects/1/locations/x/reasoningEngines/2/sessions/77/events/88"
    vertex = {"sessionEvents": [{"name": name, "author": "triage", "invocationId": INVOCATION,
                                 "timestamp": "2026-09-21T14:13:21.123456789Z", "content": plain["content"],
                                 "actions": {"transferAgent": "x"}, "eventMetadata": {"partial": False}}]}  # fmt: skip
    assert adk.claims(vertex)
    observations, _ = read(vertex)
    assert {o.session_id for o in observations} == {"77"}
    assert observations[0].started_at == 1_790_000_001_123_456_789
    assert [o.kind for o in observations] == ["model_call", "tool_call", "handoff"]


def test_code_that_the_model_ran_is_a_tool_call() -> None:
    code = {"executableCode": {"language": "PYTHON", "code": "1/0"}}
    ran = {"codeExecutionResult": {"outcome": "OUTCOME_FAILED", "output": "division by zero"}}
    observations, _ = read(session(event("event-01", "triage", 1, code, ran)))
    (made,) = [o for o in observations if o.kind == "tool_call"]
    assert (made.tool, made.status, made.error) == ("code_execution", "error", "division by zero")


def test_a_broken_event_is_rejected_and_the_rest_is_read() -> None:
    observations, rejected = read(session(event("event-01", "user", 0, {"text": "go"}), 7, {"x": 1}))  # type: ignore[arg-type]
    assert (len(observations), len(rejected)) == (1, 2)
    assert all("ingest again" in r.reason for r in rejected)


def test_mutated_sessions_never_raise_and_lose_no_event() -> None:
    rng = random.Random(8)
    seeds = [
        confirmed({"confirmed": True}, event("event-06", "responder", 5, {"text": "x"}, response("adk-call-1", "isolate_host", {}))),
        [event("event-01", "a", 1, {"text": "x"}, partial=True), event("event-02", "a", 2, call(None, "f", x=1)),
         event("event-03", "a", 3, response(None, "f", {"error": "no"}))],
    ]  # fmt: skip
    if SAMPLES.exists():
        for name in ("generated/adk.session.json", "adk/successful_test.session.json"):
            seeds.append(json.loads((SAMPLES / name).read_text())["events"])
    texts = [json.dumps(seed) for seed in seeds]
    for _ in range(MUTATIONS):
        whole = session(*json.loads(rng.choice(texts)))
        for _ in range(rng.randint(1, 4)):
            mutate(whole["events"], rng)
        observations, rejected = read(whole)
        assert sum(o.records for o in observations) + len(rejected) == expected(whole), whole


def expected(whole: Any) -> int:
    """How many records must come out: what is no event counts as one that is rejected."""
    count, sessions = 0, Sessions().of([Record("s.json", 1, json.dumps(whole).encode())])
    for found in sessions:
        if isinstance(found, Rejected):
            count += 1
            continue
        for e in found.events:
            sorts = Counter(part.sort for part in e.parts)
            asks = {p.name for p in e.parts if p.sort == "call"} <= ASKS and sorts["call"] and not sorts["text"]
            silent = asks or (sorts["response"] and not sorts["text"] and not sorts["call"])
            if e.author == "user":
                silent = sorts["call"] + sorts["response"] and not sorts["text"]
            count += 1 if e.partial else (not silent) + sorts["call"] + sorts["response"]
        count += 0 if found.events else 1
    return count


ASKS = {"adk_request_confirmation", "adk_request_credential", "adk_request_input"}
