"""Temporal histories: order by eventId, joins by id, nothing lost, nothing doubled."""

from __future__ import annotations

import base64
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from mutated import mutate

from ingest.event import Observation, Rejected
from ingest.readers.temporal import temporal
from ingest.records import LogFile, Record

SAMPLES = Path(__file__).parents[3] / "../shared/samples"
HISTORIES = sorted((SAMPLES / "temporal").glob("*.json"))
MUTATIONS = 5_000


def payload(value: object, encoding: str = "json/plain") -> dict[str, Any]:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    metadata = {"encoding": base64.b64encode(encoding.encode()).decode()}
    return {"metadata": metadata, "data": base64.b64encode(data).decode()}


def payloads(*values: object) -> dict[str, Any]:
    return {"payloads": [payload(value) for value in values]}


def event(number: int, kind: str, **attributes: object) -> dict[str, Any]:
    return {
        "eventId": str(number),
        "eventTime": f"2026-03-01T10:00:{number:02}.123456789Z",
        "eventType": kind,
        "taskId": str(1000 + number),
        kind[0].lower() + kind[1:] + "EventAttributes": attributes,
    }


def started(**more: object) -> dict[str, Any]:
    return event(
        1,
        "WorkflowExecutionStarted",
        workflowType={"name": "TriageAgent"},
        workflowId="triage-7",
        originalExecutionRunId="run-7",
        firstExecutionRunId="run-0",
        identity="4242@worker-3",
        **more,
    )


def scheduled(number: int, name: str, *given: object) -> dict[str, Any]:
    return event(number, "ActivityTaskScheduled", activityType={"name": name}, input=payloads(*given))


def read(value: object, indent: int | None = None) -> tuple[list[Observation], list[Rejected]]:
    return read_bytes(json.dumps(value, indent=indent).encode())


def read_bytes(raw: bytes) -> tuple[list[Observation], list[Rejected]]:
    out = list(temporal.read([Record("h.json", 1, raw)]))
    return [o for o in out if isinstance(o, Observation)], [r for r in out if isinstance(r, Rejected)]


def read_file(path: Path) -> tuple[list[Observation], list[Rejected]]:
    log = LogFile(path, path.name)
    assert temporal.claims(log.first)
    out = list(temporal.read(r for r in log.records() if isinstance(r, Record)))
    log.close()
    return [o for o in out if isinstance(o, Observation)], [r for r in out if isinstance(r, Rejected)]


def accounted(observations: list[Observation], rejected: list[Rejected]) -> int:
    return sum(o.records for o in observations) + len(rejected)


def only(events: list[dict[str, Any]], kind: str) -> Observation:
    observations, rejected = read({"events": events})
    assert not rejected
    assert accounted(observations, rejected) == len(events)
    (found,) = [o for o in observations if o.kind == kind]
    return found


needs_samples = pytest.mark.skipif(not HISTORIES, reason="no ../shared/samples/temporal beside this checkout")


@needs_samples
@pytest.mark.parametrize("path", HISTORIES, ids=lambda p: p.stem)
def test_every_event_of_a_real_history_is_accounted_for(path: Path) -> None:
    observations, rejected = read_file(path)
    assert not rejected
    assert accounted(observations, rejected) == len(json.loads(path.read_text())["events"])
    assert len({o.event_id for o in observations}) == len(observations)


@needs_samples
@pytest.mark.parametrize("path", HISTORIES, ids=lambda p: p.stem)
def test_calls_are_the_scheduled_activities_in_event_id_order(path: Path) -> None:
    events = json.loads(path.read_text())["events"]
    expected = [
        (int(e["eventId"]), e["activityTaskScheduledEventAttributes"]["activityType"]["name"])
        for e in sorted(events, key=lambda e: int(e["eventId"]))
        if "activityTaskScheduledEventAttributes" in e
    ]
    observations, _ = read_file(path)
    calls = [o for o in observations if o.kind in ("model_call", "tool_call")]
    assert [o.sequence for o in calls] == [number for number, _ in expected]
    assert [o.kind for o in calls] == [
        "model_call" if name in ("invoke_model", "invoke_model_activity") else "tool_call" for _, name in expected
    ]
    assert [o.tool for o in calls if o.kind == "tool_call"] == [n for _, n in expected if "invoke_model" not in n]


