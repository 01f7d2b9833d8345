"""The reader `otlp`: real exports of each dialect, and small ones written here for what must always hold."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from ingest.event import Observation, Rejected, Row, identify
from ingest.readers.otlp import otlp
from ingest.records import LogFile, Record, Unread
from ingest.settle import content_key, settle

SAMPLES = Path(__file__).parents[3] / "../shared/samples"

OURS = (
    "aws/agentcore/raw_otel_langchain_runtime_logs.json",
    "aws/agentcore/raw_otel_strands_bedrock_runtime_logs.json",
    "aws/agentcore/raw_otel_strands_bedrock_spans.json",
    "generated/adk.spans.otlp.jsonl",
    "generated/maf.otlp.jsonl",
    "generated/maf_default_nocontent.otlp.jsonl",
    "generated/mcp_stdio_auto.jsonl.client.otlp.jsonl",
    "generated/mcp_stdio_auto.jsonl.server.otlp.jsonl",
    "generated/mcp_stdio_legacy.jsonl.client.otlp.jsonl",
    "generated/mcp_stdio_legacy.jsonl.server.otlp.jsonl",
    "generated/openinference_openai_agents.otlp.jsonl",
    "generated/strands_default.otlp.jsonl",
    "generated/strands_latest.otlp.jsonl",
    "generated/strands_simple_processor.otlp.jsonl",
    "openinference/strands_evals.claude_adot_spans.json",
    "openinference/strands_evals.claude_live_spans.json",
    "openinference/strands_evals.openai_agents_openinference_adot_spans.json",
    "openinference/strands_evals.openai_agents_openinference_live_spans.json",
    "otlp_genai/defenseclaw/claudecode.tool.span.source.json",
    "otlp_genai/defenseclaw/codex.tool-result.logs.json",
    "otlp_genai/strands_evals/adk_live_spans.json",
    "otlp_genai/strands_evals/openai_agents_genai_live_spans.json",
)


def sample(name: str) -> Path:
    path = SAMPLES / name
    if not path.exists():
        pytest.skip(f"the sample {name} is not beside this checkout (../shared/samples)")
    return path


def read(path: Path) -> list[Observation | Rejected]:
    log = LogFile(path, path.name)
    try:
        assert otlp.claims(log.first)
        return list(otlp.read(log.records()))
    finally:
        log.close()


def steps(*names: str) -> list[Observation]:
    """The observations of sample files; a rejection fails the test."""
    found: list[Observation] = []
    for name in names:
        for said in read(sample(name)):
            assert isinstance(said, Observation), said
            found.append(said)
    return found


def settled(observations: list[Observation]) -> list[Row]:
    return [r for r in settle((content_key(o), o) for o in observations) if r.witness_of is None]


def of_line(value: object) -> list[Observation | Rejected]:
    """What a line with this value yields."""
    return list(otlp.read([Record("here.jsonl", 7, json.dumps(value).encode())]))


def one(value: object) -> Observation:
    found = of_line(value)
    assert len(found) == 1, found
    assert isinstance(found[0], Observation), found[0]
    return found[0]


def spec(attributes: dict[str, object], **said: object) -> dict[str, object]:
    """An export of one span as the specification writes it."""
    return {"resourceSpans": [{"scopeSpans": [{"spans": [spec_span(attributes, **said)]}]}]}


def spec_span(attributes: dict[str, object], **said: object) -> dict[str, object]:
    span: dict[str, object] = {
        "traceId": "0af7651916cd43dd8448eb211c80319c",
        "spanId": "b7ad6b7169203331",
        "name": "a span",
        "startTimeUnixNano": "1795418805493975763",
        "endTimeUnixNano": "1795418805494269001",
        "attributes": [{"key": k, "value": wrapped(v)} for k, v in attributes.items()],
    }
    return span | said


def wrapped(value: object) -> dict[str, object]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case list():
            return {"arrayValue": {"values": [wrapped(item) for item in value]}}
        case dict():
            return {"kvlistValue": {"values": [{"key": k, "value": wrapped(v)} for k, v in value.items()]}}
        case _:
            return {"stringValue": value}


def flat(attributes: dict[str, object], **said: object) -> dict[str, object]:
    """A span as CloudWatch writes it."""
    return {
        "traceId": "0af7651916cd43dd8448eb211c80319c",
        "spanId": "b7ad6b7169203331",
        "name": "a span",
        "startTimeUnixNano": 1795418805493975763,
        "endTimeUnixNano": 1795418805494269001,
        "attributes": attributes,
    } | said


THROWN = {"name": "exception", "attributes": [{"key": "exception.message", "value": wrapped("boom")}]}
TOOL = {
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": "isolate_host",
    "gen_ai.tool.call.arguments": '{"hostname": "wks-042"}',
    "gen_ai.tool.call.result": "wks-042 isolated",
}


# Claims


@pytest.mark.parametrize("name", OURS)
def test_every_otlp_sample_is_claimed_and_read_without_a_rejection(name: str) -> None:
    assert steps(name)


@pytest.mark.skipif(not SAMPLES.exists(), reason="no ../shared/samples beside this checkout")
def test_no_other_sample_is_claimed() -> None:
    claimed = []
    for path in sorted(p for p in SAMPLES.rglob("*") if p.suffix in (".json", ".jsonl")):
        try:
            log = LogFile(path, path.name)
        except Unread:
            continue
        if otlp.claims(log.first):
            claimed.append(path.relative_to(SAMPLES).as_posix())
        log.close()
    assert claimed == sorted(OURS)


@pytest.mark.parametrize(
    "first",
    [
        {"events": [{"eventId": "1", "eventTime": "2026-01-01T00:00:00Z", "eventType": "X"}]},
        [{"role": "user", "content": "hello"}],
        {"messages": [{"role": "user", "content": "hello"}]},
        {"Records": [{"eventVersion": "1.08", "eventSource": "s3.amazonaws.com"}]},
        {"@timestamp": "2026-01-01 00:00:00", "@message": '{"eventVersion": "1.08", "userIdentity": {}}'},
        {"id": "1", "trace_id": "2", "run_type": "llm", "start_time": "x", "inputs": {}},
        {"object": "trace.span", "id": "span_1", "trace_id": "trace_1", "started_at": "x", "span_data": {}},
        {"type": "user", "uuid": "1", "parentUuid": None, "sessionId": "2", "message": {"role": "user"}},
        {"jsonrpc": "2.0", "id": 1, "method": "tools/call"},
        {"logName": "projects/x", "trace": "t", "spanId": "s", "protoPayload": {}},
        {},
        [],
        "text",
        None,
        3,
    ],
)
def test_other_formats_are_left_to_their_readers(first: object) -> None:
    assert not otlp.claims(first)


@pytest.mark.parametrize(
    "first",
    [
        {"resourceMetrics": []},
        {"timestamp": "x", "raw_otel_json": flat({})},
        {"@timestamp": "x", "@message": json.dumps(flat({}))},
        {"@timestamp": "x", "@message": flat({})},
        {"spans": [flat({})], "session_id": "s"},
        {"name": "n", "context": {"trace_id": "0x1", "span_id": "0x2"}, "start_time": "x", "attributes": {}},
    ],
)
def test_wrapped_dialects_are_claimed(first: object) -> None:
    assert otlp.claims(first)


# One span, many dialects


@pytest.mark.parametrize(
    "line",
    [
        spec(TOOL),
        {"resourceSpans": [{"instrumentationLibrarySpans": [{"spans": [spec_span(TOOL)]}]}]},
        {"resource_spans": [{"scope_spans": [{"spans": [flat(TOOL)]}]}]},
        spec(TOOL, traceId="CvdlGRbNQ92ESOshHIAxnA==", spanId="t61rcWkgMzE="),
        spec(TOOL, traceId="0AF7651916CD43DD8448EB211C80319C"),
        flat(TOOL),
        {"timestamp": "x", "raw_otel_json": flat(TOOL)},
        {"@timestamp": "x", "@message": json.dumps(flat(TOOL))},
        {"message": json.dumps(flat(TOOL))},
        [flat(TOOL)],
        {"spans": [flat(TOOL)]},
        {"data": [flat(TOOL)], "next_cursor": None},
        {
            "name": "a span",
            "context": {
                "trace_id": "0x0af7651916cd43dd8448eb211c80319c",
                "span_id": "0xb7ad6b7169203331",
            },
            "parent_id": None,
            "start_time": "2026-11-23T07:26:45.493975763Z",
            "end_time": "2026-11-23T07:26:45.494269001Z",
            "status": {"status_code": "UNSET"},
            "attributes": TOOL,
        },
        {
            "trace_id": "0af7651916cd43dd8448eb211c80319c",
            "span_id": "b7ad6b7169203331",
            "start_time": 1795418805493975763,
            "end_time": 1795418805494269001,
            "attributes": json.dumps(TOOL),
        },
    ],
)
def test_a_span_is_the_same_step_in_every_dialect(line: object) -> None:
    step = one(line)
    assert step.trace_id == "0af7651916cd43dd8448eb211c80319c"
    assert step.event_id == identify("otlp", step.trace_id, "b7ad6b7169203331")
    assert (step.kind, step.tool, step.status) == ("tool_call", "isolate_host", "ok")
    assert step.arguments == '{"hostname": "wks-042"}'
    assert step.result == '"wks-042 isolated"'
    assert step.started_at == 1795418805493975763
    assert step.ended_at == 1795418805494269001
    assert step.target == "wks-042"
    assert step.approval == "cannot_record"
    assert step.parent_event_id is None


def test_a_phoenix_span_has_its_kind_outside_of_the_attributes() -> None:
    step = one(
        {
            "id": "U3Bhbjox",
            "name": "lookup",
            "context": {"trace_id": "t1", "span_id": "s1"},
            "span_kind": "TOOL",
            "parent_id": "s0",
            "start_time": "2026-11-23T07:26:45.493975+00:00",
            "end_time": "2026-11-23T08:26:45.5+01:00",
            "status_code": "ERROR",
            "status_message": "no such host",
            "attributes": {"input.value": "{}", "tool.name": "lookup"},
        }
    )
    assert (step.kind, step.tool, step.status, step.error) == ("tool_call", "lookup", "error", "no such host")
    assert step.parent_event_id == identify("otlp", "t1", "s0")
    assert step.ended_at is not None
    assert step.started_at is not None
    assert step.ended_at - step.started_at == 6_025_000


def test_an_open_span_has_no_end_and_no_outcome() -> None:
    step = one(spec(TOOL, endTimeUnixNano="0", parentSpanId="0000000000000000"))
    assert (step.ended_at, step.status, step.parent_event_id) == (None, "unknown", None)


def test_tokens_written_as_text_are_counts_and_only_model_calls_have_them() -> None:
    usage = {"gen_ai.usage.prompt_tokens": "42", "gen_ai.usage.completion_tokens": "7"}
    chat = one(flat({"gen_ai.operation.name": "Chat", "gen_ai.request.model": "m"} | usage))
    assert (chat.kind, chat.operation, chat.input_tokens, chat.output_tokens) == ("model_call", "chat", 42, 7)
    run = one(flat({"gen_ai.operation.name": "invoke_agent"} | usage))
    assert (run.kind, run.input_tokens, run.output_tokens) == ("lifecycle", None, None)


def test_in_a_pretty_document_each_span_keeps_its_own_line_and_hash(tmp_path: Path) -> None:
    spans = [spec_span(TOOL, spanId=f"b7ad6b716920333{i}") for i in range(3)]
    path = tmp_path / "pretty.json"
    path.write_text(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}, indent=2))
    lines = path.read_text().splitlines()
    found = [step for step in read(path) if isinstance(step, Observation)]
    assert len({step.source_sha256 for step in found}) == 3
    for step, span in zip(found, spans, strict=True):
        line = int(step.source.rpartition(":")[2])
        assert lines[line - 1].strip() == "{"
        assert str(span["traceId"]) in lines[line]


# Meaning


@pytest.mark.parametrize(
    ("attributes", "name", "kind", "operation"),
    [
        ({"openinference.span.kind": "LLM"}, "x", "model_call", "llm"),
        ({"openinference.span.kind": "EMBEDDING"}, "x", "model_call", "embedding"),
        ({"openinference.span.kind": "DECISION"}, "x", "model_call", "decision"),
        ({"openinference.span.kind": "TOOL"}, "x", "tool_call", "tool"),
        ({"openinference.span.kind": "RETRIEVER"}, "x", "tool_call", "retriever"),
        ({"openinference.span.kind": "TOOL"}, "handoff to x", "handoff", "handoff"),
        ({"openinference.span.kind": "AGENT"}, "x", "lifecycle", "invoke_agent"),
        ({"openinference.span.kind": "CHAIN"}, "x", "lifecycle", "chain"),
        ({"gen_ai.operation.name": "text_completion"}, "x", "model_call", "text_completion"),
        ({"gen_ai.operation.name": "retrieval"}, "x", "tool_call", "retrieval"),
        ({"gen_ai.operation.name": "invoke_workflow"}, "x", "lifecycle", "invoke_workflow"),
        ({"gen_ai.operation.name": "create_agent"}, "x", "lifecycle", "create_agent"),
        ({"gen_ai.operation.name": "agent_handoff"}, "x", "handoff", "agent_handoff"),
        ({"gen_ai.operation.name": "execute_event_loop_cycle"}, "x", "lifecycle", "execute_event_loop_cycle"),
        ({"gen_ai.system": "gcp.vertex.agent"}, "call_llm", "model_call", "call_llm"),
        ({"mcp.method.name": "tools/call"}, "tools/call x", "tool_call", "tools/call"),
        ({"mcp.method.name": "tools/list"}, "tools/list", "lifecycle", "tools/list"),
        ({"traceloop.span.kind": "tool"}, "x.tool", "tool_call", "tool"),
        ({"llm.request.type": "chat"}, "openai.chat", "model_call", "chat"),
        ({"gen_ai.operation.name": "unknown", "gen_ai.tool.name": "x"}, "y", "tool_call", "execute_tool"),
        (
            {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "(merged tools)"},
            "x",
            "lifecycle",
            "merged_tools",
        ),
        ({"ai.operationId": "ai.toolCall", "ai.toolCall.name": "x"}, "y", "tool_call", "ai.toolCall"),
        (
            {"ai.operationId": "ai.generateText.doGenerate"},
            "x",
            "model_call",
            "ai.generateText.doGenerate",
        ),
        ({"http.request.method": "GET"}, "GET", "lifecycle", "GET"),
    ],
)
def test_each_vocabulary_names_the_kind_of_step(
    attributes: dict[str, object], name: str, kind: str, operation: str
) -> None:
    step = one(spec(attributes, name=name))
    assert (step.kind, step.operation) == (kind, operation)
    assert (step.witness == "infrastructure") == (operation == "GET")


def test_a_cloud_call_is_infrastructure_with_its_target_and_key() -> None:
    step = one(
        flat(
            {
                "rpc.service": "EC2",
                "rpc.method": "AuthorizeSecurityGroupIngress",
                "server.address": "ec2.eu-west-1.amazonaws.com",
                "aws.auth.account.access_key": "ASIAEXAMPLE",
                "http.status_code": 403,
            },
            kind="CLIENT",
            status={"code": "ERROR", "message": "not authorised"},
        )
    )
    assert (step.kind, step.witness) == ("lifecycle", "infrastructure")
    assert (step.target, step.credential_id) == ("ec2.eu-west-1.amazonaws.com", "ASIAEXAMPLE")
    assert (step.status, step.error) == ("denied", "not authorised")


@pytest.mark.parametrize(
    ("attributes", "name", "receiver"),
    [
        ({"gen_ai.tool.name": "transfer_to_responder"}, "execute_tool transfer_to_responder", "responder"),
        (
            {
                "gen_ai.tool.name": "transfer_to_agent",
                "gcp.vertex.agent.tool_call_args": '{"agent_name": "responder"}',
            },
            "execute_tool transfer_to_agent",
            "responder",
        ),
        (
            {"gen_ai.tool.name": "go", "gen_ai.transfer.target.name": "responder"},
            "execute_tool go",
            "responder",
        ),
        ({"gen_ai.tool.name": "transfer_to_agent"}, "execute_tool transfer_to_agent", None),
    ],
)
def test_a_transfer_tool_hands_over_to_an_agent(attributes: dict[str, object], name: str, receiver: str | None) -> None:
    step = one(spec({"gen_ai.operation.name": "execute_tool"} | attributes, name=name))
    assert (step.kind, step.target, step.status) == ("handoff", receiver, "ok")


def test_a_normal_handoff_marked_as_error_is_ok_and_a_thrown_one_is_not() -> None:
    attributes: dict[str, object] = {"openinference.span.kind": "TOOL"}
    assert one(spec(attributes, name="handoff to x", status={"code": 2})).status == "ok"
    failed = one(spec(attributes, name="handoff to x", status={"code": 2}, events=[THROWN]))
    assert (failed.status, failed.error) == ("error", "boom")


@pytest.mark.parametrize(
    "said",
    [
        {"status": {"code": 2, "message": "boom"}},
        {"status": {"code": "STATUS_CODE_ERROR", "message": "boom"}},
        {"events": [THROWN]},
    ],
)
def test_each_way_to_fail_is_an_error_with_its_text(said: dict[str, object]) -> None:
    step = one(spec(TOOL, **said))
    assert (step.status, step.error) == ("error", "boom")


@pytest.mark.parametrize(
    "attributes",
    [
        {"gen_ai.tool.status": "error"},
        {"error.type": "tool_error"},
        {"gen_ai.tool.call.result": '{"isError": true, "content": []}'},
    ],
)
def test_a_tool_that_reports_its_own_failure_is_an_error(attributes: dict[str, object]) -> None:
    assert one(spec(TOOL | attributes)).status == "error"


def test_a_tool_schema_is_not_taken_for_the_arguments() -> None:
    schema = '{"type": "object", "properties": {"ip": {"type": "string"}}}'
    kind = {"openinference.span.kind": "TOOL", "tool.name": "lookup_ip"}
    assert one(spec(kind | {"tool.parameters": schema})).arguments is None
    assert one(spec(kind | {"tool.parameters": '{"ip": "1"}'})).arguments == '{"ip": "1"}'
    both = one(spec(kind | {"tool.parameters": schema, "input.value": '{"ip": "2"}'}))
    assert both.arguments == '{"ip": "2"}'


def test_numbered_messages_become_lists() -> None:
    step = one(
        flat(
            {
                "llm.request.type": "chat",
                "gen_ai.prompt.1.role": "user",
                "gen_ai.prompt.1.content": "now",
                "gen_ai.prompt.0.role": "system",
                "gen_ai.prompt.0.content": "be brief",
                "gen_ai.completion.0.content": "ok",
            }
        )
    )
    assert json.loads(step.arguments or "") == [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "now"},
    ]
    assert json.loads(step.result or "") == [{"content": "ok"}]


def test_a_conversation_wins_over_a_session_and_generic_agent_names_are_none() -> None:
    both = one(flat({"gen_ai.conversation.id": "c", "session.id": "s", "gen_ai.operation.name": "chat"}))
    assert both.session_id == "c"
    assert one(flat({"session.id": "s", "gen_ai.operation.name": "chat"})).session_id == "s"
    generic = one(flat({"gen_ai.operation.name": "chat", "gen_ai.agent.id": "agent"}))
    assert generic.agent_id is None


def test_the_model_does_not_change_the_version_but_the_service_version_does() -> None:
    resource = {"attributes": {"service.version": "1.4.2", "service.name": "soc"}}
    step = one(flat({"gen_ai.operation.name": "chat", "gen_ai.request.model": "m2"}, resource=resource))
    assert (step.agent_version, step.model, step.service) == ("1.4.2", "m2", "soc")


# Log records


def log_record(name: str, body: object, at: int, span_id: str = "b7ad6b7169203331") -> dict[str, object]:
    return {
        "resource": {"attributes": {"service.name": "soc"}},
        "scope": {"name": "opentelemetry.instrumentation.botocore.bedrock-runtime"},
        "timeUnixNano": at,
        "observedTimeUnixNano": at,
        "body": body,
        "attributes": {"event.name": name},
        "traceId": "0af7651916cd43dd8448eb211c80319c",
        "spanId": span_id,
    }


def test_single_messages_of_a_span_become_one_observation_in_time_order() -> None:
    at = 1795418805493975763
    lines = [
        log_record("gen_ai.choice", {"message": {"content": "done"}, "index": 0}, at + 2),
        log_record("gen_ai.user.message", {"content": "second"}, at + 1),
        log_record("gen_ai.system.message", {"content": "first"}, at),
    ]
    found = list(otlp.read(Record("x", i, json.dumps(line).encode()) for i, line in enumerate(lines, 1)))
    assert len(found) == 1
    step = found[0]
    assert isinstance(step, Observation)
    assert (step.kind, step.witness, step.records) == ("model_call", "log", 3)
    assert [m["content"] for m in json.loads(step.arguments or "")] == ["first", "second"]
    assert json.loads(step.result or "")[0]["content"] == {"content": "done"}
    assert step.event_id == identify("otlp", step.trace_id, "b7ad6b7169203331")


def test_a_note_is_a_step_of_its_own_and_never_the_result_of_the_span() -> None:
    note = log_record("app", "retrying the lookup", 1795418805493975763)
    step = one(note)
    assert (step.kind, step.operation, step.witness) == ("lifecycle", "app", "log")
    assert step.result == '"retrying the lookup"'
    assert step.parent_event_id == identify("otlp", step.trace_id, "b7ad6b7169203331")
    assert step.event_id != step.parent_event_id
    assert one(note).event_id == step.event_id


def test_a_tool_message_moved_to_a_log_record_gives_the_arguments_and_the_result() -> None:
    body = {
        "input": {"messages": [{"role": "tool", "content": {"id": "t1", "content": '{"ip": "1.2.3.4"}'}}]},
        "output": {"messages": [{"role": "assistant", "content": {"message": '[{"text": "bad"}]'}}]},
    }
    step = one(log_record("strands.telemetry.tracer", body, 1795418805493975763))
    assert (step.kind, step.arguments, step.result) == ("tool_call", '{"ip": "1.2.3.4"}', '[{"text": "bad"}]')


@pytest.mark.parametrize(
    ("decision", "origin", "approval", "approver"),
    [
        ("accept", "user_temporary", "approved", "eve@example.test"),
        ("reject", "user_reject", "denied", "eve@example.test"),
        ("accept", "config", "automatic", None),
    ],
)
def test_a_rule_of_the_configuration_is_no_person(
    decision: str, origin: str, approval: str, approver: str | None
) -> None:
    record = {
        "timeUnixNano": "1795418805493975763",
        "body": {"stringValue": "claude_code.tool_decision"},
        "attributes": [
            {"key": key, "value": wrapped(value)}
            for key, value in {
                "event.name": "tool_decision",
                "session.id": "s1",
                "user.email": "eve@example.test",
                "tool_name": "Bash",
                "decision": decision,
                "source": origin,
            }.items()
        ],
    }
    step = one({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]})
    assert (step.kind, step.approval, step.approver, step.tool) == ("approval", approval, approver, "Bash")


# Whole samples


def test_agentcore_spans_and_runtime_logs_count_each_model_call_once() -> None:
    rows = settled(
        steps(
            "aws/agentcore/raw_otel_strands_bedrock_spans.json",
            "aws/agentcore/raw_otel_strands_bedrock_runtime_logs.json",
        )
    )
    calls = [row for row in rows if row.kind == "model_call"]
    assert sorted(row.input_tokens or 0 for row in calls) == [21114, 21209, 21245]
    assert [row.input_tokens for row in rows if row.kind != "model_call" and row.input_tokens] == []
    told = next(row for row in calls if row.input_tokens == 21245)
    assert told.arguments is not None
    assert told.result is not None
    assert told.disagreement is None
    assert told.credential_id == "ASIA2UC3CYLEZ4QN7R24"
    assert {row.agent_id for row in calls} == {"Strands Agents"}
    assert {row.session_id for row in calls} == {"cc8a8e69-8bed-4e5f-9a06-9a58550fd713"}
    run = next(row for row in rows if row.event_id == told.parent_event_id)
    assert run.operation == "execute_event_loop_cycle"


def test_agentcore_records_keep_their_own_lines_and_nanoseconds() -> None:
    found = steps("aws/agentcore/raw_otel_strands_bedrock_spans.json")
    assert sum(step.records for step in found) == 50
    assert len({step.source for step in found}) == 50
    assert found[0].started_at == 1763423912171758991


def test_agentcore_logs_account_for_every_record() -> None:
    found = steps("aws/agentcore/raw_otel_strands_bedrock_runtime_logs.json")
    assert sum(step.records for step in found) == 50
    joined = next(step for step in found if step.records > 1)
    assert (joined.kind, joined.records) == ("model_call", 45)
    assert json.loads(joined.arguments or "")[0]["role"] == "system"


@pytest.mark.parametrize("name", ["default", "latest", "simple_processor"])
def test_strands_calls_have_arguments_results_errors_and_one_session_over_two_traces(name: str) -> None:
    rows = settled(steps(f"generated/strands_{name}.otlp.jsonl"))
    assert Counter(row.kind for row in rows) == {"model_call": 3, "tool_call": 3, "lifecycle": 6, "approval": 1}
    (asked,) = (row for row in rows if row.kind == "approval")
    assert (asked.tool, asked.approval, asked.operation) == ("isolate_host", "pending", "interrupt")
    assert json.loads(asked.arguments or "") == {"hostname": "wks-042"}
    calls = {row.tool: row for row in rows if row.kind == "tool_call"}
    assert calls.keys() == {"lookup_ip", "flaky", "isolate_host"}
    assert json.loads(calls["isolate_host"].arguments or "") == {"hostname": "wks-042"}
    assert json.loads(calls["isolate_host"].result or "") == [{"text": "wks-042 isolated"}]
    assert (calls["flaky"].status, calls["flaky"].error) == ("error", "backend timeout")
    assert sum(row.input_tokens or 0 for row in rows) == 309
    assert len({row.trace_id for row in rows}) == 2
    assert {row.session_id for row in rows} == {"conv-0001"}
    assert {row.agent_id for row in rows} == {"soc-triage"}
    assert {row.on_behalf_of for row in rows} == {"analyst@example.test"}
    assert {row.source_host for row in rows} == {"lab-host-1"}
    assert {row.agent_version for row in rows} == {"1.0.0"}


def test_adk_tools_models_and_the_transfer() -> None:
    rows = settled(steps("generated/adk.spans.otlp.jsonl"))
    assert sorted(row.tool or "" for row in rows if row.kind == "tool_call") == [
        "isolate_host", "isolate_host", "lookup_ip",
    ]  # fmt: skip
    assert [row.agent_id for row in rows if row.tool == "transfer_to_agent"] == ["triage"]
    assert {row.agent_id for row in rows if row.tool == "isolate_host"} == {"responder"}
    assert {row.session_id for row in rows} == {"sess-adk-1"}
    assert sum(row.input_tokens or 0 for row in rows) == 200


def test_adk_live_counts_tokens_once_and_has_the_tool_payloads() -> None:
    rows = settled(steps("otlp_genai/strands_evals/adk_live_spans.json"))
    assert sum(row.input_tokens or 0 for row in rows) == 157 + 222
    tool = next(row for row in rows if row.kind == "tool_call")
    assert (tool.arguments, tool.result) == ('{"expression": "15 * 37"}', '{"result": "555"}')
    assert tool.session_id == "b4866a2a-a3d4-4d2f-8f40-6bb0d03d135c"
    assert tool.agent_id == "math_agent"
    assert all(row.arguments for row in rows if row.kind == "model_call")


def test_agent_framework_approvals_are_events_without_an_approver() -> None:
    found = steps("generated/maf.otlp.jsonl")
    approvals = [step for step in found if step.kind == "approval"]
    assert sorted(step.approval or "" for step in approvals) == ["approved", "pending"]
    for step in approvals:
        assert (step.tool, step.arguments) == ("isolate_host", '{"hostname": "wks-042"}')
        assert (step.approver, step.records) == (None, 0)
        assert step.parent_event_id in {other.event_id for other in found}
    assert {step.approval for step in found if step.kind == "tool_call"} == {"not_recorded"}
    assert sum(step.records for step in found) == 7
    answer = next(row for row in settled(found) if row.approval == "approved")
    call = next(row for row in settled(found) if row.tool == "isolate_host" and row.kind == "tool_call")
    assert (answer.ordered_at or 0) <= (call.ordered_at or 0)


@pytest.mark.parametrize(("approved", "by"), [(True, "ana@example.test"), (False, "ana@example.test"), (None, None)])
def test_an_answer_to_a_request_is_of_the_person_whose_turn_it_stands_in(approved: bool | None, by: str | None) -> None:
    part = {
        "type": "function_approval_response",
        "id": "a1",
        "function_call": {"call_id": "c1", "name": "isolate_host"},
    }
    part |= {} if approved is None else {"approved": approved}
    messages = json.dumps([{"role": "user", "parts": [part]}])
    found = of_line(spec_span({"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "triage",
                               "user.id": "ana@example.test", "gen_ai.input.messages": messages}))  # fmt: skip
    (answer,) = [step for step in found if isinstance(step, Observation) and step.kind == "approval"]
    assert answer.approver == by


def test_agent_framework_without_content_cannot_record_approvals() -> None:
    found = steps("generated/maf_default_nocontent.otlp.jsonl")
    assert {step.approval for step in found if step.kind == "tool_call"} == {"cannot_record"}
    assert not [step for step in found if step.kind == "approval"]


@pytest.mark.parametrize("era", ["auto", "legacy"])
def test_an_mcp_call_seen_by_client_and_server_is_one_call_and_its_failure_is_kept(era: str) -> None:
    name = f"generated/mcp_stdio_{era}.jsonl"
    found = steps(f"{name}.client.otlp.jsonl", f"{name}.server.otlp.jsonl")
    rows = [row for row in settled(found) if row.kind == "tool_call"]
    tools = Counter(row.tool for row in rows)
    assert tools == {"lookup_ip": 1, "flaky": 1, "isolate_host": 2 if era == "auto" else 1, "nope": 1}
    assert {row.agent_id for row in rows} == {"triage"}
    assert {row.tool for row in rows if row.error == "tool_error"} == {"flaky", "nope"}
    server = [step for step in found if step.error == "tool_error"]
    assert {step.status for step in server} == {"error"}
    assert not [step for step in found if step.tool == "flaky" and step.status == "ok"]


def test_openinference_calls_and_the_handoff() -> None:
    rows = settled(steps("generated/openinference_openai_agents.otlp.jsonl"))
    tools = {row.tool: row for row in rows if row.kind == "tool_call"}
    assert tools.keys() == {"lookup_ip", "flaky", "isolate_host"}
    assert tools["lookup_ip"].arguments == '{"ip": "203.0.113.9"}'
    assert tools["flaky"].status == "error"
    assert tools["isolate_host"].agent_id == "responder"
    handoff = next(row for row in rows if row.operation == "handoff")
    assert (handoff.agent_id, handoff.target, handoff.status) == ("triage", "responder", "ok")
    assert sum(row.input_tokens or 0 for row in rows) == 150


def test_a_handoff_that_adot_marked_as_error_is_ok() -> None:
    rows = settled(steps("openinference/strands_evals.openai_agents_openinference_adot_spans.json"))
    handoff = next(row for row in rows if row.operation == "handoff")
    assert (handoff.kind, handoff.target, handoff.status) == ("handoff", "math_specialist", "ok")
    assert sum(row.input_tokens or 0 for row in rows) == 148 + 257 + 287


def test_openai_agents_live_spans_of_both_instrumentations() -> None:
    rows = settled(steps("otlp_genai/strands_evals/openai_agents_genai_live_spans.json"))
    stock = next(row for row in rows if row.tool == "lookup_stock_price")
    assert (stock.arguments, stock.result) == ('{"ticker":"AMZN"}', '"AMZN: $240.98"')
    assert stock.agent_id == "research_specialist"
    assert Counter(row.kind for row in rows if row.kind.endswith("call")) == {"model_call": 8, "tool_call": 5}
    rows = settled(steps("openinference/strands_evals.openai_agents_openinference_live_spans.json"))
    assert Counter(row.kind for row in rows if row.kind.endswith("call")) == {"model_call": 5, "tool_call": 4}


@pytest.mark.parametrize("name", ["claude_live", "claude_adot"])
def test_claude_agent_sdk_calls_keep_their_arguments(name: str) -> None:
    found = steps(f"openinference/strands_evals.{name}_spans.json")
    shells = [step for step in found if step.tool == "Bash"]
    assert shells
    assert all("command" in json.loads(step.arguments or "") for step in shells)
    assert all("stdout" in json.loads(step.result or "") for step in shells)


def test_coding_agents_own_telemetry() -> None:
    (span,) = steps("otlp_genai/defenseclaw/claudecode.tool.span.source.json")
    assert (span.kind, span.tool, span.trace_id) == ("tool_call", "Read", "11" * 16)
    (log,) = steps("otlp_genai/defenseclaw/codex.tool-result.logs.json")
    assert (log.kind, log.tool) == ("tool_call", "shell")
    assert (log.arguments, log.result) == ('{"command":"true"}', '"ok"')
    assert (log.session_id, log.status, log.model) == ("conversation-native-tool-1", "ok", "gpt-test")
    assert (log.started_at, log.ended_at) == (1783987199988000000, 1783987200000000000)


# Hostile and broken input


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"resourceMetrics": []}, "metrics hold no steps"),
        ({"resourceSpans": 3}, "not the shape"),
        ({"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "x"}]}]}]}, "trace id"),
        ({"resourceSpans": [{"scopeSpans": [{"spans": ["x"]}]}]}, "must be an object"),
        ({"resourceSpans": [{"scopeSpans": 3}]}, "not as OTLP/JSON has it"),
        ({"resourceLogs": [{"scopeLogs": [{"logRecords": [3]}]}]}, "must be an object"),
        ({"hello": "world"}, "no trace id"),
        ([3], "not the shape"),
    ],
)
def test_what_cannot_be_read_is_rejected_with_its_line_and_reason(line: object, reason: str) -> None:
    found = of_line(line)
    assert len(found) == 1
    assert isinstance(found[0], Rejected)
    assert found[0].line == 7
    assert reason in found[0].reason


def test_a_broken_span_does_not_take_its_neighbours_with_it() -> None:
    good, bad = spec_span(TOOL), spec_span(TOOL, traceId=5)
    odd = spec_span(TOOL, spanId="b7ad6b7169203332", name=None, events="none", status="ERROR")
    found = of_line({"resourceSpans": [{"scopeSpans": [{"spans": [bad, good, odd]}]}]})
    assert [isinstance(step, Observation) for step in found] == [False, True, True]


def test_deep_nesting_is_no_danger() -> None:
    deep: object = "x"
    for _ in range(100):
        deep = [deep]
    found = of_line(spec({"input.value": deep, "openinference.span.kind": "TOOL"}))
    assert len(found) == 1
    bomb = b'{"resourceSpans":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    assert isinstance(next(iter(otlp.read([Record("x", 1, bomb)]))), Rejected)


ODD_VALUES: tuple[object, ...] = (
    None, True, -1, 0, 2**63, 2**70, 1e308, 1.5, "", "x", "0" * 32, "-5", "9" * 40, "²", "{", "[]", '{"a":1}',
    [], {}, [[]], [None], {"values": 3}, {"key": 3}, {"stringValue": 5},
    {"arrayValue": {"values": [None, {}]}}, {"kvlistValue": {"values": [{"key": 1}]}}, float("inf"),
    "2026-99-99T00:00:00Z", "2026-01-01T00:00:00+99:99", "http://[", "function_approval_request",
)  # fmt: skip


def mutate(value: object, chance: random.Random) -> object:
    """The value with one thing in it replaced, removed, renamed, doubled or moved."""
    if not isinstance(value, dict | list) or not value or chance.random() < 0.08:
        return chance.choice(ODD_VALUES)
    if isinstance(value, list):
        at = chance.randrange(len(value))
        match chance.random():
            case x if x < 0.05:
                return value[:at] + value[at + 1 :]
            case x if x < 0.1:
                return [*value, value[at]]
            case _:
                return [*value[:at], mutate(value[at], chance), *value[at + 1 :]]
    key = chance.choice(sorted(value))
    changed = dict(value)
    match chance.random():
        case x if x < 0.08:
            del changed[key]
        case x if x < 0.12:
            changed[chance.choice(sorted(value))] = value[key]
        case x if x < 0.16:
            changed[chance.choice(("traceId", "body", "message", "attributes", "spans"))] = value[key]
        case _:
            changed[key] = mutate(value[key], chance)
    return changed


def test_five_thousand_mutated_records_raise_nothing() -> None:
    chance = random.Random(20261123)
    kept: list[object] = [
        spec(TOOL),
        flat(TOOL),
        [flat(TOOL, status={"code": "OK"}, events=[{"name": "gen_ai.choice", "attributes": {"id": "x"}}])],
        log_record("gen_ai.choice", {"message": {"content": "x"}}, 1795418805493975763),
        log_record("x.tool_result", {"input": {"messages": [{"role": "tool", "content": {"id": 1}}]}}, 5),
    ]
    for name in OURS if SAMPLES.exists() else ():
        raw = (SAMPLES / name).read_bytes()
        if len(raw) < 60_000:
            kept.extend(json.loads(line) for line in (raw.splitlines() if name.endswith("l") else [raw]))
    packed = msgspec.msgpack.Encoder()
    for _ in range(5_000):
        value = chance.choice(kept)
        for _ in range(chance.randint(1, 4)):
            value = mutate(value, chance)
        otlp.claims(value)
        found = list(otlp.read([Record("x", 1, json.dumps(value).encode())]))
        observations = [step for step in found if isinstance(step, Observation)]
        packed.encode(observations)  # as the store does: every value is of a kind that it holds
        for step in observations:
            assert step.trace_id
            assert step.event_id
            for at in (step.started_at, step.ended_at, step.input_tokens, step.output_tokens):
                assert at is None or 0 <= at < 2**63
            for payload in (step.arguments, step.result):
                assert payload is None or isinstance(payload, str)
                if payload is not None:
                    msgspec.json.decode(payload)


@pytest.mark.parametrize("name", OURS)
def test_the_order_of_the_file_does_not_change_what_is_read(name: str) -> None:
    raw = sample(name).read_bytes()
    lines = raw.splitlines() if name.endswith(".jsonl") else [raw]
    if len(lines) == 1 and lines[0].lstrip()[:1] == b"[":
        lines = [json.dumps(item).encode() for item in json.loads(raw)]

    def told(of: list[bytes]) -> list[str]:
        found = [s for s in otlp.read(Record("x", 1, line) for line in of) if isinstance(s, Observation)]
        return sorted(content_key(step) for step in found)

    assert told(lines) == told(lines[::-1])


def test_an_agent_that_another_product_called_is_a_hand_off_told_once() -> None:
    caller = {"microsoft.a365.caller.agent.name": "orchestrator", "microsoft.a365.caller.agent.id": "app-1"}
    record = {
        "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "invoke_agent triage",
        "startTimeUnixNano": "1793527200000000001", "endTimeUnixNano": "1793527200000000501",
        "attributes": [
            {"key": key, "value": {"stringValue": value}}
            for key, value in {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "triage", **caller}.items()
        ],
    }  # fmt: skip
    found = of_line({"resourceSpans": [{"scopeSpans": [{"spans": [record]}]}]})
    rows = settled([step for step in found if isinstance(step, Observation)])
    assert [(row.kind, row.agent_id, row.target) for row in rows if row.kind == "handoff"] == [
        ("handoff", "orchestrator", "triage")
    ]
    assert [row.agent_id for row in rows if row.kind == "lifecycle"] == ["triage"]


def test_a_coding_agents_decision_is_bound_to_its_call_by_the_call_id() -> None:
    def record(name: str, at: int, **said: str) -> dict[str, object]:
        attributes = {"event.name": name, "session.id": "s1", "tool_name": "Bash", **said}
        return {
            "timeUnixNano": str(1795418805493975763 + at),
            "body": {"stringValue": f"claude_code.{name}"},
            "attributes": [{"key": key, "value": wrapped(value)} for key, value in attributes.items()],
        }

    call = {"tool_use_id": "toolu_01AbCdEfGh2345IjKl"}
    told = [
        record(
            "tool_decision", 0, decision="accept", source="user_temporary", **{"user.email": "eve@example.test"}, **call
        ),
        record("tool_result", 9, success="true", **call),
    ]
    found = of_line({"resourceLogs": [{"scopeLogs": [{"logRecords": told}]}]})
    rows = {row.kind: row for row in settled([step for step in found if isinstance(step, Observation)])}
    assert rows["approval"].parent_event_id == rows["tool_call"].event_id
    assert (rows["tool_call"].approval, rows["tool_call"].approver) == ("approved", "eve@example.test")
