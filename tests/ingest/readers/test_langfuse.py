"""Langfuse: both spellings, traces with what is inside them, tokens on model calls alone."""

from __future__ import annotations

import json
import re
from typing import Any

from export_checks import accounted, never_raises, read

from ingest.load import choose_reader
from ingest.readers.langfuse import langfuse


def seen(own: str, kind: str, above: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "id": own, "traceId": "t1", "type": kind, "name": own, "parentObservationId": above, "level": "DEFAULT",
        "startTime": "2026-03-01T10:00:00.123456Z", "endTime": "2026-03-01T10:00:01.000000Z",
        "input": {"host": "h1"}, "output": "done", "statusMessage": None, **more,
    }  # fmt: skip


OWN = [
    seen("guard", "AGENT", usageDetails={"input": 9}),
    seen("ask", "GENERATION", "guard", model="m-1", usageDetails={"input": 9, "output": 3, "total": 12}),
    seen("wipe", "TOOL", "guard"),
    seen("bad", "TOOL", "guard", level="ERROR", statusMessage="no such host"),
    seen("waits", "TOOL", "guard", level="ERROR", statusMessage="GraphInterrupt((Interrupt(value=1),))"),
    seen("note", "EVENT", "guard", endTime=None),
]
TRACE = {"id": "t1", "timestamp": "2026-03-01T10:00:00Z", "name": "patrol", "sessionId": "s1", "userId": "kim",
         "projectId": "p", "htmlPath": "/t1", "observations": OWN}  # fmt: skip


def row(value: dict[str, Any]) -> dict[str, Any]:
    """The same observation as a blob-storage row."""
    snake = {re.sub(r"(?<=[a-z])([A-Z])", lambda m: "_" + m[1].lower(), key): v for key, v in value.items()}
    for key in ("start_time", "end_time"):
        snake[key] = snake[key] and snake[key].replace("T", " ").removesuffix("Z")
    snake["input"] = json.dumps(snake["input"])
    return snake


def test_kinds_outcomes_and_tokens() -> None:
    said, rejected = read(langfuse, *OWN)
    assert not rejected
    assert [o.kind for o in said] == ["lifecycle", "model_call", "tool_call", "tool_call", "tool_call", "lifecycle"]
    assert [o.status for o in said] == ["ok", "ok", "ok", "error", "pending", "ok"]
    assert [o.input_tokens for o in said] == [None, 9, None, None, None, None]
    assert (said[0].agent_id, said[0].operation) == ("guard", "invoke_agent")
    assert (said[2].target, said[2].approval, said[2].started_at) == ("h1", "cannot_record", 1772359200123456000)
    assert said[3].error == "no such host"


def test_rows_and_api_answers_read_the_same() -> None:
    api, _ = read(langfuse, {"data": OWN, "meta": {"page": 1}})
    rows, _ = read(langfuse, *(row(value) for value in OWN))
    shown = ("event_id", "parent_event_id", "arguments", "result", "started_at", "ended_at", "tool", "status")
    assert [[getattr(o, n) for n in shown] for o in api] == [[getattr(o, n) for n in shown] for o in rows]


def test_a_trace_gives_session_and_person_to_what_is_inside() -> None:
    said, rejected = read(langfuse, TRACE)
    assert accounted(said, rejected) == 7
    assert {o.session_id for o in said} == {"s1"} and {o.on_behalf_of for o in said} == {"kim"}
    assert said[1].parent_event_id == said[0].event_id
    assert {o.event_id for o in read(langfuse, *OWN)[0]} < {o.event_id for o in said}


def test_a_trace_that_lists_only_ids() -> None:
    said, rejected = read(langfuse, TRACE | {"observations": ["guard", "ask"]})
    assert accounted(said, rejected) == 1 and not rejected


def test_content_that_was_not_exported_is_a_gap() -> None:
    (said,), _ = read(langfuse, {k: v for k, v in OWN[2].items() if k not in ("input", "output")})
    assert said.gap == "input and output not exported"


def test_only_langfuse_claims_them() -> None:
    for first in (OWN[0], row(OWN[1]), OWN, {"data": OWN}, TRACE, [TRACE], {"data": [TRACE], "meta": {}}):
        assert choose_reader(first).name == "langfuse"


def test_what_is_neither_is_rejected() -> None:
    _, rejected = read(langfuse, {"type": "SPAN", "name": "x"}, [])
    assert [r.line for r in rejected] == [1, 2]


def test_mutated_observations_never_raise() -> None:
    never_raises(langfuse, [*OWN, *(row(value) for value in OWN), TRACE], _with_inside)


def _with_inside(value: Any) -> int:
    """A trace counts as itself and what it holds, everything else as one."""
    nested = value.get("observations")
    whole = isinstance(value.get("id"), str) and value["id"] and value.get("type") in (None, "")
    if not whole or not isinstance(nested, list):
        return 1
    return 1 + sum(not isinstance(o, str) for o in nested)
