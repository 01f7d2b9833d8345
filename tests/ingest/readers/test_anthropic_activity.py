"""Anthropic's activity feed: who did what, with which key."""

from __future__ import annotations

from typing import Any

import pytest
from export_checks import SAMPLES, accounted, line_each, never_raises, read, read_sample, sample_lines

from ingest.readers.anthropic_activity import anthropic_activity

SAMPLE = "panther_extracted/anthropic_activity.jsonl"
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="no ../shared/samples beside this checkout")


def activity(kind: str, who: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": f"activity_{kind}", "created_at": "2026-03-01T08:00:00.5Z", "organization_id": "org_1", "type": kind,
        "actor": who, **more,
    }  # fmt: skip


PERSON = {"type": "user_actor", "email_address": "ada@lab.test", "user_id": "user_1", "ip_address": "192.0.2.7"}
KEY = {"type": "api_actor", "api_key_id": "key_9", "ip_address": "192.0.2.8"}
GRANT = activity("role_assignment_granted", PERSON, target_id="user_2", role="owner")


@needs_samples
def test_every_real_activity_is_a_call_of_its_type() -> None:
    observations, rejected = read_sample(anthropic_activity, SAMPLE)
    assert accounted(observations, rejected) == 38 and not rejected
    assert all(o.tool and o.agent_id and o.started_at for o in observations)


def test_a_person_and_a_key() -> None:
    (person, key), _ = read(anthropic_activity, GRANT, activity("claude_chat_access_failed", KEY))
    assert (person.tool, person.target, person.principal) == ("role_assignment_granted", "user_2", "ada@lab.test")
    assert person.arguments == '{"target_id":"user_2","role":"owner"}'
    assert (key.principal, key.credential_id, key.on_behalf_of, key.status) == ("key_9", "key_9", None, "error")
    assert key.target == "org_1"


def test_who_never_signed_in_is_still_somebody() -> None:
    (said,), _ = read(anthropic_activity, activity("sso_login_failed", {"type": "unauthenticated_user_actor"}))
    assert said.agent_id == "unauthenticated_user_actor" and said.on_behalf_of is None


def test_pages_read_like_lines() -> None:
    (one,), _ = read(anthropic_activity, GRANT)
    (two,), _ = read(anthropic_activity, {"data": [GRANT], "has_more": True})
    assert one.event_id == two.event_id
    assert anthropic_activity.claims({"data": [GRANT]}) and not anthropic_activity.claims({"data": []})


def test_mutated_activities_never_raise() -> None:
    own = [GRANT, activity("x_failed", KEY), *(line["log"] for line in sample_lines(SAMPLE)[:8])]
    never_raises(anthropic_activity, own, line_each)
