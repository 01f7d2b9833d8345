"""OpenAI organisation audit logs: who changed what in the organisation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from ingest.event import Observation, Rejected, identify
from ingest.readers import reader
from ingest.readers._export_fields import REMEDY, Fields, fields_in, opened
from ingest.records import Record

_HELD = ("data", "log")


def _claims(first: object) -> bool:
    if isinstance(first, list):
        return bool(first) and all(_claims(part) for part in first)
    if not isinstance(first, dict):
        return False
    if first.get("object") == "organization.audit_log" or _looks_like_one(first):
        return True
    inside = first.get("data") if isinstance(first.get("data"), list) else first.get("log")
    return isinstance(inside, list | dict) and "type" not in first and _claims(inside)


def _looks_like_one(first: dict[object, object]) -> bool:
    actor = first.get("actor")
    return (
        "effective_at" in first
        and isinstance(first.get("type"), str)
        and isinstance(actor, dict)
        and actor.get("type") in ("session", "api_key")
    )


@reader(claims=_claims, by_line=True)
def openai_audit(records: Iterable[Record]) -> Iterator[Observation | Rejected]:
    """OpenAI organisation audit logs, as the audit-logs API lists them.

    The event's type is the tool. The actor is a person's session, or an API key of a person or of a service
    account. Times are whole seconds.
    """
    for found in opened(records, *_HELD, own="effective_at"):
        if isinstance(found, Rejected):
            yield found
            continue
        part, event = found
        if (done := event.text("type")) is None or event.first("actor") is None:
            yield Rejected(part.line, f"an audit event without a type or an actor; {REMEDY}")
        else:
            yield _observation(event, done, part)


def _observation(event: Fields, done: str, record: Record) -> Observation:
    actor = event.inside("actor")
    key, session = actor.inside("api_key"), actor.inside("session")
    user, account = (session if key.raw == {} else key).inside("user"), key.inside("service_account")
    who = account.text("id") or user.text("id") or user.text("email") or key.text("id")
    seconds = event.count("effective_at")
    at = seconds * 1_000_000_000 if seconds is not None and seconds < 1 << 33 else None
    details = event.inside(done, done.replace(".", "_"))
    subject = details.text("id") or details.text("resource_id", "principal_id")
    error = details.text("error_message", "error_code")
    day = "" if at is None else datetime.fromtimestamp(at // 1_000_000_000, UTC).date().isoformat()
    trace = identify("openai_audit", who, day)
    project = event.inside("project").text("id")
    return Observation(
        event_id=identify("openai_audit", event.text("id") or record.sha256, done, seconds),
        trace_id=trace,
        session_id=trace,
        kind="tool_call",
        operation="organization.audit_log",
        agent_id=who,
        service="openai",
        started_at=at,
        tool=done,
        arguments=event.payload(done, done.replace(".", "_")),
        status="error" if error or done.endswith(".failed") else "ok",
        error=error,
        principal=account.text("id") or user.text("email", "id"),
        credential_id=key.text("id"),
        on_behalf_of=user.text("email", "id"),
        source_host=session.text("ip_address"),
        target=subject or _first_listed(details) or project,
        approval="cannot_record",
        source=record.source,
        source_sha256=record.sha256,
        witness="log",
    )


def _first_listed(details: Fields) -> str | None:
    """Some events name what they touch in a list: `configs`, `certificates`."""
    for name in ("configs", "certificates"):
        for raw in details.list_of(name):
            if found := fields_in(raw).text("id", "name"):
                return found
    return None
