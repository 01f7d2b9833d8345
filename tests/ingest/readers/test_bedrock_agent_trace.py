"""Bedrock Agents traces: invocation and observation are one step, however the response was saved."""

from __future__ import annotations

import random
from functools import partial
from pathlib import Path
from typing import Any

import aws_cases
from aws_cases import accounted, mutated

from ingest.load import all_readers
from ingest.readers.bedrock_agent_trace import bedrock_agent_trace
from ingest.settle import content_key, settle

SAMPLES = Path(__file__).parents[3] / "../shared/samples"
MUTATIONS = 3_000


def part(number: int, sort: str, trace: dict[str, Any], **more: object) -> dict[str, Any]:
    return {
        "agentId": "AGENT1",
        "agentAliasId": "ALIAS",
        "agentVersion": "3",
        "sessionId": "s-1",
        "eventTime": f"2026-03-01T10:00:{number:02}.500000+00:00",
        "callerChain": [{"agentAliasArn": "arn:aws:bedrock:e:1:agent-alias/AGENT1/ALIAS"}],
        "trace": {sort: trace},
    } | more


def orchestrated(number: int, step: str, **trace: dict[str, Any]) -> dict[str, Any]:
    return part(number, "orchestrationTrace", {name: {"traceId": step} | said for name, said in trace.items()})


ACTION = {
    "actionGroupName": "hosts",
    "function": "isolate_host",
    "executionType": "LAMBDA",
    "parameters": [{"name": "host", "type": "string", "value": "wks-1"}],
}
RETURNED = ACTION | {"executionType": "RETURN_CONTROL", "invocationId": "inv-1"}


def run() -> list[dict[str, Any]]:
    return [
        orchestrated(
            1, "t-0", modelInvocationInput={"text": "prompt", "type": "ORCHESTRATION", "foundationModel": "m1"}
        ),
        orchestrated(
            2,
            "t-0",
            modelInvocationOutput={
                "rawResponse": {"content": "{}"},
                "metadata": {"usage": {"inputTokens": 11, "outputTokens": 5}, "endTime": "2026-03-01T10:00:01.900000Z"},
            },
        ),
        orchestrated(3, "t-0", rationale={"text": "It looks bad."}),
        orchestrated(
            4, "t-0", invocationInput={"invocationType": "ACTION_GROUP", "actionGroupInvocationInput": ACTION}
        ),
        orchestrated(5, "t-0", observation={"type": "ACTION_GROUP", "actionGroupInvocationOutput": {"text": "done"}}),
        orchestrated(
            6,
            "t-1",
            invocationInput={
                "invocationType": "KNOWLEDGE_BASE",
                "knowledgeBaseLookupInput": {"text": "how", "knowledgeBaseId": "KB1"},
            },
        ),
        orchestrated(
            7,
            "t-1",
            observation={
                "type": "KNOWLEDGE_BASE",
                "knowledgeBaseLookupOutput": {"retrievedReferences": [{"content": {}}]},
            },
        ),
        orchestrated(
            8,
            "t-2",
            invocationInput={
                "invocationType": "AGENT_COLLABORATOR",
                "agentCollaboratorInvocationInput": {"agentCollaboratorName": "forensics", "input": {"text": "dig"}},
            },
        ),
        part(
            9,
            "failureTrace",
            {"traceId": "t-9", "failureReason": "boom", "failureCode": 424},
            agentId="AGENT2",
            collaboratorName="forensics",
        ),
        part(10, "guardrailTrace", {"traceId": "t-g", "action": "INTERVENED"}),
        orchestrated(11, "t-3", observation={"type": "FINISH", "finalResponse": {"text": "bye"}}),
    ]


def hand_back() -> dict[str, Any]:
    asked = {"actionGroup": "hosts", "function": "isolate_host", "actionInvocationType": "USER_CONFIRMATION"}
    asked["parameters"] = ACTION["parameters"]
    return {"returnControl": {"invocationId": "inv-1", "invocationInputs": [{"functionInvocationInput": asked}]}}


read, read_file = partial(aws_cases.read, bedrock_agent_trace), partial(aws_cases.read_file, bedrock_agent_trace)


