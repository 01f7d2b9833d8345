"""OTLP/JSON lines in a few words: one span a line, for files that are written to while they are followed."""

from __future__ import annotations

import json

START_NS = 1_790_000_000_000_000_000


def line(number: int, *, tool: str = "search_logs", trace: int | None = None, agent: str = "scout") -> str:
    """The line of one tool call."""
    attributes = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": tool,
        "gen_ai.agent.name": agent,
        "gen_ai.conversation.id": f"s-{number if trace is None else trace}",
    }
    span = {
        "traceId": f"{(number if trace is None else trace) + 1:032x}",
        "spanId": f"{number + 1:016x}",
        "name": "execute_tool",
        "startTimeUnixNano": str(START_NS + number * 1_000_000_000),
        "endTimeUnixNano": str(START_NS + number * 1_000_000_000 + 500),
        "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()],
    }
    scopes = [{"scope": {"name": "test"}, "spans": [span]}]
    return json.dumps({"resourceSpans": [{"resource": {"attributes": []}, "scopeSpans": scopes}]}) + "\n"


def lines(first: int, last: int) -> str:
    """Lines `first` to before `last`."""
    return "".join(line(number) for number in range(first, last))
