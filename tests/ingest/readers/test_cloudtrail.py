"""CloudTrail: one step an event whatever wraps it, the role as agent, copies of one action merged."""

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
from ingest.readers.cloudtrail import cloudtrail
from ingest.settle import content_key, settle

SAMPLES = Path(__file__).parents[3] / "../shared/samples"
MUTATIONS = 3_000

ROLE = "arn:aws:iam::111122223333:role/triage-agent"


def event(number: int, name: str, source: str = "iam", **more: object) -> dict[str, Any]:
    return {
        "eventVersion": "1.09",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": "AROATRIAGE:run-7",
            "arn": "arn:aws:sts::111122223333:assumed-role/triage-agent/run-7",
            "accountId": "111122223333",
            "accessKeyId": "ASIATRIAGE0001",
            "sessionContext": {
                "sessionIssuer": {"type": "Role", "arn": ROLE, "userName": "triage-agent"},
                "attributes": {"creationDate": "2026-03-01T09:00:00Z", "mfaAuthenticated": "false"},
                "sourceIdentity": "dana@corp.test",
            },
        },
        "eventTime": f"2026-03-01T10:00:{number:02}Z",
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "198.51.100.7",
        "requestParameters": {"userName": "svc"},
        "responseElements": None,
        "eventID": f"0000-{number}",
        "eventType": "AwsApiCall",
        "recipientAccountId": "111122223333",
    } | more


def gateway(**more: object) -> dict[str, Any]:
    return (
        event(9, "InvokeGateway", "bedrock-agentcore")
        | {
            "userIdentity": {"type": "AWSAccount", "principalId": "", "accountId": "anonymous"},
            "requestParameters": {
                "body": {
                    "jsonrpc": "2.0",
                    "id": 3,
                    "method": "tools/call",
                    "params": {"name": "Hosts___isolate", "arguments": "REDACTED"},
                }
            },
            "responseElements": {"body": {"jsonrpc": "2.0", "id": 3, "result": "REDACTED"}, "statusCode": 200},
            "additionalEventData": {"jwt": {"claims": {"sub": "agent-client-1", "iss": "https://idp.test"}}},
            "resources": [{"ARN": "arn:aws:bedrock-agentcore:eu-west-1:111122223333:gateway/g1"}],
            "sharedEventID": "shared-9",
        }
        | more
    )


read, read_file = partial(aws_cases.read, cloudtrail), partial(aws_cases.read_file, cloudtrail)


def test_every_wrapping_of_one_event_gives_the_same_step() -> None:
    one = event(1, "CreateUser")
    text = json.dumps(one)
    wrappings: list[object] = [
        one,
        [one],
        {"Records": [one]},
        {"CloudTrailEvent": text, "EventId": "0000-1"},
        {"Events": [{"EventId": "0000-1", "CloudTrailEvent": text}]},
        {"version": "0", "detail-type": "AWS API Call via CloudTrail", "source": "aws.iam", "detail": one},
        {"@timestamp": "2026-03-01", "@message": text},
        {"results": [[{"field": "@timestamp", "value": "2026"}, {"field": "@message", "value": text}]]},
        {"events": [{"logStreamName": "s", "timestamp": 1, "message": text}]},
    ]
    told = set()
    for wrapped in wrappings:
        assert cloudtrail.claims(wrapped), wrapped
        for indent in (None, 3):
            (step,), refused = read(wrapped, indent=indent)
            assert not refused
            told.add((step.event_id, step.trace_id, step.tool, step.arguments))
    assert len(told) == 1


def test_the_agent_is_the_role_and_the_session_is_followed_by_its_key() -> None:
    (step,), _ = read(event(1, "AttachUserPolicy", requestParameters={"policyArn": "arn:p", "userName": "svc"}))
    assert step.agent_id == ROLE
    assert step.session_id == f"{ROLE}/run-7/ASIATRIAGE0001"
    assert step.principal == "arn:aws:sts::111122223333:assumed-role/triage-agent/run-7"
    assert step.credential_id == "ASIATRIAGE0001"
    assert step.on_behalf_of == "dana@corp.test"
    assert step.source_host == "198.51.100.7"
    assert (step.tool, step.target, step.status) == ("iam:AttachUserPolicy", "svc", "ok")
    assert step.approval == "cannot_record"


def test_a_refusal_is_denied_and_another_error_is_an_error() -> None:
    codes = {"AccessDenied": "denied", "Client.UnauthorizedOperation": "denied", "NoSuchEntity": "error"}
    for code, status in codes.items():
        (step,), _ = read(event(1, "GetRole", errorCode=code, errorMessage="no"))
        assert (step.status, step.error) == (status, f"{code}: no")
    signed_in = event(1, "ConsoleLogin", "signin", responseElements={"ConsoleLogin": "Failure"})
    assert read(signed_in)[0][0].status == "denied"


def test_keys_in_another_case_are_the_same_event() -> None:
    def lowered(value: Any) -> Any:
        if isinstance(value, dict):
            return {k.lower(): (v if k == "requestParameters" else lowered(v)) for k, v in value.items()}
        return value

    one = event(1, "CreateUser")
    assert cloudtrail.claims(lowered(one))
    (right,), _ = read(one)
    (lower,), _ = read(lowered(one))
    as_athena = {k.lower(): json.dumps(v) if isinstance(v, dict) else v for k, v in one.items()}
    (athena,), _ = read(as_athena)
    for other in (lower, athena):
        assert (other.event_id, other.agent_id, other.session_id) == (right.event_id, right.agent_id, right.session_id)
        assert (other.arguments, other.credential_id) == (right.arguments, right.credential_id)