@needs_samples
@pytest.mark.parametrize("path", HISTORIES, ids=lambda p: p.stem)
def test_results_are_joined_by_the_scheduled_event_id(path: Path) -> None:
    expected: dict[int, str] = {}
    for e in json.loads(path.read_text())["events"]:
        completed = e.get("activityTaskCompletedEventAttributes")
        if completed:
            data = completed["result"]["payloads"][0].get("data", "")
            expected[int(completed["scheduledEventId"])] = base64.b64decode(data).decode()
    observations, _ = read_file(path)
    results = {o.sequence: o.result for o in observations if o.sequence in expected}
    assert {n: json.loads(r or "null") for n, r in results.items()} == {n: json.loads(r) for n, r in expected.items()}


@needs_samples
def test_times_that_run_backwards_survive_and_tokens_are_counted_once() -> None:
    path = SAMPLES / "temporal/research-workflow-history.json"
    events = json.loads(path.read_text())["events"]
    assert len(events) == 77
    times = [e["eventTime"] for e in events]
    assert times != sorted(times), "this history is here because its clock runs backwards"
    tokens = 0
    for e in events:
        completed = e.get("activityTaskCompletedEventAttributes")
        if completed:
            usage = json.loads(base64.b64decode(completed["result"]["payloads"][0]["data"]))["usage"]
            tokens += usage["input_tokens"]
    observations, _ = read_file(path)
    assert Counter(o.kind for o in observations) == {"model_call": 12, "lifecycle": 1}
    assert sum(o.input_tokens or 0 for o in observations) == tokens
    assert [o.sequence for o in observations] == sorted(o.sequence or 0 for o in observations)


@needs_samples
def test_each_event_has_its_own_line_of_the_pretty_document() -> None:
    path = SAMPLES / "temporal/tools-workflow-history.json"
    lines = path.read_text().splitlines()
    observations, _ = read_file(path)
    for o in observations:
        line = int(o.source.rsplit(":", 1)[1])
        assert f'"eventId": "{o.sequence}"' in "".join(lines[line - 1 : line + 1])


@needs_samples
def test_double_encoded_arguments_are_opened() -> None:
    observations, _ = read_file(SAMPLES / "temporal/tools-workflow-history.json")
    (call,) = [o for o in observations if o.kind == "tool_call"]
    assert (call.tool, call.arguments) == ("get_weather", '{"city":"Tokyo"}')


@needs_samples
def test_an_activity_without_an_end_is_pending() -> None:
    observations, _ = read_file(SAMPLES / "temporal/input-guardrail-workflow-history.json")
    assert [o.sequence for o in observations if o.status == "pending"] == [17]


@pytest.mark.skipif(not SAMPLES.exists(), reason="no ../shared/samples beside this checkout")
def test_no_other_format_is_claimed() -> None:
    claimed = []
    for path in sorted(SAMPLES.rglob("*.json*")):
        log = LogFile(path, path.name)
        if temporal.claims(log.first):
            claimed.append(path)
        log.close()
    assert claimed == HISTORIES


def test_all_shapes_of_a_history_say_the_same() -> None:
    history = {"events": [started(), scheduled(5, "isolate_host", {"host": "wks-042"})]}
    plain, _ = read(history)
    shapes: list[object] = [[history], {"history": history}, [{"history": history}], history["events"]]
    for shape in shapes:
        assert temporal.claims(shape)
        same, rejected = read(shape)
        assert not rejected
        assert [o.event_id for o in same] == [o.event_id for o in plain]
    lines = [Record("h.jsonl", n, json.dumps(e).encode()) for n, e in enumerate(history["events"], 1)]
    out = [o for o in temporal.read(lines) if isinstance(o, Observation)]
    assert [(o.event_id, o.source) for o in out] == [
        (plain[0].event_id, "h.jsonl:1"),
        (plain[1].event_id, "h.jsonl:2"),
    ]


