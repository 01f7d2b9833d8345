"""Okta System Log: who did what to whom, in the API's shape and in those of pipelines."""

from __future__ import annotations

from typing import Any

import pytest
from mutated import SAMPLES, claimed_by, only, read_file, read_lines, told, withstands

from ingest.readers.okta import okta

SAMPLE = SAMPLES / "panther_extracted/okta.jsonl"


def event(number: int, kind: str, **more: object) -> dict[str, Any]:
    return {"uuid": f"o{number}", "published": f"2026-02-01T10:00:{number:02}.123Z", "eventType": kind, "version": "0",
            "actor": {"id": "u1", "type": "User", "alternateId": "sam@x.example", "displayName": "Sam"},
            "client": {"ipAddress": "10.0.0.1"}, "outcome": {"result": "SUCCESS"},
            "authenticationContext": {"externalSessionId": "sess1"}, "transaction": {"id": "tx"}, **more}  # fmt: skip


BOT = {"id": "0oa1", "type": "PublicClientApp", "alternateId": "0oa1", "displayName": "Key bot"}
RUN = [
    event(1, "user.account.privilege.grant", target=[{"id": "u2", "type": "User", "alternateId": "new@x.example"}]),
    event(2, "app.oauth2.token.grant", actor=BOT, target=[{"id": "tok1", "type": "access_token"}]),
    event(3, "policy.evaluate_sign_on", outcome={"result": "DENY", "reason": "rule"}),
    event(4, "user.session.start"),
]


@pytest.mark.skipif(not SAMPLES.exists(), reason="no ../shared/samples beside this checkout")
def test_okta_events_of_the_real_file_are_read_and_other_vendors_are_rejected() -> None:
    outcome = read_file(okta, SAMPLE)
    assert told(outcome) == 143
    assert len(outcome[1]) == 49
    assert all("no eventType" in r.reason for r in outcome[1])
    assert claimed_by(okta) == {"panther_extracted/" + SAMPLE.name}


def test_the_actor_acts_and_the_target_is_touched() -> None:
    outcome = read_lines(okta, *RUN)
    assert told(outcome) == 4
    grant = only(outcome, tool="user.account.privilege.grant")
    assert (grant.principal, grant.target, grant.on_behalf_of) == ("sam@x.example", "new@x.example", "sam@x.example")
    assert (grant.session_id, grant.source_host, grant.approval) == ("sess1", "10.0.0.1", "cannot_record")
    token = only(outcome, tool="app.oauth2.token.grant")
    assert (token.agent_id, token.credential_id, token.on_behalf_of) == ("0oa1", "tok1", None)
    assert only(outcome, status="denied").error == "rule"
    assert only(outcome, kind="lifecycle").operation == "user.session.start"


def test_wrapped_and_lower_cased_copies_are_the_same_events() -> None:
    lower = {key.lower(): value for key, value in RUN[0].items()} | {"p_log_type": "Okta.SystemLog"}
    ids = [read_lines(okta, copy)[0][0].event_id for copy in (RUN[0], [RUN[0]], {"detail": RUN[0]}, {"log": lower})]
    assert len(set(ids)) == 1
    assert okta.claims({"detail": RUN[0]})


def test_mutated_events_never_raise_and_stay_accounted_for() -> None:
    withstands(okta, [RUN, [RUN]], lambda lines: sum(max(1, len(x)) if isinstance(x, list) else 1 for x in lines))
