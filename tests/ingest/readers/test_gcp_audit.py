"""Google Cloud audit logs: who acted for whom, operations once, every wrapping of the same entry."""

from __future__ import annotations

import json
import random
from base64 import b64encode
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from mutated import mutate

from ingest.event import Observation, Rejected
from ingest.load import all_readers
from ingest.readers.gcp_audit import gcp_audit
from ingest.records import LogFile, Record

SAMPLES = Path(__file__).parents[3] / "../shared/samples"
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="no ../shared/samples beside this checkout")
MUTATIONS = 3_000
ROBOT = "soc-agent@acme-sec.iam.gserviceaccount.com"


def read(*values: object) -> tuple[list[Observation], list[Rejected]]:
    lines = [Record("g.jsonl", n, json.dumps(value).encode()) for n, value in enumerate(values, 1)]
    out = list(gcp_audit.read(lines))
    return [o for o in out if isinstance(o, Observation)], [r for r in out if isinstance(r, Rejected)]


def entry(
    insert: str = "i1", log: str = "activity", at: str = "2026-03-01T10:00:00.123456789Z", **more: Any
) -> dict[str, Any]:
    about = {k: more.pop(k) for k in ("operation", "labels") if k in more}
    payload = {
        "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
        "serviceName": "compute.googleapis.com",
        "methodName": "v1.compute.firewalls.insert",
        "resourceName": "projects/acme-sec/global/firewalls/open-all",
        "authenticationInfo": {"principalEmail": ROBOT},
        "requestMetadata": {"callerIp": "203.0.113.9"},
        "request": {"@type": "x", "name": "open-all"},
        **more,
    }
    name = f"projects/acme-sec/logs/cloudaudit.googleapis.com%2F{log}"
    return {"insertId": insert, "logName": name, "timestamp": at, "protoPayload": payload, **about}


def run(state: str, at: str, **said: Any) -> dict[str, Any]:
    return {
        "insertId": at, "timestamp": at,
        "logName": "projects/acme-sec/logs/workflows.googleapis.com%2Fexecutions_system",
        "labels": {"workflows.googleapis.com/execution_id": "x-1", "workflows.googleapis.com/revision_id": "000002-abc"},
        "resource": {"type": "workflows.googleapis.com/Workflow", "labels": {"workflow_id": "contain-host"}},
        "jsonPayload": {"state": state, "activityTime": at, **said},
    }  # fmt: skip


@needs_samples
def test_real_entries_are_read_whole() -> None:
    steps = []
    for path in sorted((SAMPLES / "gcp").glob("*.json")):
        out = list(gcp_audit.read([Record(path.name, 1, path.read_bytes())]))
        steps += [o for o in out if isinstance(o, Observation)]
    assert [o.tool for o in steps] == [
        "jobservice.jobcompleted", "google.monitoring.v3.MetricService.CreateTimeSeries", "google.pubsub.v1.Publisher.CreateTopic",
    ]  # fmt: skip
    assert steps[2].credential_id == "90f662482321f1ca8e82ea675b1a1c30c1fe681f"
    assert steps[2].started_at == 1_593_533_687_593_398_572


@needs_samples
def test_normalised_lines_are_read_and_the_rest_is_accounted_for() -> None:
    values = [json.loads(x) for x in (SAMPLES / "panther_extracted/gcp_audit.jsonl").read_text().splitlines()]
    observations, rejected = read(*values)
    assert sum(o.records for o in observations) + len(rejected) == len(values)
    has_payload = [v for v in values if (v["log"].get("protoPayload") or {}).get("methodName")]
    assert sum(o.records for o in observations if o.kind != "lifecycle") >= len(has_payload)
    assert Counter(o.approval for o in observations if o.kind == "tool_call").keys() == {"cannot_record"}


