"""OCSF: what other tools normalised. Schema documents are no events."""

from __future__ import annotations

from typing import Any

import pytest
from mutated import SAMPLES, claimed_by, only, read_file, read_lines, told, withstands

from ingest.readers.ocsf import ocsf

SAMPLE = SAMPLES / "ocsf/openshell_docs.ocsf.jsonl"


def event(class_uid: int, **more: object) -> dict[str, Any]:
    return {"class_uid": class_uid, "category_uid": class_uid // 1000, "activity_id": 1, "time": 1767225600123,
            "metadata": {"version": "1.9.0", "uid": f"o-{class_uid}", "product": {"name": "gateway"}}, **more}  # fmt: skip


AGENT = {"uid": "ag-1", "instance_uid": "run-7", "name": "key-bot", "version": "3", "ai_model": {"name": "some-model"}}
USER = {"name": "svc-keys", "uid": "arn:aws:iam::1:user/svc", "credential_uid": "AKIA1", "type_id": 4}
RUN = [
    event(6003, ai_agent=AGENT, api={"operation": "RotateKey", "request": {"data": {"keyId": "k1"}}, "response": {"data": {"ok": True}}},
          actor={"user": USER, "session": {"uid": "sess"}}, resources=[{"uid": "arn:aws:kms:::k1"}], status_id=1,
          message_context={"uid": "conv", "ai_role_id": 3}, src_endpoint={"ip": "10.0.0.1"}),
    event(6003, ai_agent=AGENT, ai_model={"name": "some-model"}, status="Success",
          message_context={"uid": "conv", "prompt_tokens": 9, "completion_tokens": 2, "prompt_text": "hi"}),
    event(3001, activity_name="Create", actor={"user": USER}, user={"name": "new-admin"}, status_id=2, status_detail="quota"),
    event(1007, process={"cmd_line": "rm"}, action_id=2, device={"hostname": "db-1"}),
    event(3002, user={"name": "sam", "type_id": 1}, service={"name": "console"}, status_id=1),
    event(2004, finding_info={"uid": "f1", "title": "odd"}),
]  # fmt: skip


@pytest.mark.skipif(not SAMPLES.exists(), reason="no ../shared/samples beside this checkout")
def test_the_documented_events_are_read_and_the_schemas_are_not() -> None:
    outcome = read_file(ocsf, SAMPLE)
    assert told(outcome) == 3
    allowed, denied, model = outcome[0]
    assert (allowed.approval, allowed.target, allowed.status) == ("automatic", "api.github.com", "ok")
    assert (denied.approval, denied.status, denied.started_at) == ("denied", "denied", None)
    assert (model.kind, model.model) == ("model_call", "claude-haiku-4-5-20251001")
    assert claimed_by(ocsf) == {"ocsf/" + SAMPLE.name}


def test_an_agents_tool_call_has_its_stable_name_and_its_credential() -> None:
    outcome = read_lines(ocsf, *RUN)
    assert told(outcome) == len(RUN)
    call = only(outcome, tool="RotateKey")
    assert (call.agent_id, call.agent_version, call.session_id) == ("key-bot", "3", "conv")
    assert (call.principal, call.credential_id, call.target) == ("svc-keys", "AKIA1", "arn:aws:kms:::k1")
    assert (call.approval, call.started_at) == ("cannot_record", 1767225600123000000)
    assert only(outcome, kind="model_call").input_tokens == 9


def test_changed_accounts_refusals_people_and_findings() -> None:
    outcome = read_lines(ocsf, *RUN)
    assert only(outcome, target="new-admin").error == "quota"
    assert only(outcome, status="denied").source_host == "db-1"
    assert only(outcome, target="console").on_behalf_of == "sam"
    assert only(outcome, kind="lifecycle").operation == "class 2004"


def test_a_list_of_events_is_read_element_by_element() -> None:
    assert ocsf.claims(RUN)
    assert told(read_lines(ocsf, RUN)) == len(RUN)


def test_mutated_events_never_raise_and_stay_accounted_for() -> None:
    def units(lines: list[Any]) -> int:
        held = [x[k] for x in lines if isinstance(x, dict) for k in ("events", "Events") if k in x]
        return (
            sum(max(1, len(x)) if isinstance(x, list) else 1 for x in lines)
            if not held
            else told(read_lines(ocsf, *lines))
        )

    withstands(ocsf, [RUN, [RUN]], units)
