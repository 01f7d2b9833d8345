"""What an audit log's entry says: who acted for whom, with which key, on what, and how it went."""

from __future__ import annotations

import re
from typing import Final

from ingest.event import Status
from ingest.payloads import as_text, text, value_of
from ingest.readers._chat_values import Members

_DENIED: Final = {7, 16}
"""google.rpc.Code: PERMISSION_DENIED and UNAUTHENTICATED."""
_HIDDEN_HOSTS: Final = {"private", "gce-internal-ip"}
_MACHINE: Final = re.compile(
    r"gserviceaccount\.com$|^system[@:]|/workloadIdentityPools/|\.svc\.id\.goog|//agents\.|reasoningEngines"
)
_SUBJECT: Final = re.compile(r"(?:user|serviceAccount|group|domain):(.+)")
_MODEL_METHOD: Final = re.compile(
    r".*(?:Predict|GenerateContent|QueryReasoningEngine|ChatCompletions|PredictLongRunning|EmbedContent)$"
)
_MODEL_SERVICES: Final = ("aiplatform.googleapis.com", "generativelanguage.googleapis.com")


def inside(members: Members, name: str) -> Members:
    """A member that is an object; BigQuery holds some as JSON text under `...Json`."""
    value = members.get(name)
    if value is None:
        value = value_of(text(members.get(f"{name}Json")))
    return value if isinstance(value, dict) else {}


def objects(value: object) -> list[Members]:
    """A list's members that are objects."""
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def principal_of(payload: Members) -> str | None:
    """The identity that acted: its email, else its subject (workforce, workload and agent identities)."""
    who = inside(payload, "authenticationInfo")
    return text(who.get("principalEmail")) or plain(text(who.get("principalSubject")))


def plain(subject: str | None) -> str | None:
    """`user:dana@example.test` -> `dana@example.test`."""
    found = _SUBJECT.fullmatch(subject) if subject else None
    return found[1] if found else subject


def is_human(principal: str | None) -> bool:
    """A user's address or a workforce subject; service accounts, agents and Google's own system are not."""
    if principal is None or _MACHINE.search(principal):
        return False
    return "@" in principal or "/workforcePools/" in principal


def human_behind(payload: Members) -> str | None:
    """The first human of the delegation chain, else the principal where it is one."""
    who = inside(payload, "authenticationInfo")
    chain: list[str | None] = []
    for link in objects(who.get("serviceAccountDelegationInfo")):
        first = inside(link, "firstPartyPrincipal")
        claims = inside(inside(link, "thirdPartyPrincipal"), "thirdPartyClaims")
        chain += [
            text(first.get("principalEmail")), plain(text(link.get("principalSubject"))),
            text(claims.get("email")), text(claims.get("sub")),
        ]  # fmt: skip
    links = inside(payload, "metadata").get("identityDelegationChain")
    chain += [link.rpartition("/")[2] for link in links if isinstance(link, str)] if isinstance(links, list) else []
    chain.append(principal_of(payload))
    return next((name for name in chain if is_human(name)), None)


def key_of(payload: Members) -> str | None:
    """The id of the service account's key that signed, without the path to it."""
    name = text(inside(payload, "authenticationInfo").get("serviceAccountKeyName"))
    return name.rpartition("/")[2] or None if name else None


def host_of(payload: Members) -> tuple[str | None, str | None]:
    """The caller's address, or why there is none."""
    about = inside(payload, "requestMetadata")
    host = text(about.get("callerIp")) or text(about.get("callerIP"))
    return (None, f"the caller's address is withheld ({host})") if host in _HIDDEN_HOSTS else (host, None)


def target_of(payload: Members) -> str | None:
    """The resource that was touched."""
    named = [text(payload.get("resourceName"))]
    named += [text(check.get("resource")) for check in objects(payload.get("authorizationInfo"))]
    request = inside(payload, "request")
    named += [text(request.get("resource")), text(request.get("name")), text(request.get("parent"))]
    return next((name for name in named if name), None)


def tool_of(payload: Members) -> str | None:
    """The method; a bare one (`SetIamPolicy`) with its service, as many services have one of that name."""
    method, service = text(payload.get("methodName")), text(payload.get("serviceName"))
    if method is None or "." in method or service is None:
        return method
    return f"{service.removesuffix('.googleapis.com')}.{method}"


def is_model_call(payload: Members) -> bool:
    """Whether the call asked a model or a deployed agent for an answer."""
    method, service = text(payload.get("methodName")) or "", text(payload.get("serviceName")) or ""
    return service.endswith(_MODEL_SERVICES) and _MODEL_METHOD.fullmatch(method) is not None


def outcome(payload: Members, log: str) -> tuple[Status, str | None]:
    """How it went, and the error."""
    status = inside(payload, "status")
    code = status.get("code")
    said = text(status.get("message"))
    if isinstance(code, int) and not isinstance(code, bool) and code != 0:
        return ("denied" if code in _DENIED else "error"), said or f"code {code}"
    refused = [c for c in objects(payload.get("authorizationInfo")) if c.get("granted") is False]
    if refused:
        permission = text(refused[0].get("permission"))
        return "denied", f"{permission} not granted" if permission else "not granted"
    if log.endswith(("cloudaudit.googleapis.com/policy", "cloudaudit.googleapis.com/policy_denied")):
        return "denied", said
    return "ok", None


def asked(payload: Members) -> str | None:
    """The request as JSON text; where it is not logged, what the service tells of it."""
    for name in ("request", "metadata", "serviceData"):
        members = {k: v for k, v in inside(payload, name).items() if k not in ("@type", "at_sign_type")}
        if members:
            return as_text(members)
    return None


def answered(payload: Members) -> str | None:
    """The response as JSON text."""
    members = inside(payload, "response")
    return as_text({k: v for k, v in members.items() if k not in ("@type", "at_sign_type")}) if members else None
