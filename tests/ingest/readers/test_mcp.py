"""MCP captures: requests joined with answers, round trips for input one call, elicitations decided."""

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
from ingest.readers._mcp_frames import Frame, frames
from ingest.readers.mcp import mcp
from ingest.records import LogFile, Record

SAMPLES = Path(__file__).parents[3] / "../shared/samples"
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="no ../shared/samples beside this checkout")
MUTATIONS = 3_000
OURS = ("mcp_stdio_auto.jsonl", "mcp_stdio_legacy.jsonl")


def read(*values: object) -> tuple[list[Observation], list[Rejected]]:
    lines = [Record("m.jsonl", n, json.dumps(value).encode()) for n, value in enumerate(values, 1)]
    out = list(mcp.read(lines))
    return [o for o in out if isinstance(o, Observation)], [r for r in out if isinstance(r, Rejected)]


def ask(identity: int, method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": identity, "method": method, "params": params}


def tell(identity: int, **result: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": identity, "result": result}


HELLO = [
    ask(1, "initialize", protocolVersion="2025-11-25", clientInfo={"name": "soc-agent", "version": "3"}),
    tell(1, protocolVersion="2025-11-25", serverInfo={"name": "tools"}),
    {"jsonrpc": "2.0", "method": "notifications/initialized"},
]
FORM = {"type": "object", "properties": {"approve": {"type": "boolean"}}}


def elicited(
    answer: dict[str, Any], message: str = "Approve?", form: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    return [
        *HELLO,
        ask(2, "tools/call", name="isolate_host", arguments={"hostname": "wks-042"}),
        ask(1, "elicitation/create", message=message, requestedSchema=form or FORM),
        tell(1, **answer),
        tell(2, content=[{"type": "text", "text": "done"}]),
    ]


@needs_samples
@pytest.mark.parametrize("name", OURS)
def test_a_real_capture_is_read_whole(name: str) -> None:
    values = [json.loads(line) for line in (SAMPLES / "generated" / name).read_text().splitlines()]
    observations, rejected = read(*values)
    assert not rejected
    assert sum(o.records for o in observations) == len(values)
    assert Counter(o.kind for o in observations) == {"tool_call": 4, "lifecycle": 2, "approval": 1}
    assert {o.agent_id for o in observations} == {"soc-agent"}
    isolated = next(o for o in observations if o.tool == "isolate_host" and o.kind == "tool_call")
    decided = next(o for o in observations if o.kind == "approval")
    assert (isolated.status, isolated.approval, decided.parent_event_id) == ("ok", "approved", isolated.event_id)
    assert [o.status for o in observations if o.tool in ("flaky", "nope")] == ["error", "error"]


@needs_samples
def test_no_other_reader_claims_our_files_and_we_claim_no_others() -> None:
    for path in sorted(SAMPLES.rglob("*.json*")):
        log = LogFile(path, path.name)
        names = [r.name for r in all_readers() if r.claims(log.first)]
        log.close()
        assert (names == ["mcp"]) if path.name in OURS else ("mcp" not in names), path


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"action": "accept", "content": {"approve": True}}, "approved"),
        ({"action": "accept", "content": {"approve": False}}, "denied"),
        ({"action": "decline"}, "denied"),
        ({"action": "cancel"}, "denied"),
    ],
)
def test_an_elicitation_decides_on_the_call_under_way(answer: dict[str, Any], expected: str) -> None:
    observations, rejected = read(*elicited(answer))
    assert not rejected
    (made,) = [o for o in observations if o.kind == "tool_call"]
    (decided,) = [o for o in observations if o.kind == "approval"]
    assert (made.approval, decided.approval, decided.approver) == (expected, expected, None)
    assert (decided.tool, decided.target, decided.parent_event_id) == ("isolate_host", "wks-042", made.event_id)
    assert (made.records, decided.records, made.status) == (2, 2, "ok")


def test_a_form_that_asks_for_a_name_is_no_approval() -> None:
    form = {"type": "object", "properties": {"city": {"type": "string"}}}
    observations, _ = read(*elicited({"action": "accept", "content": {"city": "Graz"}}, "Which city?", form))
    assert [o.kind for o in observations] == ["lifecycle", "tool_call", "message"]
    assert observations[1].approval == "not_recorded"


def test_a_call_sent_again_with_the_answers_is_one_call() -> None:
    request = {"ask": {"method": "elicitation/create", "params": {"message": "Approve?", "requestedSchema": FORM}}}
    call = {"name": "isolate_host", "arguments": {"hostname": "wks-042"}}
    observations, _ = read(
        ask(1, "tools/call", **call),
        tell(1, resultType="input_required", requestState="s", inputRequests=request),
        ask(2, "tools/call", **call, requestState="s", inputResponses={"ask": {"action": "decline"}}),
        tell(2, resultType="complete", isError=True, content=[{"type": "text", "text": "refused"}]),
    )
    made, decided = observations
    assert (made.records, made.status, made.error, made.approval) == (4, "error", "refused", "denied")
    assert (decided.kind, decided.records, decided.approval, decided.parent_event_id) == (
        "approval",
        0,
        "denied",
        made.event_id,
    )


