"""The same few records in every shape that an export, a log service or a trace store gives them."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest.event import Observation
from ingest.load import choose_reader
from ingest.records import LogFile, Record

TRACE, RUN, CALL = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174", "eee19b7ec3c1b175"


def lines(*values: object) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


def snake(value: Any) -> Any:
    if isinstance(value, dict):
        return {re.sub("([A-Z])", lambda m: "_" + m[1].lower(), key): snake(member) for key, member in value.items()}
    return [snake(part) for part in value] if isinstance(value, list) else value


def cloudtrail(number: int) -> dict[str, Any]:
    role = "arn:aws:iam::111122223333:role/AgentRole"
    return {
        "eventVersion": "1.11", "eventTime": "2026-11-01T10:00:00Z", "eventSource": "iam.amazonaws.com",
        "eventName": "CreateAccessKey", "awsRegion": "us-east-1", "sourceIPAddress": "198.51.100.7",
        "userIdentity": {
            "type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/AgentRole/s-1",
            "principalId": "AROAX:s-1", "accountId": "111122223333", "accessKeyId": "ASIAEXAMPLE",
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": role, "userName": "AgentRole"}},
        },
        "requestParameters": {"userName": "svc"}, "responseElements": None, "requestID": f"r-{number}",
        "eventID": f"aaaaaaaa-0000-4000-8000-00000000000{number}", "readOnly": False, "eventType": "AwsApiCall",
    }  # fmt: skip


ONE, TWO = cloudtrail(1), cloudtrail(2)
CLOUDTRAIL = {
    "records": json.dumps({"Records": [ONE, TWO]}),
    "array": json.dumps([ONE, TWO]),
    "lines": lines(ONE, TWO),
    "looked_up": json.dumps({"Events": [{"EventId": "1", "CloudTrailEvent": json.dumps(e)} for e in (ONE, TWO)]}),
    "texts": lines(*({"CloudTrailEvent": json.dumps(e)} for e in (ONE, TWO))),
    "event_bus": lines(*({"detail-type": "AWS API Call via CloudTrail", "source": "aws.iam", "detail": e} for e in (ONE, TWO))),
    "subscription": json.dumps({"messageType": "DATA_MESSAGE", "logGroup": "g", "logStream": "s",
                                "logEvents": [{"id": "3", "timestamp": 1, "message": json.dumps(e)} for e in (ONE, TWO)]}),
    "filtered": json.dumps({"events": [{"timestamp": 1, "message": json.dumps(e)} for e in (ONE, TWO)]}),
    "lower_case": lines(*({key.lower(): value for key, value in e.items()} for e in (ONE, TWO))),
}  # fmt: skip


def span(own: str, parent: str, operation: str, **said: str) -> dict[str, Any]:
    return {
        "traceId": TRACE, "spanId": own, "parentSpanId": parent, "name": operation, "kind": 1,
        "startTimeUnixNano": "1793527200000000001", "endTimeUnixNano": "1793527200000000501", "status": {},
        "attributes": [{"key": f"gen_ai.{k.replace('__', '.')}", "value": {"stringValue": v}}
                       for k, v in {"operation__name": operation, **said}.items()],
    }  # fmt: skip


SPANS = [
    span(RUN, "", "invoke_agent", agent__name="triage", conversation__id="c-1"),
    span(CALL, RUN, "execute_tool", tool__name="look", tool__call__arguments='{"ip": "10.0.0.1"}'),
]
BATCH = {
    "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "soc"}}]},
    "scopeSpans": [{"scope": {"name": "x"}, "spans": SPANS}],
}
OLD = {"resource": BATCH["resource"], "instrumentationLibrarySpans": [{"instrumentationLibrary": {}, "spans": SPANS}]}


def as_proto(batch: Any) -> Any:
    batch = json.loads(json.dumps(batch))
    for said in batch["scopeSpans"][0]["spans"]:
        said |= {"kind": "SPAN_KIND_INTERNAL", "status": {"code": "STATUS_CODE_UNSET"}}
        for key in ("traceId", "spanId", "parentSpanId"):
            said[key] = base64.b64encode(bytes.fromhex(said[key])).decode()
    return batch


def jaeger(said: dict[str, Any]) -> dict[str, Any]:
    parents = (
        [{"refType": "CHILD_OF", "traceID": TRACE, "spanID": said["parentSpanId"]}] if said["parentSpanId"] else []
    )
    tags = [{"key": a["key"], "type": "string", "value": a["value"]["stringValue"]} for a in said["attributes"]]
    return {
        "traceID": TRACE, "spanID": said["spanId"], "operationName": said["name"], "references": parents, "logs": [],
        "startTime": 1793527200000000, "duration": 500, "tags": tags, "processID": "p1",
    }  # fmt: skip


def cloud_trace(said: dict[str, Any]) -> dict[str, Any]:
    labels = {a["key"]: a["value"]["stringValue"] for a in said["attributes"]}
    parent = {"parentSpanId": str(int(said["parentSpanId"], 16))} if said["parentSpanId"] else {}
    return {
        "spanId": str(int(said["spanId"], 16)), "name": said["name"], "startTime": "2026-11-01T10:00:00Z",
        "endTime": "2026-11-01T10:00:01Z", "labels": labels, **parent,
    }  # fmt: skip


STORED = {"traceID": TRACE, "spans": list(map(jaeger, SPANS)), "processes": {"p1": {"serviceName": "soc", "tags": []}}}
CLOUD = {"projectId": "p", "traceId": TRACE, "spans": list(map(cloud_trace, SPANS))}
OTLP = {
    "line": lines({"resourceSpans": [BATCH]}),
    "lines": lines({"resourceSpans": [BATCH]}, {"resourceLogs": []}, {"resourceSpans": []}),
    "document": json.dumps({"resourceSpans": [BATCH]}, indent=2),
    "array": json.dumps([{"resourceSpans": [BATCH]}]),
    "snake_case": lines(snake({"resourceSpans": [BATCH]})),
    "base64_ids": lines({"resourceSpans": [as_proto(BATCH)]}),
    "libraries": lines({"resourceSpans": [OLD]}),
    "tempo": json.dumps({"batches": [BATCH]}),
    "tempo_v2": json.dumps({"trace": {"resourceSpans": [BATCH]}, "metrics": {}}),
    "jaeger": json.dumps({"data": [STORED], "total": 0, "errors": None}),
    "cloud_trace": json.dumps(CLOUD),
    "cloud_traces": json.dumps({"traces": [CLOUD]}),
}


def payload(data: bytes, encoding: bytes = b"json/plain") -> dict[str, Any]:
    held = {"metadata": {"encoding": base64.b64encode(encoding).decode()}, "data": base64.b64encode(data).decode()}
    return {"payloads": [held]}


HISTORY = [
    {"eventId": "1", "eventTime": "2026-11-01T10:00:00Z", "eventType": "EVENT_TYPE_WORKFLOW_EXECUTION_STARTED", "taskId": "1",
     "workflowExecutionStartedEventAttributes": {"workflowType": {"name": "contain"}, "workflowId": "w-1", "originalExecutionRunId": "run-1"}},
    {"eventId": "2", "eventTime": "2026-11-01T10:00:01Z", "eventType": "EVENT_TYPE_ACTIVITY_TASK_SCHEDULED", "taskId": "2",
     "activityTaskScheduledEventAttributes": {"activityId": "2", "activityType": {"name": "look"}, "input": payload(b"\0s", b"binary/encrypted")}},
    {"eventId": "3", "eventTime": "2026-11-01T10:00:02Z", "eventType": "EVENT_TYPE_ACTIVITY_TASK_COMPLETED", "taskId": "3",
     "activityTaskCompletedEventAttributes": {"scheduledEventId": "2", "startedEventId": "2", "result": payload(b'"ok"')}},
]  # fmt: skip
OLD_SPELLING = [{**e, "eventType": str(e["eventType"])[11:].title().replace("_", "")} for e in HISTORY]
TEMPORAL = {
    "shown": json.dumps({"events": HISTORY}, indent=2),
    "older_spelling": json.dumps({"events": OLD_SPELLING}),
    "answer": json.dumps({"history": {"events": HISTORY}, "nextPageToken": ""}),
    "array": json.dumps([{"events": HISTORY}]),
    "events": json.dumps(HISTORY),
    "event_lines": lines(*HISTORY),
    "history_lines": lines({"events": HISTORY}),
    "cloud_export": json.dumps({"items": [{"history": {"events": HISTORY}}]}),
    "snake_case": json.dumps(snake({"events": HISTORY})),
    "numbers": json.dumps({"events": [{**e, "eventId": int(str(e["eventId"]))} for e in HISTORY]}),
}


def steps_of(reader: str, text: str, folder: Path) -> list[Observation]:
    file = folder / ("log.jsonl" if text.count("\n") > 1 and not text.startswith(("{\n", "[\n")) else "log.json")
    file.write_text(text)
    log = LogFile(file, file.name)
    assert choose_reader(log.first).name == reader
    told = list(choose_reader(log.first).read(r for r in log.records() if isinstance(r, Record)))
    log.close()
    assert [said for said in told if not isinstance(said, Observation)] == []
    return [said for said in told if isinstance(said, Observation)]


@pytest.mark.parametrize("shape", CLOUDTRAIL)
def test_cloudtrail_is_the_same_in_every_shape(shape: str, tmp_path: Path) -> None:
    steps = steps_of("cloudtrail", CLOUDTRAIL[shape], tmp_path)
    assert [(s.tool, s.agent_id, s.credential_id, s.status) for s in steps] == [
        ("iam:CreateAccessKey", "arn:aws:iam::111122223333:role/AgentRole", "ASIAEXAMPLE", "ok")
    ] * 2
    assert {s.event_id for s in steps} == {s.event_id for s in steps_of("cloudtrail", CLOUDTRAIL["array"], tmp_path)}


@pytest.mark.parametrize("shape", OTLP)
def test_spans_are_the_same_from_every_exporter_and_store(shape: str, tmp_path: Path) -> None:
    run, call = steps_of("otlp", OTLP[shape], tmp_path)
    assert (run.agent_id, run.session_id, run.parent_event_id) == ("triage", "c-1", None)
    assert (call.kind, call.tool, call.target, call.parent_event_id) == ("tool_call", "look", "10.0.0.1", run.event_id)
    assert None not in (call.started_at, call.ended_at)
    assert call.event_id == steps_of("otlp", OTLP["line"], tmp_path)[1].event_id
    assert call.service == (None if shape.startswith("cloud") else "soc")


@pytest.mark.parametrize("shape", TEMPORAL)
def test_a_history_is_the_same_in_every_shape_and_what_is_encrypted_is_a_gap(shape: str, tmp_path: Path) -> None:
    run, call = steps_of("temporal", TEMPORAL[shape], tmp_path)
    assert (run.agent_id, run.records) == ("contain", 1)
    assert (call.tool, call.status, call.result, call.gap, call.records) == (
        "look",
        "ok",
        '"ok"',
        "arguments encrypted",
        2,
    )
    assert call.event_id == steps_of("temporal", TEMPORAL["shown"], tmp_path)[1].event_id


ASKED = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "look", "arguments": {"ip": "10.0.0.1"}}}
ANSWERED = {"jsonrpc": "2.0", "id": 1, "result": {"content": [{"type": "text", "text": "clean"}]}}
ENVELOPES: dict[str, Callable[[dict[str, Any], int], object]] = {
    "bare": lambda m, _: m,
    "direction": lambda m, n: {"timestamp": f"2026-11-01T10:00:0{n}Z", "direction": ("outgoing", "incoming")[n], "message": m},
    "type": lambda m, n: {"time": 1793527200 + n, "type": ("request", "response")[n], "payload": m},
    "text": lambda m, n: {"ts": 1793527200.5 + n, "dir": ("c2s", "s2c")[n], "data": json.dumps(m)},
}  # fmt: skip


@pytest.mark.parametrize("envelope", ENVELOPES)
def test_a_captured_call_is_one_step_in_every_envelope(envelope: str, tmp_path: Path) -> None:
    text = lines(*(ENVELOPES[envelope](message, n) for n, message in enumerate((ASKED, ANSWERED))))
    (call,) = steps_of("mcp", text, tmp_path)
    assert (call.tool, call.target, call.status, call.records) == ("look", "10.0.0.1", "ok", 2)
    assert (call.started_at is None) == (envelope == "bare")
