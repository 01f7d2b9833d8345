"""OTLP/HTTP as the specification has it, with the SDKs' own exporters as clients; and what hostile clients get."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import time
from pathlib import Path

import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.exporter.otlp.json.http.trace_exporter import OTLPSpanExporter as JsonExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from otlp_lines import line

from ingest.database import ask, open_published
from ingest.load import ingest_paths

PROTOBUF = {"content-type": "application/x-protobuf"}
JSON = {"content-type": "application/json"}


def post(port: int, body: bytes, headers: dict[str, str], path: str = "/v1/traces") -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", path, body, headers)
    answer = connection.getresponse()
    answer.body = answer.read()  # type: ignore[attr-defined]
    connection.close()
    return answer


def stored(tmp_path: Path) -> list[bytes]:
    return [said for path in sorted((tmp_path / "spool").iterdir()) for said in path.read_bytes().splitlines()]


def tell(exporter: object, calls: int = 40) -> None:
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(exporter))  # type: ignore[arg-type]
    tracer = provider.get_tracer("story")
    run = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "scout", "gen_ai.conversation.id": "s1"}
    with tracer.start_as_current_span("invoke_agent scout", attributes=run):
        for number in range(calls):
            told = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "lookup", "n": number, "f": 0.5}
            with tracer.start_as_current_span("execute_tool lookup", attributes={**told, "list": ["a", "b"]}):
                pass
    provider.shutdown()


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
@pytest.mark.parametrize("exporter", [OTLPSpanExporter, JsonExporter])
def test_an_sdk_sends_with_two_settings_and_its_steps_are_read(exporter, compression, receiver, tmp_path) -> None:
    child = receiver("a-token-of-sixteen-characters")
    given = compression if exporter is OTLPSpanExporter else type_of_compression(exporter, compression)
    headers = {"authorization": "Bearer a-token-of-sixteen-characters"}
    tell(exporter(endpoint=f"{child.url}/v1/traces", headers=headers, compression=given))
    report = ingest_paths([tmp_path / "spool"], tmp_path / "data")
    assert sum(f.records for f in report.files) == sum(f.events for f in report.files) == 41
    steps = ask(open_published(tmp_path / "data"), "from events where kind = 'tool_call'")
    assert set(steps.get_column("agent_id")) == {"scout"}
    assert set(steps.get_column("session_id")) == {"s1"}
    assert steps.height == 40


def type_of_compression(exporter: type, compression: Compression) -> object:
    import importlib

    module = importlib.import_module(exporter.__module__)
    return module.Compression(compression.value)


def test_an_sdk_sends_logs(receiver, tmp_path: Path) -> None:
    child = receiver()
    provider = LoggerProvider()
    provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(endpoint=f"{child.url}/v1/logs")))
    for number in range(5):
        provider.get_logger("story").emit(body={"n": number}, event_name="agent.note", attributes={"session.id": "s1"})
    provider.shutdown()
    assert sum(f.events for f in ingest_paths([tmp_path / "spool"], tmp_path / "data").files) == 5


def test_what_is_stored_is_what_was_sent_in_the_specification_s_json(receiver, tmp_path: Path) -> None:
    child = receiver()
    request = ExportTraceServiceRequest()
    span = (
        request.resource_spans.add()
        .scope_spans.add()
        .spans.add(trace_id=bytes(range(16)), span_id=bytes(range(8)), name="ü\n", start_time_unix_nano=2**63 + 1)
    )
    for key, value in (("int_value", -(2**60)), ("bytes_value", b"\xff"), ("double_value", float("nan"))):
        pair = span.attributes.add(key=key)
        setattr(pair.value, key, value)
    assert post(child.port, request.SerializeToString(), PROTOBUF).status == 200
    (told,) = json.loads(stored(tmp_path)[0])["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert told["traceId"] == "000102030405060708090a0b0c0d0e0f"
    assert told["name"] == "ü\n"
    assert told["startTimeUnixNano"] == str(2**63 + 1)
    assert [pair["value"] for pair in told["attributes"]] == [
        {"intValue": str(-(2**60))}, {"bytesValue": "/w=="}, {"doubleValue": "nan"},
    ]  # fmt: skip


def test_spans_without_ids_are_told_as_a_partial_success_in_the_sender_s_own_words(receiver) -> None:
    child = receiver()
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.add(name="no ids")
    answer = ExportTraceServiceResponse.FromString(post(child.port, request.SerializeToString(), PROTOBUF).body)
    assert answer.partial_success.rejected_spans == 1
    assert "trace id" in answer.partial_success.error_message
    told = json.loads(post(child.port, b'{"resourceSpans":[{"scopeSpans":[{"spans":[{}]}]}]}', JSON).body)
    assert told["partialSuccess"]["rejectedSpans"] == "1"
    assert json.loads(post(child.port, line(0).encode(), JSON).body) == {}


BOMB = gzip.compress(b"0" * (64 << 20))
REFUSED = {
    "no_json": (400, b"{", JSON),
    "another_json": (400, b"[1]", JSON),
    "no_protobuf": (400, b"\xff\xff\xff", PROTOBUF),
    "no_gzip": (400, b"plain", {**JSON, "content-encoding": "gzip"}),
    "half_gzip": (400, gzip.compress(line(0).encode())[:-9], {**JSON, "content-encoding": "gzip"}),
    "bomb": (413, BOMB, {**PROTOBUF, "content-encoding": "gzip"}),
    "deep_json": (400, b'{"resourceSpans":' + b"[" * 5000 + b"]" * 5000 + b"}", JSON),
    "deep_protobuf": (400, b"\x0a\x7f" * 3000, PROTOBUF),
    "too_large": (413, b" " * (17 << 20), JSON),
    "another_type": (415, b"{}", {"content-type": "text/plain"}),
    "another_coding": (415, b"{}", {**JSON, "content-encoding": "br"}),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_hostile_is_refused_with_a_reason_and_the_next_is_served(name: str, receiver, tmp_path: Path) -> None:
    child = receiver()
    status, body, headers = REFUSED[name]
    try:
        answer = post(child.port, body, headers)
        assert answer.status == status
        if headers["content-type"] == PROTOBUF["content-type"]:
            assert Status.FromString(answer.body).message
        else:
            assert json.loads(answer.body)["message"]
    except (BrokenPipeError, ConnectionResetError):
        assert status == 413  # it hung up within the body
    assert post(child.port, line(0).encode(), JSON).status == 200
    assert len(stored(tmp_path)) == 1


def test_other_paths_and_methods_are_named(receiver) -> None:
    child = receiver()
    answer = post(child.port, b"{}", JSON, "/v1/metrics")
    assert (answer.status, b"OTEL_METRICS_EXPORTER=none" in answer.body) == (404, True)
    connection = http.client.HTTPConnection("127.0.0.1", child.port)
    connection.request("GET", "/v1/traces")
    assert connection.getresponse().status == 405


@pytest.mark.parametrize("given", [None, "Bearer wrong", "Basic a-token-of-sixteen-characters", "Bearer \xff"])
def test_without_the_token_nothing_is_taken(given: str | None, receiver, tmp_path: Path) -> None:
    child = receiver("a-token-of-sixteen-characters")
    headers = JSON if given is None else {**JSON, "authorization": given}
    answer = post(child.port, line(0).encode(), headers)
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert not list((tmp_path / "spool").iterdir())


def test_slow_clients_are_let_go_and_do_not_hold_up_others(receiver, tmp_path: Path) -> None:
    child = receiver(header_s=0.5, body_s=0.5)
    heads = [socket.create_connection(("127.0.0.1", child.port)) for _ in range(50)]
    for slow in heads[:25]:
        slow.sendall(b"POST /v1/traces HTTP/1.1\r\nhost: x\r\n")
    for slow in heads[25:]:
        slow.sendall(
            b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{"
        )
    assert post(child.port, line(0).encode(), JSON).status == 200
    answers = []
    for slow in heads:
        slow.settimeout(20)
        answers.append(slow.recv(200)[:12])
    assert answers == [b""] * 25 + [b"HTTP/1.1 408"] * 25
    assert len(stored(tmp_path)) == 1


def test_a_thousand_connections_cost_nobody_what_was_accepted(receiver, tmp_path: Path) -> None:
    child = receiver(connections=200, header_s=60.0)
    held = []
    for _ in range(1000):
        held.append(socket.create_connection(("127.0.0.1", child.port), timeout=30))
    full = [s for s in held[200:] if s.recv(12) == b"HTTP/1.1 503"]
    assert len(full) == 800
    taken = 0
    for number, one in enumerate(held[:200]):
        body = line(number).encode()
        one.sendall(b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n")
        one.sendall(b"content-length: %d\r\n\r\n%s" % (len(body), body))
    for one in held[:200]:
        taken += one.recv(12) == b"HTTP/1.1 200"
    assert taken == len(stored(tmp_path)) == 200
    for one in held:
        one.close()


def test_more_at_once_than_memory_holds_is_asked_to_come_again(receiver) -> None:
    child = receiver(in_flight_bytes=1000)
    answer = post(child.port, line(0).encode() + b" " * 2000, JSON)
    assert (answer.status, answer.headers["retry-after"]) == (429, "2")


def test_the_receiver_ends_with_its_parent_and_a_killed_one_is_started_again(receiver) -> None:
    import os
    import signal

    child = receiver()
    assert post(child.port, line(0).encode(), JSON).status == 200
    os.kill(child.pid, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while child.is_alive() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert post(child.port, line(1).encode(), JSON).status == 200