def test_both_spellings_of_event_types_give_the_same_observations() -> None:
    events = [started(), scheduled(2, "lookup_ip", {"ip": "203.0.113.9"})]
    new = json.loads(json.dumps(events))
    for e, spelling in zip(new, ("WORKFLOW_EXECUTION_STARTED", "ACTIVITY_TASK_SCHEDULED"), strict=True):
        e["eventType"] = f"EVENT_TYPE_{spelling}"
    old_ones, _ = read({"events": events})
    new_ones, _ = read({"events": new})
    assert [(o.event_id, o.operation) for o in old_ones] == [(o.event_id, o.operation) for o in new_ones]


def test_a_file_that_is_not_in_event_order_reads_the_same() -> None:
    events = [
        started(),
        scheduled(2, "lookup_ip", {"ip": "203.0.113.9"}),
        event(3, "ActivityTaskStarted", scheduledEventId="2", attempt=1, identity="77@box"),
        event(4, "ActivityTaskCompleted", scheduledEventId="2", result=payloads({"verdict": "bad"})),
    ]
    forwards, _ = read({"events": events})
    backwards, _ = read({"events": events[::-1]})
    assert [(o.event_id, o.result, o.sequence) for o in forwards] == [
        (o.event_id, o.result, o.sequence) for o in backwards
    ]


def test_the_run_opens_with_its_parent_and_folds_the_engines_bookkeeping() -> None:
    run = only(
        [
            started(input=payloads({"alert": 42}), parentWorkflowExecution={"workflowId": "soc-1", "runId": "r1"}),
            event(2, "WorkflowTaskScheduled"),
            event(3, "WorkflowTaskStarted", scheduledEventId="2", workerVersion={"buildId": "build-9"}),
            event(4, "WorkflowTaskCompleted", scheduledEventId="2", startedEventId="3"),
            event(5, "WorkflowExecutionCompleted", result=payloads("done")),
        ],
        "lifecycle",
    )
    assert (run.session_id, run.trace_id, run.agent_id) == ("triage-7", "run-7", "TriageAgent")
    assert run.agent_version == "build-9"
    assert run.arguments == '{"input":{"alert": 42},"parent_workflow_id":"soc-1","parent_run_id":"r1"}'
    assert (run.status, run.result, run.records) == ("ok", '"done"', 5)


def test_a_stated_version_beats_the_workers_build() -> None:
    run = only(
        [
            started(memo={"fields": {"agent_version": payload("v12")}}),
            event(2, "WorkflowTaskCompleted", workerVersion={"buildId": "b"}),
        ],
        "lifecycle",
    )
    assert run.agent_version == "v12"


def test_retries_are_attempts_and_failures_name_their_cause() -> None:
    failure = {
        "message": "Activity task failed",
        "cause": {"message": "no route", "applicationFailureInfo": {"type": "IO"}},
    }
    call = only(
        [
            started(),
            scheduled(2, "isolate_host", {"host": "wks-042", "access_key_id": "AKIA1"}),
            event(3, "ActivityTaskStarted", scheduledEventId="2", attempt=3, lastFailure={"message": "busy"}),
            event(4, "ActivityTaskFailed", scheduledEventId="2", failure=failure),
        ],
        "tool_call",
    )
    assert (call.status, call.error) == (
        "error",
        "Activity task failed: no route (IO) (attempt 3 after: busy)",
    )
    assert (call.target, call.credential_id, call.approval) == ("wks-042", "AKIA1", "not_recorded")
    assert call.records == 3


@pytest.mark.parametrize(
    ("kind", "error"),
    [("ActivityTaskTimedOut", "late (START_TO_CLOSE)"), ("ActivityTaskCanceled", "canceled")],
)
def test_timed_out_and_canceled_activities_are_errors(kind: str, error: str) -> None:
    late = {"message": "late", "timeoutFailureInfo": {"timeoutType": "TIMEOUT_TYPE_START_TO_CLOSE"}}
    more = {"failure": late} if kind == "ActivityTaskTimedOut" else {}
    call = only([started(), scheduled(2, "scan"), event(3, kind, scheduledEventId="2", **more)], "tool_call")
    assert (call.status, call.error) == ("error", error)


