"""Anthropic's Compliance API activity feed: who did what in a Claude organisation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from ingest.event import Observation, Rejected, identify
from ingest.readers import reader
from ingest.readers._export_fields import REMEDY, Fields, opened
from ingest.records import Record
from ingest.times import nanoseconds

_TARGETS = (
    "target_id", "deleted_user_id", "api_key_id", "service_key_id", "mcp_server_id", "resource_id",
    "claude_artifact_id", "claude_chat_id", "claude_project_id", "claude_file_id", "workspace_id", "group_id",
    "integration_type", "mcp_server_name",
)  # fmt: skip
_ENVELOPE = {"id", "created_at", "organization_id", "organization_uuid", "type", "actor"}


def _claims(first: object) -> bool:
    if isinstance(first, list):
        return bool(first) and all(_claims(part) for part in first)
    if not isinstance(first, dict):
        return False
    actor = first.get("actor")
    if isinstance(actor, dict) and isinstance(first.get("type"), str) and "created_at" in first:
        return str(actor.get("type")).endswith("_actor")
    inside = first.get("data") if isinstance(first.get("data"), list) else first.get("log")
    return isinstance(inside, list | dict) and "type" not in first and _claims(inside)


@reader(claims=_claims, by_line=True)
def anthropic_activity(records: Iterable[Record]) -> Iterator[Observation | Rejected]:
    """Anthropic Compliance API activities: a Claude organisation's audit feed.

    The activity's type is the tool; its own members are the arguments. The actor is a person, an API key, or
    somebody who did not sign in.
    """
    for found in opened(records, "data", "log", own="actor"):
        if isinstance(found, Rejected):
            yield found
            continue
        part, activity = found
        if (done := activity.text("type")) is None or not activity.inside("actor").raw:
            yield Rejected(part.line, f"an activity without a type or an actor; {REMEDY}")
        else:
            yield _observation(activity, done, part)


def _observation(activity: Fields, done: str, record: Record) -> Observation:
    actor = activity.inside("actor")
    human = actor.text("email_address", "unauthenticated_email_address", "user_id")
    key = actor.text("api_key_id", "admin_api_key_id", "service_key_id")
    who = actor.text("user_id") or key or actor.text("service_account_id", "email_address", "directory_id", "type")
    created = activity.text("created_at")
    trace = identify("anthropic_activity", activity.text("organization_id"), who, (created or "")[:10])
    said = {name: raw for name, raw in activity.raw.items() if name not in _ENVELOPE}
    return Observation(
        event_id=identify("anthropic_activity", activity.text("id") or record.sha256, done, created),
        trace_id=trace,
        session_id=trace,
        kind="tool_call",
        operation=actor.text("type") or "activity",
        agent_id=who,
        service="anthropic",
        started_at=nanoseconds(created),
        tool=done,
        arguments=_arguments(said),
        status="error" if done.endswith("_failed") else "ok",
        principal=actor.text("email_address", "user_id", "service_account_id") or key,
        credential_id=key,
        on_behalf_of=human,
        source_host=actor.text("ip_address"),
        target=activity.text(*_TARGETS) or activity.text("organization_id"),
        approval="cannot_record",
        source=record.source,
        source_sha256=record.sha256,
        witness="log",
    )


def _arguments(said: dict[str, msgspec.Raw]) -> str | None:
    fields = Fields(said)
    written = [f'"{name}":{fields.payload(name)}' for name in said if name.isidentifier() and fields.first(name)]
    return "{" + ",".join(written) + "}" if written else None
