"""An approval covers an action only if a person gave it before, for just this, and it still holds."""

from __future__ import annotations

import json

import pytest

from detect.approvals import Approvals, canonical_digest
from detect.run_names import Runs
from detect.step import Step

HOUR_NS = 3600 * 1_000_000_000


def step(kind: str = "tool_call", at_hours: float = 1, session: str = "s1", **fields: object) -> Step:
    said: dict[str, object] = dict.fromkeys(Step.__struct_fields__)
    said |= {
        "event_id": f"{kind}-{session}-{at_hours}", "session_id": session, "trace_id": session, "kind": kind,
        "operation": "x", "agent_id": "fixer", "agent_version": "", "at_ns": int(at_hours * HOUR_NS), "status": "ok",
        "source": "f:1", "previous_tool": "", "gives": False, "approval": "not_recorded", "tool": "delete_bucket",
        "capability": "destructive", "target": "b1", "arguments": '{"bucket": "b1"}',
    }  # fmt: skip
    return Step(**(said | fields))


def yes(at_hours: float = 0, by: str | None = "ana", **fields: object) -> Step:
    return step("approval", at_hours, **({"approval": "approved", "approver": by, "capability": None} | fields))


def cover(*steps: Step) -> str:
    """What the approvals say of the last step, once the others were taken."""
    approvals = Approvals()
    approvals.acts("helper")
    *before, last = steps
    for one in before:
        if one.kind == "approval":
            approvals.take(one)
        else:
            approvals.covering(one)
    return approvals.covering(last).cover


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (yes(), "covered"),
        (yes(target="b2", arguments='{"bucket": "b2"}'), "other_arguments"),
        (yes(by="fixer"), "by_the_agent"),
        (yes(by="helper"), "by_an_agent"),
        (yes(by="system:serviceaccount:soc:bot"), "by_an_agent"),
        (yes(approval="denied"), "denied"),
        (yes(approval="automatic"), "automatic"),
        (yes(approval="automatic", target="b2", arguments='{"bucket": "b2"}'), "none"),
        (yes(at_hours=-9), "expired"),
        (yes(arguments='{"bucket": "b1", "expires_at": "1970-01-01T00:30:00Z"}'), "expired"),
        (yes(arguments='{"bucket": "b1", "ttl_seconds": 60}'), "expired"),
        (yes(tool="rotate_key", target="k1", arguments="{}"), "none"),
        (yes(tool="describe_bucket", capability="read"), "none"),
        (yes(tool="aws_s3_delete", capability="destructive"), "covered"),
        (yes(tool="change_gate", capability=None), "covered"),
    ],
    ids=[
        "this",
        "other target",
        "itself",
        "an agent",
        "a service",
        "denied",
        "policy",
        "policy for another",
        "old",
        "until",
        "ttl",
        "other",
        "a lesser act on it",
        "as another log names it",
        "a gate",
    ],
)
def test_what_a_decision_says_of_a_step(given: Step, expected: str) -> None:
    assert cover(given, step()) == expected


def test_an_approval_for_one_call_is_used_up_by_it() -> None:
    once = yes(arguments='{"bucket": "b1", "max_uses": 1}')
    assert cover(once, step(), step(at_hours=2)) == "used_up"
    assert cover(once, step(status="error"), step(at_hours=2)) == "covered", "a failed call used nothing"


def test_an_approval_bound_to_a_hash_covers_these_arguments_in_any_order() -> None:
    arguments = '{"bucket": "b1", "force": true}'
    bound = yes(target=None, tool=None, arguments=json.dumps({"arguments_hash": canonical_digest(arguments, "sha256")}))
    assert cover(bound, step(arguments='{ "force": true, "bucket": "b1" }')) == "covered"
    assert cover(bound, step(arguments='{"bucket": "b1", "force": false}')) == "other_arguments"


def test_an_approval_of_another_session_cited_for_something_else_is_replayed() -> None:
    cites = '{"bucket": "b9", "approval_id": "APR-1001"}'
    first = yes(arguments='{"bucket": "b1", "approval_id": "APR-1001"}')
    assert cover(first, step(session="s2", target="b9", arguments=cites)) == "replayed"
    assert cover(first, step(arguments='{"bucket": "b1", "approval_id": "APR-1001"}')) == "covered"


ROLE = "arn:aws:sts::123456789012:assumed-role/fixer-role/"


@pytest.mark.parametrize(
    ("session", "named", "expected"),
    [
        ("remediation/20261019-19f8396111", "remediation-20261019-19f8396111", "covered"),
        ("remediation/20261019-19f8396111", "remediation-20261019-19f8396112", "cannot_record"),
        ("nightly/backup", "nightly-backup", "cannot_record"),
        ("nightly-backup", "nightly-backup", "covered"),
    ],
    ids=["spelt otherwise", "another run", "a name that anybody may give", "the same name"],
)
def test_a_yes_to_a_run_holds_for_what_the_clouds_own_log_says_of_it(session: str, named: str, expected: str) -> None:
    runs, approvals = Runs(), Approvals()
    given = yes(session=session, tool="aws_delete", capability="destructive")
    runs.begin(given.session_id)
    approvals.take(given)
    seen = step(session="role/x/ASIA1", approval="cannot_record", tool="s3:DeleteBucket", principal=ROLE + named)
    assert approvals.covering(seen, runs.of(seen)).cover == expected


def test_a_source_that_cannot_record_approvals_is_never_unapproved() -> None:
    assert cover(step(approval="cannot_record")) == "cannot_record"
