"""One OCSF event -> an observation."""

from __future__ import annotations

from typing import Final

from ingest.arguments import named_in
from ingest.event import Approval, Kind, Observation, Status, identify
from ingest.payloads import as_text, count, payload, text
from ingest.readers._chat_values import content_of
from ingest.readers._members import Members, at_path, fingerprint, objects, part, plain_name
from ingest.records import Record
from ingest.times import moment

_STATUSES: Final[dict[object, Status]] = {1: "ok", 2: "error"}
_STATUS_WORDS: Final[dict[str, Status]] = {"success": "ok", "failure": "error"}
_STOPPED: Final = {"denied", "blocked", "quarantined", "isolated", "dropped", "rejected", "unauthorized"}
_STOPPED_ACTION: Final = 2
_ALLOWED_ACTION: Final = 1
_STOPPED_DISPOSITIONS: Final = {2, 3, 4, 6, 18, 25}
"""Blocked, quarantined, isolated, dropped, unauthorized, rejected."""

_FINDINGS: Final = 2
_PROCESS, _AUTHENTICATION = 1007, 3002
_ACCOUNT_CLASSES: Final = {3001, 3004, 3005, 3006}
_MODEL_ROLES: Final = {2, 4}
_TOOL_ROLES: Final = {3, 6}
_HUMAN_TYPES: Final = {1, 2}
"""User types User and Admin; System, Service and the rest are no people."""


def observe(record: Record, event: Members) -> Observation:
    """What the event says."""
    uid = plain_name(at_path(event, "metadata", "uid")) or plain_name(at_path(event, "metadata", "original_event_uid"))
    uid = uid or plain_name(at_path(event, "finding_info", "uid"))
    own = identify("ocsf", uid, *_state(event)) if uid else identify("ocsf", fingerprint(event))
    actor, context = part(event, "actor"), part(event, "message_context")
    agent = part(event, "ai_agent") or part(actor, "ai_agent")
    session = _session(event, context, agent)
    model = part(event, "ai_model") or part(agent, "ai_model")
    kind = _kind(event, model, context)
    trace = plain_name(at_path(event, "trace", "uid")) or plain_name(at_path(event, "metadata", "trace_uid"))
    above = plain_name(at_path(event, "trace", "span", "parent_uid")) or plain_name(
        at_path(event, "span", "parent_uid")
    )
    user = part(actor, "user") or part(event, "user")
    started = moment(event.get("start_time")) or moment(event.get("time")) or moment(event.get("time_dt"))
    status, approval = _outcome(event)
    asked, answered = _payloads(event, context)
    named = named_in(asked)
    step = Observation(
        event_id=own,
        trace_id=trace or plain_name(at_path(event, "metadata", "correlation_uid")) or session or own,
        session_id=session,
        kind=kind,
        operation=_type_name(event),
        agent_id=text(agent.get("name")) or plain_name(agent.get("uid")) or text(actor.get("app_name")),
        agent_version=plain_name(agent.get("version")),
        service=text(at_path(event, "metadata", "product", "name")),
        parent_event_id=identify("ocsf", above) if above and trace else None,
        started_at=started,
        ended_at=moment(event.get("end_time")),
        tool=_tool(event) if kind == "tool_call" else None,
        arguments=asked,
        result=answered,
        status=status,
        error=(text(event.get("status_detail")) or plain_name(event.get("status_code")))
        if status in ("error", "denied")
        else None,
        model=text(model.get("name")),
        principal=_who(user) or named.principal,
        credential_id=_credential(user, actor, event) or named.credential_id,
        on_behalf_of=_behalf(event, user, agent),
        source_host=_host(part(event, "src_endpoint")) or _host(part(event, "device")),
        target=_target(event) or named.target,
        approval=approval if kind == "tool_call" else None,
        source=record.source,
        source_sha256=record.sha256,
        witness="log",
    )
    if kind == "model_call":
        step.input_tokens, step.output_tokens = (
            count(context.get("prompt_tokens")),
            count(context.get("completion_tokens")),
        )
    if event.get("raw_data_size") is not None and event.get("is_truncated") is True:
        step.gap = "raw data truncated"
    return step


def _state(event: Members) -> list[str]:
    """A finding is told of again with the same id when it changes; each telling is an event."""
    return [fingerprint(event)] if _category(event) == _FINDINGS else []


def _class(event: Members) -> int:
    return count(event.get("class_uid")) or 0


def _category(event: Members) -> int:
    return count(event.get("category_uid")) or _class(event) // 1000


def _kind(event: Members, model: Members, context: Members) -> Kind:
    if _category(event) == _FINDINGS or _class(event) == 0:
        return "lifecycle"
    role = count(context.get("ai_role_id"))
    if model and role not in _TOOL_ROLES and not _runs_tool(event):
        calls_model = _class(event) in (6003, 6005) or role in _MODEL_ROLES
        return "model_call" if calls_model else "tool_call"
    return "tool_call"