def test_an_invocation_and_its_observation_are_one_step() -> None:
    out = read(run(), lines=True)
    assert accounted(out) == len(run())
    told = {o.operation: o for o in out[0]}
    model, call = told["ORCHESTRATION"], told["ACTION_GROUP"]
    assert (model.model, model.input_tokens, model.output_tokens, model.status) == ("m1", 11, 5, "ok")
    assert (call.tool, call.arguments, call.target) == ("isolate_host", '{"host":"wks-1"}', "wks-1")
    assert (call.result, call.records, call.parent_event_id) == ('"done"', 2, model.event_id)
    assert (call.agent_id, call.agent_version, call.session_id) == ("AGENT1", "3", "s-1")
    assert told["KNOWLEDGE_BASE"].target == "KB1"
    assert (told["failureTrace"].status, told["failureTrace"].error) == ("error", "boom (424)")
    assert told["guardrailTrace"].status == "denied"


def test_a_collaborator_is_a_handoff_and_its_steps_stand_below_it() -> None:
    told = {o.operation: o for o in read(run(), lines=True)[0]}
    handoff = told["AGENT_COLLABORATOR"]
    assert (handoff.kind, handoff.target) == ("handoff", "forensics")
    assert told["failureTrace"].parent_event_id == handoff.event_id
    assert told["failureTrace"].agent_id == "AGENT2"


def test_every_way_of_saving_a_response_gives_the_same_steps() -> None:
    plain = {o.event_id for o in read(run(), lines=True)[0]}
    bare_response = {"sessionId": "s-1", "completion": [{"trace": p} for p in run()]}
    for saved in (run(), bare_response, {"traces": run()}, [{"trace": p} for p in run()]):
        assert bedrock_agent_trace.claims(saved)
        assert {o.event_id for o in read(saved, indent=2)[0]} == plain


def test_returned_control_that_needs_confirmation_waits_for_the_callers_word() -> None:
    calling = orchestrated(4, "t-0", invocationInput={"actionGroupInvocationInput": RETURNED})
    pieces: list[Any] = [calling, hand_back()]
    out = read(pieces, lines=True)
    assert accounted(out) == 2
    call, asked = out[0]
    assert (call.operation, call.status) == ("RETURN_CONTROL", "pending")
    assert (asked.kind, asked.approval, asked.tool, asked.target) == ("approval", "pending", "isolate_host", "wks-1")
    assert asked.parent_event_id == call.event_id
    for word, approval in (("CONFIRM", "approved"), ("DENY", "denied")):
        result = {"functionResult": {"actionGroup": "hosts", "function": "isolate_host", "confirmationState": word}}
        state = {"sessionState": {"invocationId": "inv-1", "returnControlInvocationResults": [result]}}
        answered = read([*pieces, state], lines=True)
        rows = [r for r in settle((content_key(o), o) for o in answered[0]) if r.kind == "approval"]
        (decided,) = [r for r in rows if r.witness_of is None]
        assert (decided.approval, decided.arguments) == (approval, '{"host":"wks-1"}')


def test_an_api_call_is_named_by_method_and_path() -> None:
    action = {
        "actionGroupName": "hosts",
        "apiPath": "/isolate",
        "verb": "post",
        "requestBody": {"content": {"application/json": [{"name": "host", "type": "string", "value": "wks-2"}]}},
    }
    (call,), _ = read(orchestrated(1, "t", invocationInput={"actionGroupInvocationInput": action}))
    assert (call.tool, call.arguments, call.status) == ("POST /isolate", '{"host":"wks-2"}', "pending")


def test_pieces_of_the_answer_and_unknown_traces() -> None:
    pieces = [run()[0], {"chunk": {"bytes": "aGk="}}, part(3, "brandNewTrace", {})]
    told, refused = read(pieces, lines=True)
    assert [o.kind for o in told] == ["model_call", "message"]
    assert [r.line for r in refused] == [3]


def test_mutated_traces_never_break_it_and_every_record_is_accounted_for() -> None:
    rng = random.Random(7)
    seeds: list[Any] = [*run(), hand_back()]
    for _ in range(MUTATIONS):
        pieces = [mutated(seed, rng) if rng.random() < 0.3 else seed for seed in seeds]
        pieces = [p for p in pieces if isinstance(p, dict)]
        out = read({"completion": pieces})
        assert accounted(out) == len(pieces) + sum(o.records == 0 for o in out[0])


def test_no_other_reader_claims_a_trace() -> None:
    for value in (run()[0], run(), {"completion": [{"trace": run()[0]}]}, hand_back()):
        assert [r.name for r in all_readers() if r.claims(value)] == ["bedrock_agent_trace"]