def test_both_accounts_copies_of_a_cross_account_call_become_one_event_of_the_caller() -> None:
    caller = event(1, "AssumeRole", "sts", sharedEventID="s1", eventID="a")
    owner = event(1, "AssumeRole", "sts", sharedEventID="s1", eventID="b", recipientAccountId="444455556666")
    owner["userIdentity"] = {"type": "AWSAccount", "principalId": "AROATRIAGE:run-7", "accountId": "111122223333"}
    for order in ([caller, owner], [owner, caller]):
        told, _ = read(order)
        rows = settle((content_key(o), o) for o in told)
        (only,) = [row for row in rows if row.witness_of is None]
        assert only.witnesses == 2
        assert (only.agent_id, only.credential_id) == (ROLE, "ASIATRIAGE0001")


def test_a_key_without_a_session_gets_one_session_a_day() -> None:
    who = {"type": "IAMUser", "arn": "arn:aws:iam::1:user/ci", "principalId": "AIDACI", "accessKeyId": "AKIACI"}
    days = [event(1, "GetUser", userIdentity=who, eventTime=f"2026-03-0{d}T10:00:00Z", eventID=str(d)) for d in (1, 2)]
    told, _ = read(days)
    assert len({o.session_id for o in told}) == 2
    assert {o.agent_id for o in told} == {"arn:aws:iam::1:user/ci"}


def test_a_gateway_call_names_the_tool_and_the_tokens_subject() -> None:
    (step,), _ = read(gateway())
    assert (step.kind, step.tool) == ("tool_call", "Hosts___isolate")
    assert step.principal == step.agent_id == "agent-client-1"
    assert step.gap == "arguments and result redacted"
    assert (step.arguments, step.result) == (None, None)
    refused = {"body": {"error": {"code": -32001, "message": "bad token"}}, "statusCode": 401}
    assert read(gateway(responseElements=refused))[0][0].status == "denied"
    hello = {"body": {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {}}}
    assert read(gateway(requestParameters=hello))[0][0].kind == "lifecycle"


def test_who_released_a_waiting_task_stays_a_call_of_the_approver() -> None:
    (step,), _ = read(event(1, "SendTaskSuccess", "states", requestParameters={"output": "{}"}))
    assert (step.kind, step.tool) == ("tool_call", "states:SendTaskSuccess")
    assert step.principal is not None


def test_insights_are_no_calls_and_digests_are_refused_by_name() -> None:
    insight = {
        "eventVersion": "1.08",
        "eventTime": "2026-03-01T10:00:00Z",
        "eventType": "AwsCloudTrailInsight",
        "eventCategory": "Insight",
        "eventID": "i",
        "insightDetails": {"state": "Start", "eventName": "RunInstances", "eventSource": "ec2.amazonaws.com"},
    }
    assert cloudtrail.claims({"Records": [insight]})
    assert read(insight)[0][0].kind == "lifecycle"
    digest = {"awsAccountId": "1", "digestS3Bucket": "b", "digestStartTime": "x", "logFiles": []}
    assert cloudtrail.claims(digest)
    assert "digest" in read(digest)[1][0].reason


def test_what_is_no_event_is_refused_with_its_line_and_the_rest_is_read() -> None:
    told, refused = read([event(1, "GetUser"), {"a": 1}, event(2, "GetUser"), "text"], lines=True)
    assert len(told) == 2
    assert [r.line for r in refused] == [2, 4]


def test_mutated_events_never_break_it_and_every_record_is_accounted_for() -> None:
    rng = random.Random(7)
    seeds: list[Any] = [event(1, "CreateUser"), gateway(), {"CloudTrailEvent": json.dumps(event(2, "GetUser"))}]
    for _ in range(MUTATIONS):
        elements = [mutated(rng.choice(seeds), rng) for _ in range(2)]
        elements = [e for e in elements if isinstance(e, dict) and "Events" not in e]
        out = read({"Records": elements})
        assert accounted(out) == len(elements)


@pytest.mark.parametrize("path", sorted((SAMPLES / "aws/cloudtrail").glob("*.json")), ids=lambda p: p.name[:40])
def test_real_exports_are_read_whole(path: Path) -> None:
    document = json.loads(path.read_bytes())
    expected = len(document["Records"] if isinstance(document, dict) else document)
    out = read_file(path)
    assert not out[1]
    assert accounted(out) == expected == len({o.event_id for o in out[0]})
    assert all(o.agent_id and o.tool and o.started_at and o.session_id for o in out[0])


def test_a_siems_rewritten_events_are_read() -> None:
    path = SAMPLES / "panther_extracted/aws_cloudtrail.jsonl"
    if not path.exists():
        pytest.skip("needs the shared samples, which lie beside the repository")
    out = read_file(path)
    assert accounted(out) == sum(1 for line in path.open() if line.strip())
    kinds = Counter(o.status for o in out[0])
    assert len(out[0]) > 460
    assert kinds["denied"] > 40


def test_no_other_reader_claims_an_event() -> None:
    for value in (event(1, "GetUser"), {"Records": [event(1, "GetUser")]}, [gateway()]):
        assert [r.name for r in all_readers() if r.claims(value)] == ["cloudtrail"]