@pytest.mark.parametrize(
    ("outward", "inward"),
    [
        ({"direction": "client_to_server"}, {"direction": "server_to_client"}),
        ({"from": "client", "to": "server"}, {"from": "server", "to": "client"}),
        ({"direction": "out"}, {"direction": "in"}),
        ({"dir": "c->s"}, {"dir": "s->c"}),
        ({}, {}),
    ],
)
@pytest.mark.parametrize("key", ["msg", "message", "payload", "data"])
def test_envelopes_of_every_spelling_are_read(outward: dict[str, str], inward: dict[str, str], key: str) -> None:
    wire = elicited({"action": "accept", "content": {"approve": True}})
    inwards = {1, 4, 6}
    lines = [
        {"timestamp": f"2026-03-01T10:00:{n:02}Z", **(inward if n in inwards else outward), key: json.dumps(m) if n % 2 else m}
        for n, m in enumerate(wire)
    ]  # fmt: skip
    assert mcp.claims(lines[0])
    observations, rejected = read(*lines)
    assert not rejected
    assert [(o.kind, o.status, o.records) for o in observations] == [
        ("lifecycle", "ok", 3), ("tool_call", "ok", 2), ("approval", "ok", 2),
    ]  # fmt: skip
    assert all(o.sequence is None and o.started_at for o in observations)


def test_without_times_the_index_is_the_order_and_ids_survive_a_change_of_spacing() -> None:
    wire = elicited({"action": "decline"})
    observations, _ = read(*wire)
    assert [o.sequence for o in observations] == [0, 3, 4]
    spaced = [Record("other.jsonl", n, json.dumps(m, indent=1).encode()) for n, m in enumerate(wire, 7)]
    assert [o.event_id for o in mcp.read(spaced) if isinstance(o, Observation)] == [o.event_id for o in observations]


def test_the_session_that_the_server_names_holds_what_stood_before_it() -> None:
    lines = [{"message": HELLO[0]}, *({"mcp-session-id": "s-77", "message": m} for m in HELLO[1:])]
    observations, _ = read(*lines)
    assert [(o.session_id, o.records) for o in observations] == [("s-77", 3)]


def test_batches_errors_cancellations_and_progress() -> None:
    call = ask(2, "tools/call", name="scan", arguments={"url": "https://x.test"}, _meta={"progressToken": "p"})
    observations, rejected = read(
        [*HELLO[:1], call],
        {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": "p", "progress": 1}},
        {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 2, "reason": "late"}},
        ask(3, "resources/read", uri="file:///etc/hosts"),
        {"jsonrpc": "2.0", "id": 3, "error": {"code": -32002, "message": "not found"}},
        tell(99),
        "x",
    )
    _, scan, resource, lost = observations
    assert (scan.status, scan.error, scan.records, scan.target) == ("error", "cancelled: late", 3, "https://x.test")
    assert (resource.tool, resource.target, resource.error) == ("resources/read", "file:///etc/hosts", "not found")
    assert (lost.gap, len(rejected)) == ("the request that this answers is missing", 1)


def test_sampling_is_a_model_call_and_a_task_ends_its_call() -> None:
    observations, _ = read(
        ask(5, "tools/call", name="dig", arguments={}),
        ask(1, "sampling/createMessage", messages=[]),
        tell(1, role="assistant", model="m-1", content={"type": "text", "text": "hm"}),
        tell(5, task={"taskId": "t", "status": "working"}),
        ask(6, "tasks/get", taskId="t"),
        tell(6, taskId="t", status="completed"),
        ask(7, "tasks/result", taskId="t"),
        tell(7, content=[{"type": "text", "text": "deep"}]),
    )
    made, model = observations
    assert (model.kind, model.model, model.parent_event_id) == ("model_call", "m-1", made.event_id)
    assert (made.status, made.records) == ("ok", 6)


@pytest.mark.parametrize(
    "other",
    [{"jsonrpc": "2.0", "id": 1, "method": "textDocument/hover"}, {"jsonrpc": "2.0", "method": "message/send"}, {}, [], "x",
     {"message": {"role": "user"}}],
)  # fmt: skip
def test_another_protocol_is_not_claimed(other: object) -> None:
    assert not mcp.claims(other)


def test_mutated_captures_never_raise_and_stay_accounted_for() -> None:
    rng = random.Random(3)
    seeds: list[Any] = [elicited({"action": "accept", "content": {"approve": True}})]
    seeds.append([{"ts": "2026-03-01T10:00:00Z", "dir": "in", "msg": m} for m in seeds[0]])
    if SAMPLES.exists():
        seeds += [[json.loads(x) for x in (SAMPLES / "generated" / name).read_text().splitlines()] for name in OURS]
    texts = [json.dumps(seed) for seed in seeds]
    for _ in range(MUTATIONS):
        lines = json.loads(rng.choice(texts))
        for _ in range(rng.randint(1, 4)):
            mutate(lines, rng)
        observations, rejected = read(*lines)
        units = list(frames(Record("m", n, json.dumps(v).encode()) for n, v in enumerate(lines)))
        assert sum(o.records for o in observations) + len(rejected) == len(units), lines
        assert sum(isinstance(u, Frame) for u in units) == sum(o.records for o in observations)
        assert len({o.event_id for o in observations}) == len(observations)
