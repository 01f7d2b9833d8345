"""ASIM Agent Events: calls, model calls, hand-overs; the schema has no place for approvals."""

from __future__ import annotations

from typing import Any

from mutated import claimed_by, only, read_lines, told, withstands

from ingest.readers.asim import asim


def row(number: int, **more: object) -> dict[str, Any]:
    return {"TimeGenerated": f"2026-02-01T10:00:{number:02}.1234567Z", "EventType": "Invoke", "EventSchema": "AgentEvent",
            "EventSessionId": "s1", "EventOriginalUid": f"o{number}", "SrcAgentId": "id-1", "SrcAgentName": "planner",
            "ActorUsername": "sam@x.example", "SrcIpAddr": "10.0.0.1", "Type": "ASimAgentEventLogs", **more}  # fmt: skip


RUN = [
    row(1, ToolName="isolate", ToolId="t"),
    row(2, ModelName="some-model", InputTokensUsed=9, OutputTokensUsed="2", EventThoughtProcess="look"),
    row(3, TargetAgentName="key-bot"),
    row(4, EventErrorDetails="timeout", ToolName="scan"),
]


def test_each_row_is_one_step() -> None:
    assert asim.claims(RUN[0])
    assert claimed_by(asim) == set()
    outcome = read_lines(asim, *RUN)
    assert told(outcome) == 4
    call = only(outcome, tool="isolate")
    assert (call.agent_id, call.session_id, call.approval, call.status) == ("planner", "s1", "cannot_record", "unknown")
    assert (call.on_behalf_of, call.source_host) == ("sam@x.example", "10.0.0.1")
    model = only(outcome, kind="model_call")
    assert (model.input_tokens, model.output_tokens) == (9, 2)
    assert only(outcome, kind="handoff").target == "key-bot"
    assert only(outcome, tool="scan").status == "error"


def test_a_querys_answer_tells_the_same_events() -> None:
    names = list(RUN[0])
    answer = {
        "tables": [
            {
                "name": "PrimaryResult",
                "columns": [{"name": n, "type": "string"} for n in names],
                "rows": [[RUN[0][n] for n in names]],
            }
        ]
    }
    assert asim.claims(answer)
    assert [o.event_id for o in read_lines(asim, answer)[0]] == [read_lines(asim, RUN[0])[0][0].event_id]


def test_mutated_rows_never_raise_and_stay_accounted_for() -> None:
    withstands(asim, [RUN, [RUN]], lambda lines: sum(max(1, len(x)) if isinstance(x, list) else 1 for x in lines))
