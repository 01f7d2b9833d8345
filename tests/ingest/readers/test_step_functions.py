"""Step Functions: order by number, calls joined along the previous event, decisions of waiting tasks."""

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
from ingest.readers.step_functions import step_functions
from ingest.settle import content_key, settle

SAMPLES = Path(__file__).parents[3] / "../shared/samples"
MUTATIONS = 3_000

ARN = "arn:aws:states:eu-west-1:111122223333:execution:Triage:run-7"


def event(number: int, previous: int, kind: str, **details: object) -> dict[str, Any]:
    member = kind[0].lower() + kind[1:] + "EventDetails"
    for sort in ("StateEntered", "StateExited"):
        if kind.endswith(sort):
            member = f"{sort[0].lower()}{sort[1:]}EventDetails"
    return {
        "timestamp": f"2026-03-01T10:00:{number:02}.123000+00:00",
        "type": kind,
        "id": number,
        "previousEventId": previous,
        member: details,
    }


def task(first: int, previous: int, resource_type: str, resource: str, parameters: object, output: object) -> list[Any]:
    about = {"resourceType": resource_type, "resource": resource}
    return [
        event(first, previous, "TaskScheduled", **about, region="eu-west-1", parameters=json.dumps(parameters)),
        event(first + 1, first, "TaskStarted", **about),
        event(first + 2, first + 1, "TaskSucceeded", **about, output=json.dumps(output)),
    ]


STARTED = event(1, 0, "ExecutionStarted", input='{"alert": 7}', roleArn="arn:aws:iam::111122223333:role/sfn")


def history() -> list[dict[str, Any]]:
    return [
        STARTED,
        event(2, 0, "TaskStateEntered", name="Isolate", input="{}"),
        *task(3, 2, "lambda", "invoke", {"FunctionName": "arn:aws:lambda:e:1:function:isolate", "Payload": {}}, {}),
        event(6, 5, "TaskStateExited", name="Isolate", output="{}", outputDetails={"truncated": True}),
        event(7, 6, "ParallelStateEntered", name="Both", input="{}"),
        event(8, 7, "ParallelStateStarted"),
        event(9, 8, "TaskStateEntered", name="A", input="{}"),
        event(10, 8, "TaskStateEntered", name="B", input="{}"),
        event(11, 9, "LambdaFunctionScheduled", resource="arn:aws:lambda:e:1:function:look", input='{"h": 1}'),
        event(12, 10, "TaskScheduled", resourceType="aws-sdk:ec2", resource="stopInstances", parameters="{}"),
        event(13, 12, "TaskStarted", resourceType="aws-sdk:ec2", resource="stopInstances"),
        event(14, 11, "LambdaFunctionStarted"),
        event(15, 13, "TaskFailed", resourceType="aws-sdk:ec2", resource="stopInstances", error="Ec2", cause="no"),
        event(16, 14, "LambdaFunctionSucceeded", output='{"ok": 1}'),
        event(17, 16, "TaskStateExited", name="A", output="{}"),
        event(18, 15, "ExecutionFailed", error="Ec2", cause="no"),
    ]


def asking(end: str, **said: object) -> list[dict[str, Any]]:
    about = {"resourceType": "sqs", "resource": "sendMessage.waitForTaskToken"}
    asked = {"QueueUrl": "https://q.test/1/ops", "MessageBody": {"tool": "isolate_host", "host": "wks-1"}}
    return [
        STARTED,
        event(2, 0, "TaskStateEntered", name="AskApproval", input="{}"),
        event(3, 2, "TaskScheduled", **about, parameters=json.dumps(asked)),
        event(4, 3, "TaskStarted", **about),
        event(5, 4, "TaskSubmitted", **about, output='{"MessageId": "m"}'),
        event(6, 5, end, **about, **said),
    ]


def logged(events: list[dict[str, Any]], arn: str = ARN) -> list[dict[str, Any]]:
    """As CloudWatch has them: strings for numbers, milliseconds, one `details`."""
    return [
        {
            "id": str(e["id"]),
            "type": e["type"],
            "details": next((v for k, v in e.items() if k.endswith("EventDetails")), {}),
            "previous_event_id": str(e["previousEventId"]),
            "event_timestamp": str(1772359200123 + 1000 * e["id"]),
            "execution_arn": arn,
            "redrive_count": "0",
        }
        for e in events
    ]


read, read_file = partial(aws_cases.read, step_functions), partial(aws_cases.read_file, step_functions)