def test_an_encrypted_payload_is_kept_opaque_with_its_size() -> None:
    sealed = {"payloads": [payload(b"\x00\x01\x02", "binary/encrypted")]}
    call = only(
        [started(), event(2, "ActivityTaskScheduled", activityType={"name": "scan"}, input=sealed)],
        "tool_call",
    )
    assert call.arguments == '"[encrypted: binary/encrypted, 3 bytes]"'


def test_shorthand_payloads_are_read() -> None:
    given = [{"host": "db-1"}, 3]
    call = only(
        [started(), event(2, "ActivityTaskScheduled", activityType={"name": "scan"}, input=given)],
        "tool_call",
    )
    assert json.loads(call.arguments or "") == given
    assert call.target == "db-1"


def test_a_wrapper_activity_takes_its_inner_tools_name() -> None:
    call = only(
        [
            started(),
            scheduled(2, "soc-mcp-call-tool-v2", {"tool_name": "block_ip", "arguments": {"ip": "1.2.3.4"}}),
        ],
        "tool_call",
    )
    assert (call.tool, call.target) == ("block_ip", "1.2.3.4")


@pytest.mark.parametrize("name", ["invoke_model", "invoke_model_activity", "callLLM", "agent__soc__model_request"])
def test_clear_model_names_are_model_calls(name: str) -> None:
    assert only([started(), scheduled(2, name, {"model": "m-1"})], "model_call").model == "m-1"


@pytest.mark.parametrize("name", ["update_device_model", "rotate_llm_key", "delete_model"])
def test_tools_about_models_stay_tools(name: str) -> None:
    assert only([started(), scheduled(2, name)], "tool_call").tool == name


@pytest.mark.parametrize(
    ("name", "given", "identity", "approval", "approver"),
    [
        ("approve", [], "alice@example.org", "approved", "alice@example.org"),
        ("approve", [], "123@worker-1", "approved", None),
        ("rejectIsolation", [], "", "denied", None),
        ("approval_decision", [{"approved": False, "approved_by": "bob"}], "1@w", "denied", "bob"),
        ("approval", [{"decision": "approve", "by": "bob"}], "", "approved", "bob"),
        ("review", [{"action": "reject", "reviewer": "eve"}], "", "denied", "eve"),
        ("approve", [{"approved": True, "approver": "auto-policy"}], "", "automatic", "auto-policy"),
        ("approve", [{"approved": True, "decision": "deny"}], "", "denied", None),
        ("request_approval", [{"tool": "isolate_host"}], "", "pending", None),
        ("human_decision", [{"note": "looks fine"}], "", "not_recorded", None),
        ("confirm", [True], "carol", "approved", "carol"),
    ],
)
def test_a_signal_that_decides_is_an_approval(
    name: str, given: list[object], identity: str, approval: str, approver: str | None
) -> None:
    signal = event(2, "WorkflowExecutionSignaled", signalName=name, input=payloads(*given), identity=identity)
    found = only([started(), signal], "approval")
    assert (found.approval, found.approver) == (approval, approver)


def test_an_approval_names_the_tool_and_what_it_touches() -> None:
    given = {"tool": "isolate_host", "arguments": {"host": "wks-042"}, "approved": True, "by": "bob"}
    found = only(
        [started(), event(2, "WorkflowExecutionSignaled", signalName="approve", input=payloads(given))],
        "approval",
    )
    assert (found.tool, found.target, found.status) == ("isolate_host", "wks-042", "ok")


def test_a_signal_that_decides_nothing_is_a_message() -> None:
    found = only(
        [started(), event(2, "WorkflowExecutionSignaled", signalName="add_note", input=payloads("hi"))],
        "message",
    )
    assert found.arguments == '"hi"'


