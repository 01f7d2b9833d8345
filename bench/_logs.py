"""Generated OTLP/JSON logs for the speed bench: seeded, as many events as asked for."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_START_NS: Final = 1_790_000_000_000_000_000
_AGENTS: Final = 100
_DAYS: Final = 30
_TOOLS: Final = (
    "search_logs", "lookup_ip", "get_user", "enrich_alert", "create_ticket", "check_exposure", "get_host",
    "modify_firewall_rule", "rotate_credentials", "assume_role", "run_remote_command", "put_bucket_policy",
)  # fmt: skip
_SPANS_A_LINE: Final = 64


def write_otlp(folder: Path, events: int, seed: int = 1) -> list[Path]:
    """Write about `events` spans (agent run, model calls, tool calls with arguments), in files of a day each."""
    chance = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for day in range(_DAYS):
        path = folder / f"day-{day:02d}.otlp.jsonl"
        paths.append(path)
        with path.open("w") as file:
            batch: list[dict[str, object]] = []
            for span in _spans_of_day(chance, day, events // _DAYS):
                batch.append(span)
                if len(batch) == _SPANS_A_LINE:
                    file.write(_line(batch))
                    batch = []
            if batch:
                file.write(_line(batch))
    return paths


def _line(spans: list[dict[str, object]]) -> str:
    resource = {"attributes": [_text("service.name", "soc-agents"), _text("host.name", "runner-1")]}
    scopes = [{"scope": {"name": "bench"}, "spans": spans}]
    return json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": scopes}]}) + "\n"


def _text(key: str, value: str) -> dict[str, object]:
    return {"key": key, "value": {"stringValue": value}}


def _number(key: str, value: int) -> dict[str, object]:
    return {"key": key, "value": {"intValue": str(value)}}


def _spans_of_day(chance: random.Random, day: int, count: int) -> Iterator[dict[str, object]]:
    made = 0
    while made < count:
        trace = f"{chance.getrandbits(128):032x}"
        agent = chance.randrange(_AGENTS)
        # Children first, as exporters write them; the tools of an agent are a slice of all, so that habits differ.
        at = _START_NS + day * 86_400_000_000_000 + chance.randrange(36_000) * 1_000_000_000
        run = f"{chance.getrandbits(64):016x}"
        tools = [
            _TOOLS[(agent + step * step) % 7 if chance.random() < 0.85 else agent % 12]
            for step in range(chance.randrange(3, 7))
        ]
        for step, tool in enumerate(tools):
            for kind in ("chat", "execute_tool"):
                at += chance.randrange(1, 3_000_000_000)
                yield _span(chance, trace, run, at, kind, agent, tool, step)
                made += 1
        common = [_text("gen_ai.operation.name", "invoke_agent"), _text("gen_ai.agent.name", f"agent-{agent:03d}")]
        common += [
            _text("session.id", trace[:16]),
            _text("user.id", f"user-{agent % 9}"),
            _text("service.version", "1.0"),
        ]
        yield _shape(trace, run, None, "invoke_agent", at - 20_000_000_000, at, common)
        made += 1


def _span(
    chance: random.Random, trace: str, run: str, at: int, kind: str, agent: int, tool: str, step: int
) -> dict[str, object]:
    span = f"{chance.getrandbits(64):016x}"
    if kind == "chat":
        attributes = [
            _text("gen_ai.operation.name", "chat"),
            _text("gen_ai.provider.name", "bench"),
            _text("gen_ai.request.model", "model-1"),
            _number("gen_ai.usage.input_tokens", 400 + step * 90),
            _number("gen_ai.usage.output_tokens", 40 + step),
            _text(
                "gen_ai.output.messages",
                json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": "next " * 12}]}]),
            ),
        ]
        return _shape(trace, span, run, "chat", at, at + 900_000_000, attributes)
    host = f"host-{agent % 40:02d}-{chance.randrange(12) if chance.random() < 0.97 else chance.randrange(500)}"
    arguments = {
        "host": host,
        "access_key_id": f"AKIA{agent:03d}EXAMPLE00000",
        "query": "status:open " * 4,
        "limit": step,
    }
    attributes = [
        _text("gen_ai.operation.name", "execute_tool"),
        _text("gen_ai.tool.name", tool),
        _text("gen_ai.tool.call.id", f"call-{span}"),
        _text("gen_ai.tool.call.arguments", json.dumps(arguments)),
        _text("gen_ai.tool.call.result", json.dumps({"ok": True, "rows": ["row"] * 10})),
    ]
    return _shape(trace, span, run, f"execute_tool {tool}", at, at + 300_000_000, attributes)


def _shape(
    trace: str, span: str, parent: str | None, name: str, start: int, end: int, attributes: list[dict[str, object]]
) -> dict[str, object]:
    shaped: dict[str, object] = {
        "traceId": trace, "spanId": span, "flags": 256, "name": name, "kind": 1,
        "startTimeUnixNano": str(start), "endTimeUnixNano": str(end), "attributes": attributes, "status": {},
    }  # fmt: skip
    if parent is not None:
        shaped["parentSpanId"] = parent
    return shaped


FLAT_MAPPING: Final = """
name = "flat"
[match]
"/vendor" = "bench"
[fields]
id = "/id"
session = "/session"
time = "/created_at"
agent = "/agent"
tool = "/tool"
arguments = "/arguments"
status = "/status"
"""
"""Where the flat log keeps what."""


def write_flat(folder: Path, events: int, seed: int = 1) -> Path:
    """Write `events` tool calls as flat JSON lines, the mapping beside them; the folder of the lines."""
    chance = random.Random(seed)
    lines = folder / "lines"
    lines.mkdir(parents=True, exist_ok=True)
    (folder / "flat.toml").write_text(FLAT_MAPPING)
    with (lines / "flat.jsonl").open("w") as file:
        for number in range(events):
            agent = chance.randrange(_AGENTS)
            at = _START_NS // 1_000_000_000 + number * 2
            arguments = {
                "host": f"host-{agent % 40:02d}-{chance.randrange(12)}",
                "limit": number % 50,
                "query": "open " * 8,
            }
            said = {
                "vendor": "bench",
                "id": f"e{number}",
                "session": f"s{number // 9}",
                "created_at": at,
                "agent": f"agent-{agent:03d}",
                "tool": _TOOLS[number % 7],
                "arguments": arguments,
                "status": "ok",
            }
            file.write(json.dumps(said) + "\n")
    return lines
