"""Bedrock invocation logs: a model call a record, its tools joined with their results in later requests."""

from __future__ import annotations

import json
import random
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import aws_cases
import pytest
from aws_cases import accounted, mutated

from ingest.load import all_readers
from ingest.readers.bedrock_invocation import bedrock_invocation
from ingest.settle import content_key, settle

SAMPLES = Path(__file__).parents[3] / "../shared/samples"
MUTATIONS = 3_000

ARN = "arn:aws:sts::111122223333:assumed-role/agent-role/run-7"
QUESTION = {"role": "user", "content": [{"text": "Look at host wks-1"}]}
USE = {"toolUse": {"toolUseId": "tu-1", "name": "isolate_host", "input": {"host": "wks-1"}}}
ASKS = {"role": "assistant", "content": [{"text": "I will."}, USE]}
TOLD = {"role": "user", "content": [{"toolResult": {"toolUseId": "tu-1", "content": [{"text": "done"}]}}]}


def log(number: int, messages: list[Any], output: object, **more: object) -> dict[str, Any]:
    return {
        "schemaType": "ModelInvocationLog",
        "schemaVersion": "1.0",
        "timestamp": f"2026-03-01T10:00:{number:02}Z",
        "accountId": "111122223333",
        "identity": {"arn": ARN},
        "region": "eu-west-1",
        "requestId": f"req-{number}",
        "operation": "Converse",
        "modelId": "acme.m1",
        "input": {
            "inputContentType": "application/json",
            "inputBodyJson": {"messages": messages},
            "inputTokenCount": 9,
        },
        "output": {"outputContentType": "application/json", "outputBodyJson": output, "outputTokenCount": 4},
    } | more


def converse(message: object, **more: object) -> dict[str, Any]:
    return {"output": {"message": message}, "stopReason": "tool_use", "usage": {"inputTokens": 9}} | more


FIRST = log(1, [QUESTION], converse(ASKS))
SECOND = log(2, [QUESTION, ASKS, TOLD], converse({"role": "assistant", "content": [{"text": "Isolated."}]}))


read, read_file = partial(aws_cases.read, bedrock_invocation), partial(aws_cases.read_file, bedrock_invocation)


def test_a_call_and_its_result_in_the_next_request_are_one_step() -> None:
    for lines in ([FIRST, SECOND], [SECOND, FIRST]):
        out = read(lines, lines=True)
        assert accounted(out) == 4
        rows = [r for r in settle((content_key(o), o) for o in out[0]) if r.witness_of is None]
        assert len({r.trace_id for r in rows}) == 1
        ordered = sorted(rows, key=lambda r: (r.ordered_at or 0, r.sequence or 0))
        assert [r.kind for r in ordered] == ["model_call", "tool_call", "model_call"]
        call = ordered[1]
        assert (call.tool, call.target, call.status) == ("isolate_host", "wks-1", "ok")
        assert call.result == '[{"text":"done"}]'
        assert call.parent_event_id == ordered[0].event_id
        assert call.disagreement is None


def test_a_model_call_says_who_what_and_how_much() -> None:
    (call, _), _ = read(FIRST)
    assert (call.model, call.input_tokens, call.output_tokens) == ("acme.m1", 9, 4)
    assert (call.agent_id, call.principal) == ("arn:aws:iam::111122223333:role/agent-role", ARN)
    assert call.session_id is None


def test_request_metadata_names_session_agent_and_human() -> None:
    told = log(
        1, [QUESTION], converse(ASKS), requestMetadata={"sessionId": "s-1", "agentName": "triage", "userId": "d"}
    )
    (call, step), _ = read(told)
    assert (call.session_id, call.agent_id, call.on_behalf_of) == ("s-1", "triage", "d")
    assert (step.session_id, step.agent_id) == ("s-1", "triage")