def test_a_tasks_events_are_one_call_under_its_state() -> None:
    out = read({"events": history(), "executionArn": ARN})
    steps = {o.sequence: o for o in out[0]}
    call = steps[3]
    assert (call.kind, call.tool, call.status, call.records) == ("tool_call", "isolate", "ok", 3)
    assert call.parent_event_id == steps[2].event_id
    assert call.approval == "not_recorded"
    assert call.agent_id == "Triage"
    assert call.principal == "arn:aws:iam::111122223333:role/sfn"
    assert steps[2].gap == "result truncated"
    assert steps[1].status == "error"
    assert accounted(out) == len(history())


def test_parallel_branches_are_told_apart_by_the_previous_event() -> None:
    steps = {o.sequence: o for o in read(history())[0]}
    assert steps[9].parent_event_id == steps[10].parent_event_id == steps[7].event_id
    assert (steps[11].tool, steps[11].result, steps[11].parent_event_id) == ("look", '{"ok":1}', steps[9].event_id)
    assert (steps[12].tool, steps[12].error, steps[12].parent_event_id) == (
        "ec2:stopInstances",
        "Ec2: no",
        steps[10].event_id,
    )


def test_a_retry_is_a_second_call_beside_the_first() -> None:
    about = {"resourceType": "lambda", "resource": "invoke"}
    parameters = json.dumps({"FunctionName": "isolate"})
    events = [
        STARTED,
        event(2, 0, "TaskStateEntered", name="Isolate"),
        event(3, 2, "TaskScheduled", **about, parameters=parameters),
        event(4, 3, "TaskTimedOut", **about, error="States.Timeout"),
        event(5, 4, "TaskScheduled", **about, parameters=parameters),
        event(6, 5, "TaskSucceeded", **about, output="{}"),
    ]
    rows = settle((content_key(o), o) for o in read(events)[0])
    assert Counter(r.status for r in rows if r.kind == "tool_call" and r.witness_of is None) == {"error": 1, "ok": 1}


@pytest.mark.parametrize(
    ("end", "said", "approval", "status"),
    [
        ("TaskSucceeded", {"output": '{"approved": true, "by": "dana"}'}, "approved", "ok"),
        ("TaskSucceeded", {"output": '{"approved": false, "by": "dana"}'}, "denied", "denied"),
        ("TaskSucceeded", {"output": "{}"}, "not_recorded", "ok"),
        ("TaskSucceeded", {"output": '{"approved": true, "by": "auto-policy"}'}, "automatic", "ok"),
        ("TaskFailed", {"error": "Rejected", "cause": "no"}, "denied", "denied"),
        ("TaskFailed", {"error": "Oops"}, "not_recorded", "error"),
        ("TaskTimedOut", {"error": "States.Timeout"}, "pending", "error"),
    ],
)
def test_a_task_that_waits_for_its_token_is_the_decision_it_brings(
    end: str, said: dict[str, object], approval: str, status: str
) -> None:
    out = read(asking(end, **said))
    (decided,) = [o for o in out[0] if o.kind == "approval"]
    assert (decided.approval, decided.status) == (approval, status)
    assert (decided.tool, decided.target) == ("isolate_host", "wks-1")
    assert accounted(out) == 6


def test_an_unasked_approval_is_pending() -> None:
    (decided,) = [o for o in read(asking("TaskSucceeded")[:5])[0] if o.kind == "approval"]
    assert (decided.approval, decided.status, decided.approver) == ("pending", "pending", None)


def test_waiting_for_a_job_is_no_decision() -> None:
    about = {"resourceType": "sqs", "resource": "sendMessage.waitForTaskToken"}
    events = [
        STARTED,
        event(2, 0, "TaskStateEntered", name="Crunch"),
        event(3, 2, "TaskScheduled", **about, parameters='{"QueueUrl": "https://q.test/1/jobs"}'),
        event(4, 3, "TaskSucceeded", **about, output='{"status": "ok"}'),
    ]
    (call,) = [o for o in read(events)[0] if o.kind != "lifecycle"]
    assert (call.kind, call.tool) == ("tool_call", "sqs:sendMessage")


def test_a_child_execution_is_a_handoff_and_a_model_is_a_model_call() -> None:
    answer = {"Body": {"usage": {"input_tokens": 12, "output_tokens": 3}}}
    events = [
        STARTED,
        event(2, 0, "TaskStateEntered", name="Ask"),
        *task(3, 2, "bedrock", "invokeModel", {"ModelId": "acme.m1", "Body": {}}, answer),
        event(6, 5, "TaskStateExited", name="Ask"),
        event(7, 6, "TaskStateEntered", name="Child"),
        *task(8, 7, "states", "startExecution.sync:2", {"StateMachineArn": "arn:child"}, {}),
    ]
    steps = {o.sequence: o for o in read(events)[0]}
    assert (steps[3].kind, steps[3].model, steps[3].input_tokens, steps[3].output_tokens) == (
        "model_call",
        "acme.m1",
        12,
        3,
    )
    assert (steps[8].kind, steps[8].target) == ("handoff", "arn:child")