@needs_samples
def test_no_other_reader_claims_our_files_and_we_claim_no_others() -> None:
    for path in sorted(SAMPLES.rglob("*.json*")):
        log = LogFile(path, path.name)
        names = [r.name for r in all_readers() if r.claims(log.first)]
        log.close()
        ours = path.parent.name == "gcp" or path.name == "gcp_audit.jsonl"
        assert (names == ["gcp_audit"]) if ours else ("gcp_audit" not in names), path


def test_an_entry_says_who_acted_on_what_from_where() -> None:
    (step,), _ = read(entry())
    assert (step.kind, step.tool, step.status, step.approval) == (
        "tool_call",
        "v1.compute.firewalls.insert",
        "ok",
        "cannot_record",
    )
    assert (step.principal, step.agent_id, step.source_host) == (ROBOT, ROBOT, "203.0.113.9")
    assert (step.target, step.arguments) == ("projects/acme-sec/global/firewalls/open-all", '{"name":"open-all"}')
    assert (step.session_id, step.on_behalf_of) == (f"{ROBOT} 2026-03-01", None)
    assert step.started_at == 1_772_359_200_123_456_789


def test_the_same_entry_has_one_id_in_every_wrapping() -> None:
    plain = entry()
    data = b64encode(json.dumps(plain).encode()).decode()
    column = {**plain, "protopayload_auditlog": plain["protoPayload"]}
    del column["protoPayload"]
    wrapped: list[Any] = [
        plain,
        [plain],
        {"message": {"data": data, "messageId": "1"}, "subscription": "s"},
        {"receivedMessages": [{"ackId": "a", "message": {"data": data}}]},
        {"specversion": "1.0", "type": "google.cloud.audit.log.v1.written", "data": plain},
        {"entries": [plain]},
        {"log": plain},
        {k.lower(): v for k, v in plain.items()},
        column,
    ]
    ids = set()
    for value in wrapped:
        assert gcp_audit.claims(value)
        (step,), rejected = read(value)
        assert not rejected
        ids.add(step.event_id)
    assert len(ids) == 1


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"status": {}}, "ok"),
        ({"status": {"code": 7, "message": "no"}}, "denied"),
        ({"status": {"code": 16}}, "denied"),
        ({"status": {"code": 5, "message": "not found"}}, "error"),
        ({"authorizationInfo": [{"permission": "p", "granted": False}]}, "denied"),
        ({"authorizationInfo": [{"permission": "p", "granted": True}]}, "ok"),
        ({"log": "policy"}, "denied"),
    ],
)
def test_a_refusal_is_told_from_a_failure(more: dict[str, Any], status: str) -> None:
    (step,), _ = read(entry(**more))
    assert step.status == status


def test_a_bare_method_has_its_service_in_front() -> None:
    (step,), _ = read(entry(serviceName="iamcredentials.googleapis.com", methodName="GenerateAccessToken"))
    assert step.tool == "iamcredentials.GenerateAccessToken"


def test_the_first_human_of_the_delegation_chain_is_the_one_acted_for() -> None:
    chain = [
        {"firstPartyPrincipal": {"principalEmail": "hop@acme-sec.iam.gserviceaccount.com"}},
        {"principalSubject": "user:dana@acme.test"},
    ]
    key = f"//iam.googleapis.com/projects/acme-sec/serviceAccounts/{ROBOT}/keys/0a1b2c"
    who = {"principalEmail": ROBOT, "serviceAccountDelegationInfo": chain, "serviceAccountKeyName": key}
    (step,), _ = read(entry(authenticationInfo=who))
    assert (step.principal, step.on_behalf_of, step.credential_id) == (ROBOT, "dana@acme.test", "0a1b2c")
    (step,), _ = read(entry(metadata={"identityDelegationChain": [f"projects/-/serviceAccounts/{ROBOT}"]}))
    assert step.on_behalf_of is None
    (step,), _ = read(entry(authenticationInfo={"principalEmail": "dana@acme.test"}))
    assert step.on_behalf_of == "dana@acme.test"


