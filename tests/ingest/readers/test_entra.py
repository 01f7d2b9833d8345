"""Entra sign-ins and directory changes in Graph's, diagnostic settings' and the audit log's shape."""

from __future__ import annotations

from typing import Any

import pytest
from microsoft_cases import NO_SAMPLES, SAMPLES, claimed_by, fuzz, read, read_document, read_sample, rows_in

from ingest.readers.entra import entra

SIGN_IN: dict[str, Any] = {
    "id": "5e0c9a1e-0000-4000-8000-000000000001",
    "createdDateTime": "2026-02-03T04:05:06.123456789Z",
    "correlationId": "c0ffee00-0000-4000-8000-000000000001",
    "appId": "a0000000-0000-4000-8000-00000000000a",
    "appDisplayName": "Ledger Bot",
    "servicePrincipalId": "b0000000-0000-4000-8000-00000000000b",
    "servicePrincipalName": "Ledger Bot",
    "servicePrincipalCredentialKeyId": "d0000000-0000-4000-8000-00000000000d",
    "uniqueTokenIdentifier": "tok-1",
    "resourceDisplayName": "Azure Key Vault",
    "resourceId": "cfa8b339-82a2-471a-a3c9-0fc0be7a4093",
    "ipAddress": "198.51.100.20",
    "conditionalAccessStatus": "notApplied",
    "signInEventTypes": ["servicePrincipal"],
    "status": {"errorCode": 0, "failureReason": "Other."},
    "agent": {"agentType": "agenticAppInstance", "agentSubjectType": "notAgentic", "parentAppId": "f00"},
}
CHANGE: dict[str, Any] = {
    "id": "Directory_1",
    "category": "ApplicationManagement",
    "correlationId": "c0ffee00-0000-4000-8000-000000000002",
    "result": "success",
    "activityDisplayName": "Add service principal credentials",
    "activityDateTime": "2026-02-03T04:06:00Z",
    "loggedByService": "Core Directory",
    "initiatedBy": {"app": {"displayName": "Ledger Bot", "servicePrincipalId": "b-1"}, "user": None},
    "targetResources": [
        {
            "id": "t-1",
            "displayName": "Payroll Bot",
            "type": "ServicePrincipal",
            "modifiedProperties": [
                {
                    "displayName": "KeyDescription",
                    "oldValue": "[]",
                    "newValue": '["[KeyIdentifier=11111111-2222-3333-4444-555555555555,KeyType=Password]"]',
                }
            ],
        }
    ],
}


def test_an_agents_sign_in_names_app_credential_and_resource() -> None:
    assert claimed_by({"value": [SIGN_IN]}) == ["entra"]
    (step,), rejected = read_document(entra, {"value": [SIGN_IN]})
    assert not rejected
    assert (step.tool, step.operation, step.status) == ("sign_in", "signIn", "ok")
    assert (step.agent_id, step.principal) == ("Ledger Bot", SIGN_IN["servicePrincipalId"])
    assert step.credential_id == SIGN_IN["servicePrincipalCredentialKeyId"]
    assert (step.target, step.source_host, step.on_behalf_of) == ("Azure Key Vault", "198.51.100.20", None)
    assert step.started_at == 1770091506123456789
    assert '"agentType":"agenticAppInstance"' in (step.arguments or "")


def test_the_same_sign_in_from_a_diagnostic_setting_is_the_same_step() -> None:
    wrapped = {
        "time": "2026-02-03T04:05:07Z",
        "resourceId": "/tenants/t/providers/Microsoft.aadiam",
        "operationName": "Sign-in activity",
        "category": "ServicePrincipalSignInLogs",
        "resultType": "0",
        "callerIpAddress": "198.51.100.20",
        "properties": SIGN_IN,
    }
    assert claimed_by(wrapped) == claimed_by({"records": [wrapped]}) == ["entra"]
    (one,), _ = read(entra, wrapped)
    (two,), _ = read(entra, SIGN_IN)
    assert (one.event_id, one.trace_id) == (two.event_id, two.trace_id)
    assert one.operation == "ServicePrincipalSignInLogs"


