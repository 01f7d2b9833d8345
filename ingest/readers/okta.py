"""Okta System Log: the API's list, one event a line, EventBridge's wrapper, or Panther's copy of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from ingest.event import Approval, Observation, Rejected, Status, identify
from ingest.payloads import as_text, text
from ingest.readers import reader
from ingest.readers._members import Members, elements_of, fingerprint, members_of, objects, part
from ingest.records import Record
from ingest.times import moment

_STATUSES: Final[dict[object, Status]] = {
    "SUCCESS": "ok", "ALLOW": "ok", "FAILURE": "error", "DENY": "denied", "CHALLENGE": "pending",
    "UNANSWERED": "pending", "SKIPPED": "unknown", "UNKNOWN": "unknown", "NOT_SPECIFIED": "unknown",
}  # fmt: skip
_WRAPPERS: Final = ("log", "detail", "event")
_CREDENTIALS: Final = {"Token", "access_token", "id_token", "refresh_token", "API Token", "ApiToken", "code"}
_APPROVALS: Final[dict[str, Approval]] = {
    "access.request.create": "pending",
    "access.request.resolve": "approved",
    "workflows.user.approval.grant": "approved",
}


def _event(first: object) -> Members:
    """The event itself, taken out of what it was sent or kept in; some pipelines write its keys in lower case."""
    for key in _WRAPPERS:
        inside = _lower(part(first, key))
        if "eventtype" in inside:
            return inside
    return _lower(part({"": first}, ""))


def _lower(members: Members) -> Members:
    return {str(key).lower(): value for key, value in members.items()}


def _claims(first: object) -> bool:
    if isinstance(first, list):
        return bool(first) and _claims(first[0])
    event = _event(first)
    if "eventtype" not in event:
        return False
    if str(event.get("p_log_type")).startswith("Okta.") or "legacyeventtype" in event:
        return True
    return "published" in event and bool({"actor", "client", "outcome"} & event.keys())


@reader(claims=_claims, by_line=True)
def okta(records: Iterable[Record]) -> Iterator[Observation | Rejected]:
    """Okta System Log events.

    The actor is the principal, the first target what was touched, the event type the tool. Okta decides by
    policy and keeps no approvals, but for its access requests.
    """
    for record in records:
        for element in elements_of(record):
            members = members_of(element)
            if isinstance(members, Rejected):
                yield members
                continue
            event = _event(members)
            if text(event.get("eventtype")) is None:
                yield Rejected(element.line, "no eventType: not a System Log event; remove it and ingest again")
                continue
            yield _observe(element, event)


def _observe(record: Record, event: Members) -> Observation:
    kind = str(event["eventtype"])
    actor, client, outcome = part(event, "actor"), part(event, "client"), part(event, "outcome")
    context, about = part(event, "authenticationcontext"), _lower(part(event, "debugcontext"))
    debug = part(about, "debugdata") or about
    uuid = text(event.get("uuid"))
    own = identify("okta", uuid, kind) if uuid else identify("okta", fingerprint(event))
    session = text(context.get("externalSessionId"))
    session = None if session in ("unknown", "null") else session
    targets = objects(event.get("target"))
    touched = next((t for t in targets if text(t.get("type")) not in _CREDENTIALS), {})
    stated = text(outcome.get("result"))
    step = Observation(
        event_id=own,
        # Only a session or a transaction groups events; one without either stands alone.
        trace_id=session or text(part(event, "transaction").get("id")) or own,
        session_id=session,
        kind="tool_call",
        operation=kind,
        agent_id=_name(actor) if actor.get("type") not in (None, "User") else None,
        service="okta",
        started_at=moment(event.get("published")),
        tool=kind,
        arguments=as_text({"target": targets, "debugData": debug}) if targets or debug else None,
        status=_STATUSES.get(stated, "unknown"),
        error=text(outcome.get("reason")) if stated in ("FAILURE", "DENY") else None,
        principal=_name(actor),
        credential_id=_credential(debug, targets, actor),
        on_behalf_of=_name(actor) if actor.get("type") == "User" else None,
        source_host=text(client.get("ipAddress")) or text(debug.get("ipAddress")),
        target=_name(touched),
        approval="cannot_record",
        source=record.source,
        source_sha256=record.sha256,
        witness="log",
    )
    if kind in _APPROVALS:
        step.kind, step.approval = "approval", _APPROVALS[kind]
        if stated in ("DENY", "FAILURE"):
            step.approval = "denied"
        step.approver = step.principal if step.approval != "pending" else None
    elif kind == "user.session.start" or kind == "user.session.end":
        step.kind, step.approval = "lifecycle", None
    return step


def _name(who: Members) -> str | None:
    """The login or address of a user, the name of what has none."""
    alternate = text(who.get("alternateId"))
    return alternate if alternate not in (None, "unknown") else text(who.get("displayName")) or text(who.get("id"))


def _credential(debug: Members, targets: list[Members], actor: Members) -> str | None:
    """The id of the token or key that was used or dealt with; never its value."""
    for key in ("tokenId", "transactionalTokenId", "apiTokenId", "clientSecretId", "keyId", "kid"):
        if (found := text(debug.get(key))) is not None:
            return found
    named = next((t for t in targets if text(t.get("type")) in _CREDENTIALS), {})
    used = text(named.get("id"))
    if used is None and actor.get("type") in ("PublicClientApp", "ServiceClient"):
        used = text(actor.get("id"))
    return used
