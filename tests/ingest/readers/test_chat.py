"""Chat lists: every message and every tool call once, results joined to their calls."""

from __future__ import annotations

import gzip
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from mutated import mutate

from ingest.event import Observation, Rejected
from ingest.readers.chat import chat
from ingest.records import LogFile, Record

SHARED = Path(__file__).parents[3] / "../shared"
SAMPLES = SHARED / "samples"
MUTATIONS = 5_000
OURS = {
    "chat/invariant_explorer.sample_data.jsonl",
    "chat/invariant_explorer.non_json_args.jsonl",
    "openai/maf_conformance.ChatCompletions.tools.request.json",
    "openai/maf_conformance.ChatCompletions.tools.response.json",
    "openai/maf_conformance.Responses.tool_call.request.json",
    "openai/maf_conformance.Responses.tool_call.response.json",
    "generated/openai_agents_trace.jsonl.input_list.json",
}
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="no ../shared/samples beside this checkout")


def split(out: list[Observation | Rejected]) -> tuple[list[Observation], list[Rejected]]:
    return [o for o in out if isinstance(o, Observation)], [r for r in out if isinstance(r, Rejected)]


def read(*values: object) -> tuple[list[Observation], list[Rejected]]:
    lines = [Record("c.jsonl", n, json.dumps(value).encode()) for n, value in enumerate(values, 1)]
    return split(list(chat.read(lines)))


def read_file(path: Path) -> tuple[list[Observation], list[Rejected]]:
    log = LogFile(path, path.name)
    assert chat.claims(log.first)
    out = list(chat.read(r for r in log.records() if isinstance(r, Record)))
    log.close()
    return split(out)


def accounted(observations: list[Observation], rejected: list[Rejected]) -> int:
    return sum(o.records for o in observations) + len(rejected)


def units(message: Any) -> int:
    """One for a message, one for each tool call inside it: the count that must come out."""
    if not isinstance(message, dict):
        return 1
    role, kind = message.get("role"), message.get("type")
    if not (isinstance(role, str) and role):
        if not isinstance(kind, str) or not kind.endswith("_call"):
            return 1
        inner = message.get("function", message.get("custom"))
        name = (inner if isinstance(inner, dict) else message).get("name")
        named = (isinstance(name, str) and name) or (isinstance(inner, str) and inner)
        return 2 if named or kind != "function_call" else 1
    if role != "assistant":
        return 1
    calls, content = message.get("tool_calls"), message.get("content")
    if isinstance(calls, list):
        count = len(calls)
    else:
        count = 1 if calls is not None or message.get("function_call") is not None else 0
    if isinstance(content, list):
        count += sum(isinstance(part, dict) and part.get("type") == "tool_use" for part in content)
    return 1 + count


def messages_of(body: Any) -> list[Any]:
    if isinstance(body, list):
        return body
    if "choices" in body:
        return [choice["message"] for choice in body["choices"]]
    held = body.get("messages", body.get("output", body.get("input")))
    return held if isinstance(held, list) else [{"role": "user"}]


def call(name: str, arguments: object = "{}", identity: str | None = "call_1") -> dict[str, Any]:
    return {"id": identity, "type": "function", "function": {"name": name, "arguments": arguments}}


def assistant(*calls: dict[str, Any], content: object = None, **more: object) -> dict[str, Any]:
    return {"role": "assistant", "content": content, **({"tool_calls": list(calls)} if calls else {}), **more}


def tool(content: object, identity: str | None = "call_1", **more: object) -> dict[str, Any]:
    return {"role": "tool", "content": content, **({"tool_call_id": identity} if identity else {}), **more}


USER = {"role": "user", "content": "Triage alert 42"}


@needs_samples
@pytest.mark.parametrize("name", sorted(OURS))
def test_every_message_and_call_of_a_real_file_is_accounted_for(name: str) -> None:
    (path,) = [p for p in SAMPLES.rglob("*.json*") if p.as_posix().endswith(name)]
    text = path.read_text()
    bodies = [json.loads(line) for line in text.splitlines()] if path.suffix == ".jsonl" else [json.loads(text)]
    observations, rejected = read_file(path)
    assert not rejected
    assert accounted(observations, rejected) == sum(units(m) for body in bodies for m in messages_of(body))
    assert len({o.event_id for o in observations}) == len(observations)


@needs_samples
def test_no_other_format_is_claimed() -> None:
    claimed = set()
    for path in SAMPLES.rglob("*.json*"):
        log = LogFile(path, path.name)
        if chat.claims(log.first):
            claimed.add(path)
        log.close()
    assert claimed == {p for p in SAMPLES.rglob("*.json*") if any(p.as_posix().endswith(name) for name in OURS)}