def test_an_updates_events_are_one_decision() -> None:
    asked = {
        "meta": {"updateId": "u1", "identity": "dora"},
        "input": {"name": "approve", "args": payloads({"approved": True})},
    }
    done = {"success": payloads("noted")}
    found = only(
        [
            started(),
            event(2, "WorkflowExecutionUpdateAccepted", protocolInstanceId="u1", acceptedRequest=asked),
            event(
                3,
                "WorkflowExecutionUpdateCompleted",
                meta={"updateId": "u1"},
                acceptedEventId="2",
                outcome=done,
            ),
        ],
        "approval",
    )
    assert (found.approval, found.approver, found.result, found.records) == ("approved", "dora", '"noted"', 2)


def test_a_decision_that_the_workflow_refused_covers_nothing() -> None:
    asked = {"meta": {"updateId": "u1"}, "input": {"name": "approve", "args": payloads({"approved": True})}}
    found = only(
        [
            started(),
            event(2, "WorkflowExecutionUpdateAccepted", protocolInstanceId="u1", acceptedRequest=asked),
            event(
                3,
                "WorkflowExecutionUpdateCompleted",
                meta={"updateId": "u1"},
                outcome={"failure": {"message": "late"}},
            ),
        ],
        "approval",
    )
    assert (found.approval, found.status, found.error) == ("not_recorded", "error", "late")


def test_a_child_workflow_is_a_handoff() -> None:
    found = only(
        [
            started(),
            event(
                2,
                "StartChildWorkflowExecutionInitiated",
                workflowType={"name": "Responder"},
                input=payloads({"a": 1}),
            ),
            event(3, "ChildWorkflowExecutionStarted", initiatedEventId="2"),
            event(4, "ChildWorkflowExecutionCompleted", initiatedEventId="2", result=payloads("ok")),
        ],
        "handoff",
    )
    assert (found.target, found.status, found.result, found.records) == ("Responder", "ok", '"ok"', 3)


def test_a_local_activity_is_a_call() -> None:
    details = {"data": payloads({"activity_type": "lookup_ip", "attempt": 1}), "result": payloads("clean")}
    found = only(
        [started(), event(2, "MarkerRecorded", markerName="core_local_activity", details=details)],
        "tool_call",
    )
    assert (found.tool, found.result, found.status) == ("lookup_ip", '"clean"', "ok")


def test_timers_are_joined_and_unknown_types_are_kept() -> None:
    events = [
        started(),
        event(2, "TimerStarted", timerId="t"),
        event(3, "TimerFired", timerId="t", startedEventId="2"),
        event(4, "SomethingNew", colour="red"),
    ]
    observations, rejected = read({"events": events})
    assert not rejected
    assert [(o.operation, o.status, o.records) for o in observations[1:]] == [
        ("TimerStarted", "ok", 2),
        ("SomethingNew", "unknown", 1),
    ]


def test_a_broken_event_is_rejected_with_its_line_and_the_rest_is_read() -> None:
    broken = event(2, "ActivityTaskScheduled", activityType=7)
    raw = json.dumps({"events": [started(), broken, scheduled(3, "scan")]}, indent=1).encode()
    observations, rejected = read_bytes(raw)
    assert [o.sequence for o in observations] == [1, 3]
    assert raw.decode().splitlines()[rejected[0].line - 1].strip() == "{"
    assert '"2"' in raw.decode().splitlines()[rejected[0].line]
    assert "remove" in rejected[0].reason


def test_the_second_half_of_a_split_export_is_read() -> None:
    observations, rejected = read(
        {"events": [event(9, "ActivityTaskCompleted", scheduledEventId="7", result=payloads(1))]}
    )
    assert not rejected
    assert [(o.kind, o.sequence, o.status, o.result) for o in observations] == [("tool_call", 7, "ok", "1")]


@pytest.mark.parametrize(
    ("kind", "more", "status", "error"),
    [
        ("WorkflowExecutionContinuedAsNew", {"newExecutionRunId": "run-8"}, "ok", None),
        ("WorkflowExecutionTerminated", {"reason": "by an operator"}, "error", "terminated: by an operator"),
        ("WorkflowExecutionCanceled", {}, "error", "canceled"),
        ("WorkflowExecutionTimedOut", {}, "error", "timed out"),
        ("WorkflowExecutionFailed", {"failure": {"message": "boom"}}, "error", "boom"),
    ],
)
def test_how_a_run_ended_stands_on_its_opening_event(
    kind: str, more: dict[str, object], status: str, error: str | None
) -> None:
    run = only([started(), event(2, kind, **more)], "lifecycle")
    assert (run.status, run.error, run.session_id, run.records) == (status, error, "triage-7", 2)