def test_execution_logs_of_several_executions_are_told_apart_and_put_in_order() -> None:
    lines = logged(history()) + logged(history(), ARN + "b")
    random.Random(3).shuffle(lines)
    assert step_functions.claims(lines[0])
    out = read(lines, lines=True)
    assert accounted(out) == len(lines)
    assert {o.trace_id for o in out[0]} == {ARN, ARN + "b"}
    plain = {o.event_id for o in read({"events": history(), "executionArn": ARN})[0]}
    assert {o.event_id for o in out[0] if o.trace_id == ARN} == plain
    assert {o.tool for o in out[0] if o.tool} == {"isolate", "look", "ec2:stopInstances"}
    (message,) = read({"@message": json.dumps(lines[0]), "@timestamp": "t"})[0]
    assert message.trace_id in (ARN, ARN + "b")


def test_pages_reversed_order_and_epoch_times_give_the_same_steps() -> None:
    events = history()
    plain = {o.event_id for o in read(events)[0]}
    pages = [{"events": events[:9], "nextToken": "t"}, {"events": events[9:]}]
    backwards = [{"events": events[::-1][:9]}, {"events": events[::-1][9:]}]
    epoch = [e | {"timestamp": 1772359200.123 + e["id"]} for e in events]
    assert {o.event_id for o in read(pages, lines=True)[0]} == plain
    assert {o.event_id for o in read(backwards, lines=True)[0]} == plain
    assert {o.event_id for o in read(events, lines=True)[0]} == plain
    assert {o.event_id for o in read(epoch, indent=2)[0]} == plain


def test_missing_events_are_told() -> None:
    events = [e for e in history() if e["id"] not in (4, 8)]
    gaps = [o.gap for o in read(events)[0] if o.gap and "missing" in o.gap]
    assert gaps == ["1 event missing before event 5", "1 event missing before event 9"]


def test_a_description_of_the_execution_is_its_opening_step() -> None:
    described = {
        "executionArn": ARN,
        "stateMachineArn": "arn:aws:states:eu-west-1:111122223333:stateMachine:Triage",
        "name": "run-7",
        "status": "FAILED",
        "startDate": "2026-03-01T10:00:01.123Z",
        "stopDate": 1772359300.5,
        "error": "Ec2",
    }
    assert step_functions.claims(described)
    (alone,), _ = read(described)
    assert (alone.status, alone.agent_id, alone.error) == ("error", "Triage", "Ec2")
    merged, _ = read(described | {"events": history()})
    assert alone.event_id == merged[0].event_id


def test_map_iterations_are_steps_of_their_own() -> None:
    events = [
        STARTED,
        event(2, 0, "MapStateEntered", name="Each"),
        event(3, 2, "MapStateStarted", length=2),
        event(4, 3, "MapIterationStarted", name="Each", index=0),
        event(5, 3, "MapIterationStarted", name="Each", index=1),
        event(6, 4, "PassStateEntered", name="P"),
        event(7, 6, "PassStateExited", name="P"),
        event(8, 7, "MapIterationSucceeded", name="Each", index=0),
        event(9, 5, "MapIterationFailed", name="Each", index=1),
        event(10, 9, "MapStateFailed"),
    ]
    out = read(events)
    steps = {o.sequence: o for o in out[0]}
    assert accounted(out) == 10
    assert (steps[4].status, steps[5].status, steps[2].status) == ("ok", "error", "error")
    assert steps[6].parent_event_id == steps[4].event_id


def test_mutated_histories_never_break_it_and_every_record_is_accounted_for() -> None:
    rng = random.Random(7)
    seeds = [history(), asking("TaskSucceeded", output='{"approved": true}'), logged(history())]
    for _ in range(MUTATIONS):
        events = mutated(rng.choice(seeds), rng)
        if isinstance(events, list) and all(isinstance(e, dict) for e in events):
            assert accounted(read({"events": events})) == len(events)


def test_the_emulators_history_is_read_with_its_approval() -> None:
    path = SAMPLES / "generated/stepfunctions_moto.history.json"
    if not path.exists():
        pytest.skip("needs the shared samples, which lie beside the repository")
    out = read_file(path)
    assert accounted(out) == 19
    (decided,) = [o for o in out[0] if o.kind == "approval"]
    assert (decided.approval, decided.approver, decided.tool) == ("approved", "analyst@example.test", "isolate_host")


def test_no_other_reader_claims_a_history() -> None:
    for value in ({"events": history()}, history(), history()[0], logged(history())[0]):
        assert [r.name for r in all_readers() if r.claims(value)] == ["step_functions"]