@pytest.mark.skipif(not (SHARED / "datasets/agentdojo").exists(), reason="no ../shared/datasets/agentdojo")
def test_agentdojo_runs_are_read_whole() -> None:
    path = SHARED / "datasets/agentdojo/runs.jsonl.gz"
    with gzip.open(path, "rt") as lines:
        runs = [json.loads(line) for _, line in zip(range(600), lines, strict=False)]
    observations, rejected = read(*runs)
    assert not rejected
    assert accounted(observations, rejected) == sum(units(m) for run in runs for m in run["messages"])
    assert {o.trace_id for o in observations} == {run["run_id"] for run in runs}
    assert {o.agent_id for o in observations} == {run["agent_id"] for run in runs}
    made = Counter(o.tool for o in observations if o.kind in ("tool_call", "handoff"))
    listed = [c["function"]["name"] for run in runs for m in run["messages"] for c in m.get("tool_calls") or []]
    assert made == Counter(listed)


@needs_samples
def test_a_request_body_and_a_response_body_are_read() -> None:
    response, _ = read_file(SAMPLES / "openai/maf_conformance.ChatCompletions.tools.response.json")
    model, made = response
    assert (model.kind, model.model, model.input_tokens, model.output_tokens) == (
        "model_call",
        "gpt-4o-mini",
        85,
        32,
    )
    assert (made.tool, made.parent_event_id, made.status) == ("get_weather", model.event_id, "pending")
    assert model.started_at == 1_234_567_890 * 10**9
    responses, _ = read_file(SAMPLES / "openai/maf_conformance.Responses.tool_call.response.json")
    assert [(o.kind, o.input_tokens) for o in responses] == [("model_call", 76), ("tool_call", None)]


@needs_samples
def test_arguments_that_are_not_json_are_kept_as_a_text() -> None:
    observations, _ = read_file(SAMPLES / "openai/chat/invariant_explorer.non_json_args.jsonl")
    (made,) = [o for o in observations if o.kind == "tool_call"]
    assert json.loads(made.arguments or "") == '["fiction", "mystery"], ["Agatha Christie", "Dan Brown"]'


def test_a_call_is_joined_with_its_result_by_id() -> None:
    talk = [
        USER,
        assistant(call("lookup_ip", '{"ip": "203.0.113.9"}', "a"), call("isolate_host", {"host": "wks-042"}, "b")),
        tool("isolated", "b"),
        tool('{"error": "timeout"}', "a"),
    ]
    observations, rejected = read(talk)
    assert accounted(observations, rejected) == 6
    first, second = [o for o in observations if o.kind == "tool_call"]
    assert (first.status, first.error, first.target, first.records) == ("error", "timeout", "203.0.113.9", 2)
    assert (second.status, second.result, second.target, second.records) == ("ok", '"isolated"', "wks-042", 2)
    assert {first.approval, second.approval} == {"cannot_record"}
    assert [o.sequence for o in observations] == sorted(o.sequence or 0 for o in observations)


def test_results_without_an_id_are_joined_in_order() -> None:
    flat = [
        {"name": "read_file", "id": None, "args": {"path": "a"}},
        {"name": "list_files", "id": None, "args": {}},
    ]
    observations, _ = read({"run_id": "r", "messages": [assistant(*flat), tool("A", None), tool("B", None)]})
    assert [(o.tool, o.result) for o in observations if o.kind == "tool_call"] == [
        ("read_file", '"A"'),
        ("list_files", '"B"'),
    ]


def test_a_result_without_an_id_is_not_given_to_a_call_that_was_passed_over() -> None:
    observations, _ = read(
        [assistant(call("visit", "{}", None)), assistant(call("screenshot", "{}", None)), tool("p", None)]
    )
    assert [(o.tool, o.status) for o in observations if o.kind == "tool_call"] == [
        ("visit", "pending"),
        ("screenshot", "ok"),
    ]


def test_an_id_that_is_used_again_is_joined_in_turn() -> None:
    observations, _ = read([assistant(call("a")), tool("1"), assistant(call("b")), tool("2")])
    assert [(o.tool, o.result) for o in observations if o.kind == "tool_call"] == [("a", '"1"'), ("b", '"2"')]


def test_a_result_without_a_call_is_a_message() -> None:
    observations, _ = read([USER, tool("lost", "nowhere")])
    assert [(o.kind, o.operation) for o in observations] == [("message", "user"), ("message", "tool")]


def test_legacy_function_calls_are_read() -> None:
    legacy = {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}}
    observations, _ = read([legacy, {"role": "function", "name": "f", "content": "1"}])
    assert [(o.kind, o.result) for o in observations][1:] == [("tool_call", '"1"')]


