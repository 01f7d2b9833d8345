"""A fleet for the live benches: its history as a published store, and its traffic as OTLP protobuf, both seeded."""

from __future__ import annotations

import json
import os
import shutil
import struct
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from baseline.capability import Capabilities
from baseline.fold import fold
from detect.run import detect_in
from ingest.database import write_for_people
from ingest.event import SCHEMA
from ingest.published import Edition, editing
from ingest.tables import TRACES

AGENTS: Final = 100
DAYS: Final = 30
TOOLS: Final = (
    "search_logs", "lookup_ip", "get_user", "isolate_host", "create_ticket", "run_remote_command", "get_host",
)  # fmt: skip
STEPS: Final = 10
"""Spans of a trace: nine tool calls and the run around them."""
_SEGMENT: Final = 100_000

_HISTORY: Final = """
with rows as (
    select
        i, i // $steps as trace, (i // $steps) % $agents as agent, i % $steps as step,
        $start + (i // $steps) * ($length // ($total // $steps)) as began
    from range($first::bigint, $last::bigint) as numbers(i)
)
select
    printf('%032x', i) as event_id, printf('%032x', trace) as trace_id,
    case when step = 0 then 'lifecycle' else 'tool_call' end as kind,
    case when step = 0 then 'invoke_agent' else 'execute_tool' end as operation,
    printf('history-%d', trace) as session_id, printf('agent-%03d', agent) as agent_id,
    case when step > 0 then printf('%032x', trace * $steps) end as parent_event_id,
    make_timestamp_ns(began + step * 1000000000) as started_at,
    make_timestamp_ns(began + step * 1000000000 + 300000000) as ended_at,
    case when step > 0 then $tools[1 + (agent + step * step) % 7] end as tool,
    case when step > 0 then printf('{"host": "host-%03d-%d", "access_key_id": "AKIA%03dEXAMPLE00000"}',
        agent, step, agent) end as arguments,
    'ok' as status,
    case when step > 0 then printf('AKIA%03dEXAMPLE00000', agent) end as credential_id,
    case when step > 0 then printf('host-%03d-%d', agent, step) end as target,
    printf('history.otlp.jsonl:%d', trace + 1) as source, printf('%064x', trace) as source_sha256, 'span' as witness,
    make_timestamp_ns(began + step * 1000000000) as ordered_at, (step > 0)::integer as depth,
    case when step = 0 then 0 else 5 end::tinyint as kind_rank, 1 as witnesses, printf('%024x', i) as content_key
from rows
order by agent_id, session_id, ordered_at
"""

_TRACES: Final = """
select
    trace_id, session_id, agent_id, count(*) as rows, count(*) as steps,
    count(*) filter (kind = 'tool_call') as tool_calls, 0 as errors, 0 as input_tokens, 0 as output_tokens,
    []::varchar[] as approvals, min(ordered_at) as first_at, max(ended_at) as last_at
from events
group by trace_id, session_id, agent_id
order by trace_id, session_id, agent_id
"""


def kept_history(kept: Path, data: Path, events: int, until_ns: int) -> None:
    """The same history in `data`, made once in a folder under `kept` and linked from there ever after."""
    made = kept / str(events)
    if not (made / "custodiet.duckdb").exists():
        shutil.rmtree(made, ignore_errors=True)
        write_history(made, events, until_ns)
    # Other code than that which judged it would judge it anew at every start.
    fold(made, Capabilities.load())
    detect_in(made, Capabilities.load())
    write_for_people(made)
    shutil.copytree(made, data, copy_function=os.link)


def write_history(data: Path, events: int, until_ns: int) -> None:
    """Publish `events` steps of thirty days before `until_ns`, counted and judged."""
    write_events(data, events, until_ns)
    fold(data, Capabilities.load())
    detect_in(data, Capabilities.load())


def write_events(data: Path, events: int, until_ns: int) -> None:
    """Publish `events` steps of thirty days before `until_ns`, neither counted nor judged."""
    length = DAYS * 86_400_000_000_000
    with editing(data) as edition:
        for first in range(0, events, _SEGMENT):
            told = {"first": first, "last": min(first + _SEGMENT, events), "total": max(events, STEPS)}
            told |= {"steps": STEPS, "agents": AGENTS, "start": until_ns - length, "length": length}
            _add_segment(edition, {**told, "tools": list(TOOLS)})
        edition.publish()


def _add_segment(edition: Edition, told: dict[str, object]) -> None:
    connection = duckdb.connect()
    events = _cast(connection.sql(_HISTORY, params=told).to_arrow_table(), SCHEMA)
    segment = edition.write("events", events)
    connection.register("events", events)
    traces = _cast(connection.sql(_TRACES).to_arrow_table(), TRACES, segment=segment)
    edition.tables.setdefault("events", []).append(segment)
    edition.tables.setdefault("traces", []).append(edition.write("traces", traces))