@pytest.mark.parametrize("swapped", [False, True])
def test_a_long_running_operation_is_one_step(swapped: bool) -> None:
    operation = {"id": "operation-7", "producer": "compute.googleapis.com"}
    first = entry("i1", operation={**operation, "first": True}, response={"status": "RUNNING"})
    last = entry(
        "i2", at="2026-03-01T10:05:00Z", operation={**operation, "last": True}, status={"code": 13, "message": "broke"}
    )
    del last["protoPayload"]["request"]
    (step,), _ = read(*([last, first] if swapped else [first, last]))
    assert (step.records, step.status, step.error, step.arguments) == (2, "error", "broke", '{"name":"open-all"}')
    assert (step.ended_at or 0) - (step.started_at or 0) == 300 * 10**9 - 123_456_789
    (begun,), _ = read(first)
    assert (begun.event_id, begun.status) == (step.event_id, "pending")
    (whole,), _ = read(entry(operation={**operation, "first": True, "last": True}))
    assert (whole.event_id != step.event_id, whole.status) == (True, "ok")


def test_a_prediction_is_a_model_call() -> None:
    answer = {"modelVersion": "m-1", "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 2}}
    (step,), _ = read(
        entry(
            log="data_access",
            serviceName="aiplatform.googleapis.com",
            methodName="google.cloud.aiplatform.v1.PredictionService.GenerateContent",
            resourceName="projects/p/locations/l/publishers/google/models/m",
            response=answer,
        )
    )
    assert (step.kind, step.model, step.input_tokens, step.output_tokens) == ("model_call", "m-1", 5, 2)


def test_a_workflow_run_is_one_step_and_a_callback_to_it_is_a_decision() -> None:
    callback = entry(
        serviceName="workflowexecutions.googleapis.com",
        methodName="google.cloud.workflows.executions.v1.Executions.SendHttpCallback",
        resourceName="projects/p/locations/l/workflows/contain-host/executions/x-1/callbacks/c",
        authenticationInfo={"principalEmail": "dana@acme.test"},
        request={"body": {"approved": True}},
    )
    observations, _ = read(run("ACTIVE", "2026-03-01T09:59:00Z", start={"argument": '{"host": "w"}'}), callback,
                           run("SUCCEEDED", "2026-03-01T10:01:00Z", success={"result": '"ok"'}))  # fmt: skip
    decided, whole = observations
    assert (whole.records, whole.status, whole.agent_id, whole.agent_version) == (2, "ok", "contain-host", "000002-abc")
    assert (whole.arguments, whole.result) == ('{"host": "w"}', '"ok"')
    assert (decided.kind, decided.approval, decided.approver) == ("approval", "approved", "dana@acme.test")
    assert (decided.trace_id, decided.session_id) == (whole.trace_id, whole.session_id)
    del callback["protoPayload"]["request"]
    (decided,), _ = read(callback)
    assert (decided.approval, decided.gap) == ("not_recorded", "the callback's content is not in the audit log")


def test_an_entry_of_another_log_is_rejected_and_the_rest_is_read() -> None:
    observations, rejected = read(entry(), {"logName": "projects/p/logs/stdout", "textPayload": "hi"}, 7, [])
    assert (len(observations), len(rejected)) == (1, 3)


@pytest.mark.parametrize(
    "other", [{"data": "aGk="}, {"message": {"role": "user"}}, {"entries": []}, [], "x", {"jsonPayload": {}}]
)
def test_another_formats_record_is_not_claimed(other: object) -> None:
    assert not gcp_audit.claims(other)


def test_mutated_entries_never_raise_and_stay_accounted_for() -> None:
    rng = random.Random(5)
    operation = {"id": "operation-7", "producer": "c"}
    seeds: list[Any] = [
        [entry(operation={**operation, "first": True}), entry("i2", operation={**operation, "last": True}), run("ACTIVE", "2026-03-01T10:00:00Z")],
        [{"message": {"data": b64encode(json.dumps(entry()).encode()).decode()}}, {"log": entry()}],
    ]  # fmt: skip
    if SAMPLES.exists():
        lines = (SAMPLES / "panther_extracted/gcp_audit.jsonl").read_text().splitlines()
        seeds += [[json.loads(x)] for x in lines if len(x) < 3_000]
    texts = [json.dumps(seed) for seed in seeds]
    for _ in range(MUTATIONS):
        values = json.loads(rng.choice(texts))
        for _ in range(rng.randint(1, 4)):
            mutate(values, rng)
        observations, rejected = read(*values)
        assert sum(o.records for o in observations) + len(rejected) == sum(map(units, values)), values


def units(value: Any) -> int:
    """What stands in a list is counted one by one."""
    if isinstance(value, list):
        return sum(map(units, value)) if value else 1
    if isinstance(value, dict):
        for key in ("entries", "receivedMessages", "logs", "messages"):
            if isinstance(value.get(key), list):
                return units(value[key])
    return 1


def engine_call(state: str, at: str, **said: Any) -> dict[str, Any]:
    return {
        **run(state, at),
        "logName": "projects/acme-sec/logs/workflows.googleapis.com%2Fengine_call",
        "jsonPayload": {"executionId": "x-1", "state": state, "activityTime": at, "step": "cut_off", **said},
    }


def test_a_workflows_call_is_one_step_from_its_begin_and_its_end_in_either_order() -> None:
    begin, end = "2026-03-01T10:00:01.5Z", "2026-03-01T10:00:02Z"
    begun = engine_call("BEGUN", begin, callee="http.post", begun={"namedArgs": {"url": "https://fw.example/block"}})
    done = engine_call("SUCCEEDED", end, callee="http.post", succeeded={"callStartTime": begin, "response": '{"ok":1}'})
    for records in ([begun, done], [done, begun]):
        ((call,), _) = read(records)
        assert (call.tool, call.status, call.agent_id, call.session_id) == ("http.post", "ok", "contain-host", "x-1")
        assert (call.target, call.result) == ("https://fw.example/block", '{"ok":1}')
        assert (call.records, (call.ended_at or 0) - (call.started_at or 0)) == (2, 500_000_000)
    raised = {"callStartTime": begin, "exception": "403", "origin": "cut_off"}
    ((failed,), _) = read([begun, engine_call("EXCEPTION_RAISED", end, callee="http.post", exceptionRaised=raised)])
    assert (failed.status, failed.error) == ("error", "403")
    assert gcp_audit.claims(begun)


def test_step_entries_of_an_execution_stand_in_their_own_order() -> None:
    name = "projects/7/locations/eu/workflows/contain-host/executions/x-1/stepEntries/"
    entries = [
        {"name": name + "2", "entryId": "2", "createTime": "2026-03-01T10:00:01Z", "updateTime": "2026-03-01T10:00:03Z",
         "routine": "main", "step": "cut_off", "stepType": "STEP_CONNECTOR_CALL", "state": "STATE_FAILED",
         "exception": {"payload": "\"denied\""}},
        {"name": name + "1", "entryId": "1", "createTime": "2026-03-01T10:00:00Z", "updateTime": "2026-03-01T10:00:00Z",
         "routine": "main", "step": "init", "stepType": "STEP_ASSIGN", "state": "STATE_SUCCEEDED",
         "variableData": {"variables": {"host": "wks-042"}}},
    ]  # fmt: skip
    page = {"stepEntries": entries, "totalSize": 2}
    assert gcp_audit.claims(page)
    (call, init), _ = read(page)
    assert (call.kind, call.tool, call.status, call.sequence) == ("tool_call", "cut_off", "error", 2)
    assert (init.kind, init.sequence, init.trace_id) == (
        "lifecycle",
        1,
        read(run("ACTIVE", "2026-03-01T10:00:00Z"))[0][0].trace_id,
    )