def test_two_conversations_with_the_same_poor_ids_stay_apart() -> None:
    talks = [{"messages": [USER, assistant(call(name)), tool(name)]} for name in ("a", "b")]
    observations, _ = read(*talks)
    assert len({o.trace_id for o in observations}) == 2
    assert len({o.event_id for o in observations}) == len(observations)


def test_a_grown_export_gives_the_earlier_messages_the_same_ids() -> None:
    talk = [
        USER,
        assistant(call("scan", "{}", "call_wrrKpr7XnsTaNcHp3nssmJzH")),
        tool("ok", "call_wrrKpr7XnsTaNcHp3nssmJzH"),
    ]
    before, _ = read(talk[:2])
    after, _ = read([*talk, assistant(content="done")])
    assert [o.event_id for o in before] == [o.event_id for o in after][: len(before)]
    owned_before, _ = read({"id": "c-1", "messages": talk[:1]})
    owned_after, _ = read({"id": "c-1", "messages": talk})
    assert owned_before[0].event_id == owned_after[0].event_id


def test_turns_of_one_session_that_begin_differently_stay_apart() -> None:
    first = {"session_id": "s", "messages": [USER]}
    second = {"session_id": "s", "messages": [{"role": "user", "content": "and now?"}]}
    observations, _ = read(first, second)
    assert {o.session_id for o in observations} == {"s"}
    assert len({o.event_id for o in observations}) == 2


def test_conversations_that_two_files_number_alike_stay_apart() -> None:
    (first,), _ = read({"id": 0, "messages": [USER]})
    (second,), _ = read({"id": 0, "messages": [{"role": "user", "content": "another question"}]})
    assert first.event_id != second.event_id


def test_what_stands_around_the_messages_is_kept() -> None:
    body = {
        "id": "c-9",
        "session_id": "s-1",
        "agent": {"name": "soc-triage"},
        "agent_version": "7",
        "user": "dana",
        "model": "m-1",
        "created_at": "2026-03-01T10:00:00.123456789Z",
        "messages": [USER, assistant(content="hm", timestamp=1772359201500)],
        "usage": {"prompt_tokens": 5, "completion_tokens": 2},
    }
    (asked, answered), _ = read(body)
    assert (asked.trace_id, asked.session_id, asked.agent_id, asked.agent_version) == (
        "c-9",
        "s-1",
        "soc-triage",
        "7",
    )
    assert (asked.on_behalf_of, asked.started_at) == ("dana", 1772359200123456789)
    assert (answered.model, answered.result, answered.started_at) == ("m-1", '"hm"', 1772359201500000000)
    assert (answered.input_tokens, answered.output_tokens) == (5, 2)


def test_a_total_beside_the_messages_own_usage_is_not_counted_again() -> None:
    said = [
        assistant(content="a", usage={"prompt_tokens": 1}),
        assistant(content="b", usage={"prompt_tokens": 2}),
    ]
    observations, _ = read({"messages": said, "usage": {"prompt_tokens": 3}})
    assert sum(o.input_tokens or 0 for o in observations) == 3


def test_a_transfer_is_a_handoff_and_a_payment_is_not() -> None:
    observations, _ = read(
        [assistant(call("transfer_to_responder"), call("transfer_to_account", '{"amount": 5}', "call_2"))]
    )
    assert [(o.kind, o.target) for o in observations][1:] == [("handoff", "responder"), ("tool_call", None)]


@pytest.mark.parametrize(
    ("approval", "expected", "approver"),
    [
        ({"role": "approval", "approved": True, "by": "bob", "tool_call_id": "call_1"}, "approved", "bob"),
        (
            {"role": "approval", "content": '{"decision": "reject", "by": "eve", "tool_call_id": "call_1"}'},
            "denied",
            "eve",
        ),
        (
            {"role": "user", "content": "", "approval": {"decision": "approve", "tool_call_id": "call_1"}},
            "approved",
            None,
        ),
        (
            {"role": "approval", "approved": True, "by": "policy", "tool_call_id": "call_1"},
            "automatic",
            "policy",
        ),
    ],
)
def test_an_approval_message_is_bound_to_its_call(
    approval: dict[str, Any], expected: str, approver: str | None
) -> None:
    talk = [USER, assistant(call("isolate_host", '{"host": "wks-042"}')), approval, tool("ok")]
    observations, rejected = read(talk)
    assert accounted(observations, rejected) == 5
    (made,) = [o for o in observations if o.kind == "tool_call"]
    (found,) = [o for o in observations if o.kind == "approval"]
    assert (found.approval, found.approver) == (expected, approver)
    assert (found.tool, found.target, found.parent_event_id) == ("isolate_host", "wks-042", made.event_id)
    assert (made.approval, made.status) == ("not_recorded", "ok")


