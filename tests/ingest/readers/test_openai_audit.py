"""OpenAI's audit log: who did what, with which key."""

from __future__ import annotations

from typing import Any

import pytest
from export_checks import SAMPLES, accounted, line_each, never_raises, read, read_sample, sample_lines

from ingest.readers.openai_audit import openai_audit

SAMPLE = "panther_extracted/openai_audit.jsonl"
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="no ../shared/samples beside this checkout")
PERSON: dict[str, Any] = {
    "id": "audit-1", "type": "api_key.created", "effective_at": 1_800_000_000, "object": "organization.audit_log",
    "project": {"id": "proj-1"},
    "actor": {"type": "session", "session": {"user": {"id": "user-1", "email": "ada@lab.test"}, "ip_address": "192.0.2.7"}},
    "api_key.created": {"id": "key-new", "data": {"scopes": ["all"]}},
}  # fmt: skip
ROBOT: dict[str, Any] = {
    "id": "audit-2", "type": "login.failed", "effective_at": 1_800_000_009,
    "actor": {"type": "api_key", "api_key": {"type": "service_account", "id": "key-7", "service_account": {"id": "svc-1"}}},
    "login_failed": {"error_code": "bad_password"},
}  # fmt: skip


@needs_samples
def test_every_real_event_is_a_call_of_its_type() -> None:
    observations, rejected = read_sample(openai_audit, SAMPLE)
    assert accounted(observations, rejected) == 33 and not rejected
    assert all(o.tool and o.agent_id and o.started_at for o in observations)


def test_a_persons_session_and_a_service_accounts_key() -> None:
    (person, robot), rejected = read(openai_audit, PERSON, ROBOT)
    assert not rejected
    assert (person.tool, person.target, person.principal) == ("api_key.created", "key-new", "ada@lab.test")
    assert (person.source_host, person.credential_id, person.on_behalf_of) == ("192.0.2.7", None, "ada@lab.test")
    assert person.started_at == 1_800_000_000 * 10**9
    assert (robot.principal, robot.credential_id, robot.on_behalf_of) == ("svc-1", "key-7", None)
    assert (robot.status, robot.error) == ("error", "bad_password")


def test_both_spellings_of_the_details_and_pages_read_the_same() -> None:
    other = {k: v for k, v in PERSON.items() if "." not in k} | {"api_key_created": PERSON["api_key.created"]}
    (one,), _ = read(openai_audit, PERSON)
    (two,), _ = read(openai_audit, {"object": "list", "data": [other], "has_more": False})
    assert (one.event_id, one.arguments, one.target) == (two.event_id, two.arguments, two.target)
    assert openai_audit.claims({"object": "list", "data": [PERSON]}) and openai_audit.claims([PERSON])


def test_mutated_events_never_raise() -> None:
    never_raises(openai_audit, [PERSON, ROBOT, *(line["log"] for line in sample_lines(SAMPLE)[:8])], line_each)