def test_a_person_behind_an_agent_is_named_but_the_agents_own_account_is_no_person() -> None:
    (delegated,), _ = read(entra, {**SIGN_IN, "userPrincipalName": "mira@example.org"})
    assert (delegated.on_behalf_of, delegated.principal) == ("mira@example.org", "mira@example.org")
    agent = {"agentType": "agenticAppInstance", "agentSubjectType": "agentIDuser"}
    (own,), _ = read(entra, {**SIGN_IN, "userPrincipalName": "ledger@example.org", "agent": agent})
    assert (own.on_behalf_of, own.principal) == (None, "ledger@example.org")


@pytest.mark.parametrize(
    ("code", "status"),
    [(7000215, "denied"), (53003, "denied"), (50074, "pending"), (90033, "error"), ("0", "ok")],
)
def test_the_error_code_says_how_it_ended(code: object, status: str) -> None:
    (step,), _ = read(entra, {**SIGN_IN, "status": {"errorCode": code, "failureReason": "why"}})
    assert step.status == status


def test_log_analytics_rows_are_read() -> None:
    row = {
        "TimeGenerated": "2026-02-03T04:05:06Z", "Type": "AADServicePrincipalSignInLogs", "Id": "x", "AppId": "a",
        "ServicePrincipalName": "Ledger Bot", "ServicePrincipalId": "b", "ResourceDisplayName": "Graph",
        "ResultType": "7000222", "IPAddress": "::ffff:198.51.100.9", "CorrelationId": "c",
        "Agent": '{"agentType":"agenticApp"}',
    }  # fmt: skip
    assert claimed_by(row) == ["entra"]
    (step,), _ = read(entra, row)
    assert (step.status, step.source_host, step.agent_id) == ("denied", "198.51.100.9", "Ledger Bot")
    assert "agenticApp" in (step.arguments or "")


def test_a_new_credential_is_a_step_with_the_change_as_tool_and_the_key_as_result() -> None:
    assert claimed_by({"value": [CHANGE]}) == ["entra"]
    (step,), _ = read(entra, CHANGE)
    assert (step.tool, step.target, step.agent_id) == (CHANGE["activityDisplayName"], "Payroll Bot", "Ledger Bot")
    assert step.result == '{"keyId":["11111111-2222-3333-4444-555555555555"]}'
    wrapped = {"time": "2026-02-03T04:06:01Z", "category": "AuditLogs", "operationName": "x", "properties": CHANGE}
    assert claimed_by(wrapped) == ["entra"]
    assert read(entra, wrapped)[0][0].event_id == step.event_id


def test_a_decision_of_privileged_identity_management_is_an_approval() -> None:
    by = {"user": {"userPrincipalName": "ines@example.org"}}
    for activity, approval, approver in (
        ("Add member to role request approved (PIM activation)", "approved", "ines@example.org"),
        ("Add member to role request denied (PIM activation)", "denied", "ines@example.org"),
        ("Add member to role approval requested (PIM activation)", "pending", None),
    ):
        (step,), _ = read(entra, {**CHANGE, "activityDisplayName": activity, "initiatedBy": by})
        assert (step.kind, step.approval, step.approver) == ("approval", approval, approver)


@pytest.mark.skipif(not SAMPLES.exists(), reason=NO_SAMPLES)
def test_the_audit_logs_directory_records_are_read() -> None:
    observations, rejected = read_sample(entra, SAMPLES / "panther_extracted/m365_aad.jsonl")
    assert not rejected
    assert [(o.tool, o.status) for o in observations] == [
        ("sign_in", "denied"),
        ("sign_in", "ok"),
        ("Update user", "ok"),
        ("Update user", "ok"),
    ]
    assert observations[2].agent_id == "Azure MFA StrongAuthenticationService"


def test_a_record_of_another_kind_is_rejected_with_its_line() -> None:
    observations, rejected = read(entra, SIGN_IN, {"hello": 1})
    assert len(observations) == 1
    assert [r.line for r in rejected] == [2]


def test_mutated_logs_never_raise_and_stay_accounted_for() -> None:
    wrapped = {"time": "2026-02-03T04:05:07Z", "category": "SignInLogs", "properties": SIGN_IN}
    fuzz(entra, [{"value": [SIGN_IN, CHANGE]}, [wrapped, CHANGE], wrapped], rows_in)