def test_bare_messages_one_a_line_are_one_conversation() -> None:
    assert chat.claims(USER)
    observations, _ = read(USER, assistant(call("scan")), tool("ok"))
    assert len({o.trace_id for o in observations}) == 1
    assert [o.source for o in observations] == ["c.jsonl:1", "c.jsonl:2", "c.jsonl:2"]


def test_an_array_of_conversations_is_read_with_lines_of_their_own() -> None:
    raw = json.dumps([{"id": "c-a", "messages": [USER]}, {"id": "c-b", "messages": [USER]}], indent=1).encode()
    observations, _ = split(list(chat.read([Record("c.json", 1, raw)])))
    assert [o.trace_id for o in observations] == ["c-a", "c-b"]
    for o in observations:
        line = int(o.source.split(":")[1])
        assert raw.decode().splitlines()[line - 1].strip() == "{"


def test_what_the_model_put_out_in_a_row_is_one_model_call() -> None:
    items = [
        {"role": "user", "content": "go"},
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"type": "function_call", "call_id": "a", "name": "lookup_ip", "arguments": '{"ip": "1.2.3.4"}'},
        {"type": "function_call", "call_id": "b", "name": "scan", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "b", "output": "clean"},
        {"type": "function_call_output", "call_id": "a", "output": "bad"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "done"}]},
    ]
    observations, rejected = read(items)
    assert accounted(observations, rejected) == sum(units(item) for item in items)
    assert [(o.kind, o.records) for o in observations] == [
        ("message", 1),
        ("model_call", 3),
        ("tool_call", 2),
        ("tool_call", 2),
        ("model_call", 1),
    ]
    assert [o.result for o in observations if o.kind == "tool_call"] == ['"bad"', '"clean"']


def test_a_broken_message_is_rejected_and_the_rest_is_read() -> None:
    observations, rejected = read({"messages": [USER, 7, {"content": "who?"}, assistant({"type": "function"})]})
    assert len(observations) == 2
    assert len(rejected) == 3
    assert all("ingest again" in r.reason for r in rejected)


@pytest.mark.parametrize(
    "other",
    [
        {"type": "user", "message": {"role": "user", "content": "x"}, "uuid": "u", "sessionId": "s"},
        {"events": [{"eventId": "1", "eventType": "X", "taskId": "1"}]},
        {"id": "s", "appName": "a", "events": []},
        {"type": "session", "session_id": "s", "state": {"messages": [USER]}},
        [{"role": "user", "content": [{"text": "x"}]}],
        [{"role": "user", "parts": [{"text": "x"}]}],
        {"resourceSpans": []},
        {"model": "embed-1", "input": "text"},
        {"messages": []},
        [],
        "x",
    ],
)
def test_another_formats_record_is_not_claimed(other: object) -> None:
    assert not chat.claims(other)


def test_mutated_conversations_never_raise_and_stay_accounted_for() -> None:
    rng = random.Random(11)
    seeds: list[list[Any]] = [
        [
            USER,
            assistant(call("f", "{}", "a"), call("g", {"x": 1}, "b"), content="t"),
            tool("1", "b"),
            tool("2", "a"),
        ],
        [
            assistant({"name": "f", "id": None, "args": {}}),
            tool("1", None, error=None),
            assistant(content=["x"]),
        ],
        [
            {"type": "reasoning", "summary": []},
            {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "a", "output": "o"},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "done"}]},
        ],
        [
            USER,
            assistant(call("f")),
            {"role": "approval", "approved": True, "by": "x", "tool_call_id": "call_1"},
        ],
        [{"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]}],
    ]
    for path in SAMPLES.glob("openai/chat/*.jsonl"):
        bodies = [json.loads(line) for line in path.read_text().splitlines()]
        seeds += [m for m in map(messages_of, bodies) if len(json.dumps(m)) < 20_000]
    texts = [json.dumps(seed) for seed in seeds]
    for number in range(MUTATIONS):
        talk = json.loads(rng.choice(texts))
        header: dict[str, Any] = {"id": f"c{number}", "created": 1772359200, "usage": {"input_tokens": 1}}
        for _ in range(rng.randint(1, 4)):
            mutate(talk, rng)
        mutate(header, rng)
        header["messages"] = talk
        observations, rejected = read(header)
        assert accounted(observations, rejected) == max(sum(map(units, talk)), 1), talk
        assert len({o.event_id for o in observations}) == len(observations)
