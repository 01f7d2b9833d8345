"""Copilot in the audit log: prompts without text, what was read for them, who asked."""

from __future__ import annotations

import json
from typing import Any

from microsoft_cases import accounted, claimed_by, fuzz, read, read_document, rows_in

from ingest.readers.purview_copilot import purview_copilot

RECORD: dict[str, Any] = {
    "CreationTime": "2026-04-01T09:00:00",
    "Id": "90000000-0000-4000-8000-000000000001",
    "Operation": "CopilotInteraction",
    "RecordType": 261,
    "OrganizationId": "t-1",
    "Workload": "Copilot",
    "UserId": "mira@example.org",
    "ClientIP": "ffff:10.20.30.40",
    "AgentId": "CopilotStudio.Declarative.1",
    "AgentName": "Leave Helper",
    "CopilotEventData": {
        "AppHost": "Teams",
        "ThreadId": "19:abc@thread.v2",
        "Messages": [
            {"Id": "1", "isPrompt": True, "JailbreakDetected": True},
            {"Id": "2", "isPrompt": False},
        ],
        "AccessedResources": [
            {
                "Action": "Read",
                "Id": "f-1",
                "Name": "pay.xlsx",
                "SiteUrl": "https://x.example/pay.xlsx",
                "XPIADetected": True,
            },
            {
                "Action": "Read",
                "Id": "f-2",
                "Name": "b.docx",
                "Status": "failure",
                "PolicyDetails": [{"PolicyName": "p"}],
            },
        ],
        "AISystemPlugin": [{"Id": "BingWebSearch"}],
        "ModelTransparencyDetails": [{"ModelName": "m-large"}],
    },
}
ROW = {"RecordType": "CopilotInteraction", "Operations": "CopilotInteraction", "AuditData": json.dumps(RECORD)}


def test_an_interaction_is_a_prompt_with_what_was_read_and_answered_below_it() -> None:
    assert claimed_by([RECORD]) == claimed_by(RECORD) == ["purview_copilot"]
    observations, rejected = read_document(purview_copilot, [RECORD])
    assert not rejected
    prompt, response, read_one, blocked = observations
    assert (prompt.kind, prompt.gap) == ("message", "prompt text is not in this log")
    assert "jailbreak" in (prompt.error or "")
    assert (response.kind, response.model, response.gap) == (
        "model_call",
        "m-large",
        "response text is not in this log",
    )
    assert (read_one.tool, read_one.target) == ("Copilot:Read", "https://x.example/pay.xlsx")
    assert "XPIADetected" in (read_one.error or "")
    assert (blocked.status, blocked.target) == ("denied", "b.docx")
    assert {o.parent_event_id for o in observations[1:]} == {prompt.event_id}
    assert {(o.agent_id, o.on_behalf_of, o.source_host) for o in observations} == {
        ("Leave Helper", "mira@example.org", "10.20.30.40")
    }
    assert {o.session_id for o in observations} == {"19:abc@thread.v2"}
    # A time without a zone is UTC.
    assert prompt.started_at == 1775034000 * 10**9
    assert accounted(observations, rejected) == 4


def test_a_row_with_the_record_as_text_is_the_same_interaction() -> None:
    assert claimed_by(ROW) == ["purview_copilot"]
    one, _ = read(purview_copilot, ROW)
    two, _ = read(purview_copilot, RECORD)
    assert [o.event_id for o in one] == [o.event_id for o in two]


def test_a_column_too_long_to_look_into_is_claimed_by_the_ones_beside_it() -> None:
    assert claimed_by({**ROW, "AuditData": ""}) == ["purview_copilot"]


def test_other_ai_apps_are_read_and_other_workloads_are_steps_of_their_own() -> None:
    app = {**RECORD, "Operation": "ConnectedAIAppInteraction", "RecordType": 999, "Workload": "ConnectedAIApp"}
    assert claimed_by(app) == ["purview_copilot"]
    bare = {**app, "CopilotEventData": {"AppHost": "Web"}}
    (whole,), _ = read(purview_copilot, bare)
    assert (whole.kind, whole.operation) == ("lifecycle", "ConnectedAIAppInteraction")
    shared = {
        "CreationTime": "2026-04-01T09:01:00", "Id": "z", "Operation": "FileDownloaded", "RecordType": 6,
        "Workload": "SharePoint", "UserId": "mira@example.org", "ObjectId": "https://x.example/f",
    }  # fmt: skip
    (step,), _ = read(purview_copilot, shared)
    assert (step.kind, step.tool, step.target) == ("tool_call", "FileDownloaded", "https://x.example/f")


def test_agent_365s_events_in_the_audit_log_are_its_steps() -> None:
    said = {
        "CreationTime": "2026-04-01T09:00:00Z", "Id": "q", "Operation": "AIExecuteToolBySDK", "Workload": "Agent365",
        "RecordType": 400, "AgentName": "Reset Desk", "ToolName": "reset_password", "ConversationId": "c-1",
    }  # fmt: skip
    assert claimed_by(said) == ["purview_copilot"]
    (step,), _ = read(purview_copilot, said)
    assert (step.tool, step.agent_id, step.session_id) == ("reset_password", "Reset Desk", "c-1")


def test_sentinels_columns_are_read() -> None:
    row = {
        "TimeGenerated": "2026-04-01T09:00:00Z", "RecordId": "r", "RecordType": "CopilotInteraction",
        "ActorName": "mira@example.org", "SrcIpAddr": "198.51.100.1", "AgentName": "Leave Helper",
        "LLMEventData": json.dumps(RECORD["CopilotEventData"]),
    }  # fmt: skip
    assert claimed_by(row) == ["purview_copilot"]
    observations, _ = read(purview_copilot, row)
    assert len(observations) == 4
    assert {o.source_host for o in observations} == {"198.51.100.1"}


def test_a_row_whose_record_is_cut_off_is_rejected() -> None:
    observations, rejected = read(purview_copilot, ROW, {**ROW, "AuditData": ROW["AuditData"][:200]})
    assert len(observations) == 4
    assert [r.line for r in rejected] == [2]


def test_mutated_records_never_raise_and_have_unique_ids() -> None:
    def expected(document: Any) -> int:
        # A record for each row, and one for each further step that a row tells of.
        observations, _ = read(purview_copilot, document)
        return rows_in(document) + sum(o.records == 0 for o in observations)

    fuzz(purview_copilot, [[RECORD, RECORD], RECORD, ROW], expected)