def test_streams_and_other_model_shapes_name_the_same_tool() -> None:
    anthropic = {"content": [{"type": "tool_use", "id": "tu-1", "name": "isolate_host", "input": {"host": "wks-1"}}]}
    openai = {
        "choices": [
            {
                "message": {
                    "tool_calls": [
                        {"id": "tu-1", "function": {"name": "isolate_host", "arguments": '{"host":"wks-1"}'}}
                    ]
                }
            }
        ],
        "usage": {"prompt_tokens": 5, "completion_tokens": 2},
    }
    anthropic_stream = [
        {"type": "message_start", "message": {"usage": {"input_tokens": 5, "output_tokens": 1}}},
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "tool_use", "id": "tu-1", "name": "isolate_host", "input": {}},
        },
        {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": '{"host":'}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": '"wks-1"}'}},
        {"type": "message_delta", "usage": {"output_tokens": 7}},
    ]
    converse_stream = [
        {
            "contentBlockStart": {
                "contentBlockIndex": 0,
                "start": {"toolUse": {"toolUseId": "tu-1", "name": "isolate_host"}},
            }
        },
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"toolUse": {"input": '{"host":"wks-1"}'}}}},
        {"metadata": {"usage": {"inputTokens": 5, "outputTokens": 7}}},
    ]
    for body in (anthropic, openai, anthropic_stream, converse_stream):
        (call, step), _ = read(log(1, [QUESTION], body))
        assert (step.tool, step.arguments) == ("isolate_host", '{"host":"wks-1"}')
        assert call.status == "ok"
    bare = FIRST | {
        "input": {"inputBodyJson": {"messages": [QUESTION]}},
        "output": {"outputBodyJson": anthropic_stream},
    }
    assert (read(bare)[0][0].input_tokens, read(bare)[0][0].output_tokens) == (5, 7)


def test_bodies_kept_in_s3_and_bodies_never_logged_are_gaps() -> None:
    sides = {"input": {"inputBodyS3Path": "s3://b/in.gz"}, "output": {"outputBodyS3Path": "s3://b/out.gz"}}
    assert read(FIRST | sides)[0][0].gap == "arguments only in s3://b/in.gz; result only in s3://b/out.gz"
    assert read(FIRST | {"input": {}, "output": {}})[0][0].gap == "no arguments; no result"


def test_errors_refusals_and_guardrails() -> None:
    assert read(FIRST | {"errorCode": "AccessDeniedException", "output": {}})[0][0].status == "denied"
    assert read(FIRST | {"errorCode": "ThrottlingException", "output": {}})[0][0].status == "error"
    stopped = log(1, [QUESTION], converse({"role": "assistant", "content": []}, stopReason="guardrail_intervened"))
    assert (read(stopped)[0][0].status, read(stopped)[0][0].error) == ("denied", "guardrail intervened")


def test_a_failed_tool_and_cloudwatchs_wrapping() -> None:
    bad = {"role": "user", "content": [{"toolResult": {"toolUseId": "tu-1", "status": "error", "content": []}}]}
    told = log(2, [QUESTION, ASKS, bad], converse({"role": "assistant", "content": []}))
    wrapped = {"@timestamp": "t", "@message": json.dumps(told)}
    assert bedrock_invocation.claims(wrapped)
    assert [o.status for o in read(wrapped)[0] if o.kind == "tool_call"] == ["error"]


def test_mutated_logs_never_break_it_and_every_record_is_accounted_for() -> None:
    rng = random.Random(7)
    for _ in range(MUTATIONS):
        elements = [mutated(rng.choice([FIRST, SECOND]), rng) for _ in range(2)]
        elements = [e for e in elements if isinstance(e, dict)]
        out = read(elements)
        assert sum(o.kind == "model_call" for o in out[0]) + len(out[1]) == len(elements)
        assert accounted(out) == len(elements) + sum(o.records == 0 for o in out[0])


def test_a_siems_records_are_read() -> None:
    path = SAMPLES / "panther_extracted/aws_bedrock_model_invocation.jsonl"
    if not path.exists():
        pytest.skip("needs the shared samples, which lie beside the repository")
    out = read_file(path)
    assert Counter(o.status for o in out[0]) == {"ok": 6, "denied": 2}
    assert not out[1]


def test_no_other_reader_claims_a_log() -> None:
    for value in (FIRST, [FIRST, SECOND], {"@message": json.dumps(FIRST)}):
        assert [r.name for r in all_readers() if r.claims(value)] == ["bedrock_invocation"]