def _cast(rows: pa.Table, schema: pa.Schema, **constant: str) -> pa.Table:
    def column(field: pa.Field) -> pa.ChunkedArray | pa.Array:
        if field.name in constant:
            return pa.array([constant[field.name]] * rows.num_rows, field.type)
        return (
            rows.column(field.name).cast(field.type)
            if field.name in rows.column_names
            else pa.nulls(rows.num_rows, field.type)
        )

    return pa.table([column(field) for field in schema], schema=schema)


class Traffic:
    """Requests of a fixed number of traces, made by writing new ids and times into one that was encoded before."""

    def __init__(self, traces: int, first_agent: int = 0) -> None:
        self.events = traces * STEPS
        request = ExportTraceServiceRequest()
        batch = request.resource_spans.add()
        _attribute(batch.resource.attributes, "service.name", "soc-agents")
        scoped = batch.scope_spans.add()
        self._ids: list[tuple[bytes, list[bytes]]] = []
        for trace in range(traces):
            trace_id, agent = os.urandom(16), (first_agent + trace) % AGENTS
            spans = [os.urandom(8) for _ in range(STEPS)]
            self._ids.append((trace_id, spans))
            for step in range(1, STEPS):
                arguments = {"host": f"host-{agent:03d}-{step}", "access_key_id": f"AKIA{agent:03d}EXAMPLE00000"}
                told = {
                    "gen_ai.operation.name": "execute_tool",
                    "gen_ai.tool.name": TOOLS[(agent + step * step) % 7],
                    "gen_ai.tool.call.arguments": json.dumps(arguments),
                    "gen_ai.tool.call.result": json.dumps({"ok": True, "rows": ["row"] * 10}),
                }
                _span(scoped, trace_id, spans[step], spans[0], told)
            told = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": f"agent-{agent:03d}"}
            _span(scoped, trace_id, spans[0], b"", told)
        self._template = request.SerializeToString()
        self._places = [
            (_places(self._template, trace_id), [_places(self._template, span) for span in spans])
            for trace_id, spans in self._ids
        ]
        self._starts = _places(self._template, struct.pack("<Q", _START))
        self._ends = _places(self._template, struct.pack("<Q", _END))

    def request(self, now_ns: int) -> bytes:
        """One request, all its spans about now."""
        body = bytearray(self._template)
        fresh = os.urandom(len(self._ids) * (16 + 8 * STEPS))
        at = 0
        for trace_places, span_places in self._places:
            for place in trace_places:
                body[place : place + 16] = fresh[at : at + 16]
            at += 16
            for places in span_places:
                for place in places:
                    body[place : place + 8] = fresh[at : at + 8]
                at += 8
        for number, place in enumerate(self._starts):
            body[place : place + 8] = struct.pack("<Q", now_ns - 1_000_000_000 + number * 1_000)
        for number, place in enumerate(self._ends):
            body[place : place + 8] = struct.pack("<Q", now_ns - 500_000_000 + number * 1_000)
        return bytes(body)


def attack(number: int, now_ns: int) -> bytes:
    """A request with one span: an agent acts with a key that it never held, on a host that it never reached."""
    request = ExportTraceServiceRequest()
    scoped = request.resource_spans.add().scope_spans.add()
    arguments = {"host": f"victim-{number}", "access_key_id": f"AKIASTOLEN{number:010d}"}
    told = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "run_remote_command",
        "gen_ai.agent.name": f"agent-{number % AGENTS:03d}",
        "gen_ai.conversation.id": f"attack-{number}",
        "gen_ai.tool.call.arguments": json.dumps(arguments),
    }
    _span(scoped, os.urandom(16), os.urandom(8), b"", told, now_ns - 100_000_000, now_ns)
    return request.SerializeToString()


_START: Final = 0x1122334455667788
_END: Final = 0x1122334455667799


def _span(
    scoped: object, trace: bytes, span: bytes, parent: bytes, told: dict[str, str], start: int = _START, end: int = _END
) -> None:
    said = scoped.spans.add()  # type: ignore[attr-defined]
    said.trace_id, said.span_id, said.parent_span_id = trace, span, parent
    said.name, said.kind = told["gen_ai.operation.name"], 1
    said.start_time_unix_nano, said.end_time_unix_nano = start, end
    for key, value in told.items():
        _attribute(said.attributes, key, value)


def _attribute(attributes: object, key: str, value: str) -> None:
    pair = attributes.add()  # type: ignore[attr-defined]
    pair.key, pair.value.string_value = key, value


def _places(template: bytes, wanted: bytes) -> list[int]:
    places, at = [], template.find(wanted)
    while at >= 0:
        places.append(at)
        at = template.find(wanted, at + 1)
    return places