def _runs_tool(event: Members) -> bool:
    operation = str(at_path(event, "api", "operation")).lower()
    return operation.startswith(("tools/", "tool", "execute_tool"))


def _type_name(event: Members) -> str:
    stated = text(event.get("type_name"))
    named = [text(event.get("class_name")), text(event.get("activity_name"))]
    return stated or ": ".join(n for n in named if n) or f"class {_class(event)}"


def _tool(event: Members) -> str | None:
    return text(at_path(event, "api", "operation")) or _type_name(event)


def _session(event: Members, context: Members, agent: Members) -> str | None:
    # A message context is one conversation; a user's sign-in session may hold many.
    stated = (
        context.get("uid"), at_path(event, "actor", "session", "uid"), at_path(event, "session", "uid"),
        agent.get("instance_uid"),
    )  # fmt: skip
    return next((found for value in stated if (found := plain_name(value)) is not None), None)


def _outcome(event: Members) -> tuple[Status, Approval]:
    """(status, whether a policy decided)."""
    words = {str(event.get(key)).lower() for key in ("action", "disposition")}
    stopped = words & _STOPPED or event.get("action_id") == _STOPPED_ACTION
    if stopped or count(event.get("disposition_id")) in _STOPPED_DISPOSITIONS:
        return "denied", "denied"
    stated = event.get("status_id")
    status = _STATUSES.get(stated) if isinstance(stated, int) else None
    status = status or _STATUS_WORDS.get(str(event.get("status")).lower(), "unknown")
    by_policy = event.get("policy") or event.get("firewall_rule") or objects(event.get("authorizations"))
    if by_policy and (event.get("action_id") == _ALLOWED_ACTION or "allowed" in words):
        return status, "automatic"
    return status, "cannot_record"


def _payloads(event: Members, context: Members) -> tuple[str | None, str | None]:
    prompt, response = context.get("prompt_text"), context.get("response_text")
    if prompt or response:
        return content_of(prompt), content_of(response)
    request, response = at_path(event, "api", "request", "data"), at_path(event, "api", "response", "data")
    if request is not None or response is not None:
        return payload(request), payload(response)
    said: Members = {}
    for key in ("http_request", "process", "query", "file", "databucket", "connection_info"):
        if isinstance(event.get(key), dict):
            said[key] = event[key]
    if isinstance(event.get("unmapped"), dict) and not said:
        said["unmapped"] = event["unmapped"]
    return (as_text(said) if said else None), None


def _who(user: Members) -> str | None:
    stated = (user.get("uid_alt"), user.get("email_addr"), user.get("name"), user.get("full_name"), user.get("uid"))
    return next((found for value in stated if (found := plain_name(value)) is not None), None)


def _behalf(event: Members, user: Members, agent: Members) -> str | None:
    """The human, where the actor is one."""
    delegated = _who(part(event, "actor", "delegated_user")) or _who(part(agent, "delegated_user"))
    is_human = count(user.get("type_id")) in _HUMAN_TYPES or str(user.get("type")).lower() in ("user", "admin")
    return delegated or (_who(user) if is_human else None)


def _credential(user: Members, actor: Members, event: Members) -> str | None:
    stated = (
        user.get("credential_uid"), at_path(actor, "session", "credential_uid"),
        at_path(event, "session", "credential_uid"),
        at_path(event, "authentication_token", "uid"),
    )  # fmt: skip
    return next((found for value in stated if (found := plain_name(value)) is not None), None)


def _host(endpoint: Members) -> str | None:
    stated = (
        endpoint.get("hostname"),
        endpoint.get("domain"),
        endpoint.get("name"),
        endpoint.get("ip"),
        endpoint.get("uid"),
    )
    return next((found for value in stated if (found := text(value)) is not None), None)


def _target(event: Members) -> str | None:
    """The resource, the other endpoint, or the account that was changed."""
    resource = next(iter(objects(event.get("resources"))), {}) or part(event, "resource")
    stated = plain_name(resource.get("uid")) or text(resource.get("name"))
    if stated is None and _class(event) in _ACCOUNT_CLASSES:
        account = part(event, "user") or part(event, "group") or part(event, "entity")
        stated = _who(account)
    where = part(event, "dst_endpoint")
    stated = stated or _host(where)
    if stated is None and _class(event) == _AUTHENTICATION:
        stated = text(at_path(event, "service", "name"))
    if stated is None and _class(event) == _PROCESS:
        stated = _host(part(event, "device"))
    url = part(event, "http_request", "url") or part(event, "url")
    return stated or text(url.get("url_string")) or text(url.get("hostname")) or text(at_path(event, "file", "path"))