def test_an_approval_that_a_workflow_sent_names_that_workflow() -> None:
    signal = event(
        2,
        "WorkflowExecutionSignaled",
        signalName="approve",
        identity="history-service",
        externalWorkflowExecution={"workflowId": "triage-7", "runId": "r"},
    )
    assert only([started(), signal], "approval").approver == "triage-7"


def test_an_admitted_update_is_joined_with_what_became_of_it() -> None:
    asked = {"meta": {"updateId": "u1"}, "input": {"name": "add_note", "args": payloads("hi")}}
    found = only(
        [
            started(),
            event(2, "WorkflowExecutionUpdateAdmitted", request=asked),
            event(3, "WorkflowExecutionUpdateAccepted", protocolInstanceId="u1", acceptedRequest=asked),
            event(
                4,
                "WorkflowExecutionUpdateCompleted",
                meta={"updateId": "u1"},
                outcome={"success": payloads(1)},
            ),
        ],
        "message",
    )
    assert (found.records, found.status, found.result, found.arguments) == (3, "ok", "1", '"hi"')


def test_events_of_different_runs_one_a_line_are_told_apart() -> None:
    events = [started(), scheduled(2, "scan"), started(), scheduled(2, "scan")]
    lines = [Record("h.jsonl", n, json.dumps(e).encode()) for n, e in enumerate(events, 1)]
    out = [o for o in temporal.read(lines) if isinstance(o, Observation)]
    assert [o.records for o in out] == [1, 1, 1, 1]


def test_a_reset_run_keeps_its_common_head_and_tells_its_own_end_apart() -> None:
    head = [started(), scheduled(2, "scan")]
    reset = event(3, "WorkflowTaskFailed", cause="RESET_WORKFLOW", newRunId="run-8")
    first, _ = read({"events": [*head, event(3, "TimerStarted"), scheduled(4, "wait")]})
    second, _ = read({"events": [*head, reset, scheduled(4, "isolate_host")]})
    assert [a.event_id == b.event_id for a, b in zip(first, second, strict=True)] == [True, True, True, False]


def test_mutated_histories_never_raise_and_stay_accounted_for() -> None:
    rng = random.Random(7)
    own = [
        started(input=payloads({"alert": 1})),
        event(2, "WorkflowTaskScheduled"),
        scheduled(3, "isolate_host", {"host": "a"}),
        event(4, "ActivityTaskStarted", scheduledEventId="3", attempt=2, identity="1@h"),
        event(5, "ActivityTaskCompleted", scheduledEventId="3", result=payloads({"ok": True})),
        event(6, "WorkflowExecutionSignaled", signalName="approve", input=payloads({"approved": True})),
        event(
            7,
            "WorkflowExecutionUpdateAccepted",
            acceptedRequest={"meta": {"updateId": "u"}, "input": {"name": "x"}},
        ),
        event(8, "MarkerRecorded", markerName="LocalActivity", details={"data": payloads({"ActivityType": "t"})}),
        event(9, "WorkflowExecutionFailed", failure={"message": "m", "cause": {"message": "c"}}),
    ]
    seeds = [{"events": own}]
    seeds += [json.loads(p.read_text()) for p in HISTORIES if p.stat().st_size < 30_000]
    texts = [json.dumps({"events": s["events"][:24]}) for s in seeds]
    for _ in range(MUTATIONS):
        document = json.loads(rng.choice(texts))
        for _ in range(rng.randint(1, 4)):
            mutate(document["events"], rng)
        raw = json.dumps(document).encode()
        observations, rejected = read_bytes(raw)
        expected = len(document["events"])
        assert accounted(observations, rejected) == max(expected, 1)
        assert len({o.event_id for o in observations}) == len(observations)
