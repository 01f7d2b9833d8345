"""What a CloudTrail event says about who acted, on what, and how it ended."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from ingest.arguments import named_in, scalars_in
from ingest.event import Status
from ingest.payloads import T, read, value_of
from ingest.readers._aws_envelope import role_of
from ingest.readers._cloudtrail_shape import Event, Identity, Resource, payload

_DENIED: Final = re.compile(
    r"access_?denied|unauthori[sz]ed|not_?authori[sz]ed|forbidden|authfailure|authorizationerror|explicitdeny"
    r"|invalidclienttokenid|unrecognizedclient|expiredtoken|signaturedoesnotmatch|invalidaccesskeyid|mfarequired",
    re.IGNORECASE,
)
_MCP_DENIED: Final = (401, 403)
_TELLING: Final = (
    "rolearn", "instanceid", "instanceids", "bucketname", "groupid", "secretid", "functionname", "statemachinearn",
    "executionarn", "modelid", "gatewayid", "agentruntimearn", "keyid", "documentname", "dbinstanceidentifier",
    "snapshotid", "volumeid", "vpcid", "subnetid", "networkinterfaceid", "tablename", "queueurl", "topicarn",
    "clustername", "repositoryname", "stackname", "detectorid", "trailname", "loggroupname", "rolename",
    "username", "groupname",
    "policyarn", "accesskeyid", "resourcearn", "sourcearn", "dbclusteridentifier", "dbsnapshotidentifier", "imageid",
    "allocationid", "routetableid", "networkaclid", "policyname", "certificatearn", "hostedzoneid", "projectname",
    "s3bucketname", "name",
)  # fmt: skip
"""Request parameters (lower case) that name what an AWS call is made on, the most telling first."""


def tool_of(event: Event) -> str | None:
    """`iam:CreateUser`: the service is the first label of the event source."""
    if not event.event_name:
        return None
    source = (event.event_source or "").lower()
    return f"{source.split('.')[0]}:{event.event_name}" if source else event.event_name


def role_session(who: Identity, day: str) -> str | None:
    """The run: a role's session by its name and key; a key that never ends by its day."""
    context = who.session_context
    issuer = context.session_issuer if context else None
    if context is not None and issuer is not None and issuer.arn and who.arn:
        name = who.arn.rsplit("/", 1)[-1]
        born = context.attributes.creation_date if context.attributes else None
        return "/".join((issuer.arn, name, who.access_key_id or born or day))
    if who.arn and who.access_key_id:
        return "/".join((who.arn, who.access_key_id, day))
    return None


def agent_of(who: Identity) -> str | None:
    """The stable identity: the role, not its session; the user; the web identity; the service."""
    issuer = who.session_context.session_issuer if who.session_context else None
    if issuer is not None and issuer.arn:
        return issuer.arn
    if who.type == "WebIdentityUser":
        return who.user_name or who.principal_id
    if who.type == "IdentityCenterUser":
        return (who.on_behalf_of.user_id if who.on_behalf_of else None) or who.user_name or who.principal_id
    if who.arn:
        return role_of(who.arn)
    if who.type == "AWSAccount":
        # The copy in the resource owner's account does not know the caller's role.
        return None
    return who.user_name or who.invoked_by or None


def human_of(who: Identity) -> str | None:
    context = who.session_context
    source = context.source_identity if context else None
    return source or (who.on_behalf_of.user_id if who.on_behalf_of else None) or None


def target_of(event: Event, arguments: str | None) -> str | None:
    """The resource's ARN; else the telling request parameter; else the account called, where it is another one.

    The caller's own account and the service that answers are where every call goes, and no targets.
    """
    for resource in event.resources or ():
        named = (resource.arn or resource.name) if isinstance(resource, Resource) else resource
        if named:
            return named
    found: dict[str, str] = {}
    for key, value in scalars_in(arguments):
        found.setdefault(key, value)
    telling = next((found[key] for key in _TELLING if key in found), None)
    own = event.user_identity.account_id if event.user_identity else None
    called = event.recipient_account_id
    return telling or named_in(arguments).target or (called if called != own else None) or None


def ending(event: Event, result: str | None) -> tuple[Status, str | None]:
    """How the call ended, and the error in words."""
    code, message = event.error_code or None, event.error_message or None
    if code is None and message is None and event.event_name in ("ConsoleLogin", "SwitchRole", "CheckMfa"):
        said = value_of(result)
        if isinstance(said, dict) and "Failure" in said.values():
            return "denied", f"{event.event_name}: Failure"
    if code is None and message is None:
        return "ok", None
    words = ": ".join(part for part in (code, message) if part)
    if _DENIED.search(code or "") or (message or "") == "Failed authentication":
        return "denied", words
    return "error", words


class Body(msgspec.Struct):
    """The MCP message that AgentCore Gateway puts under `body`."""

    body: msgspec.Raw = msgspec.Raw()
    status_code: int | None = msgspec.field(name="statusCode", default=None)


class _Params(msgspec.Struct):
    name: str | None = None
    arguments: msgspec.Raw = msgspec.Raw()


class Message(msgspec.Struct):
    id: msgspec.Raw = msgspec.Raw()
    method: str | None = None
    params: msgspec.Raw = msgspec.Raw()
    result: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()


_BODY: Final = msgspec.json.Decoder(Body)
_MESSAGE: Final = msgspec.json.Decoder(Message)
_PARAMS: Final = msgspec.json.Decoder(_Params)


class Gateway(msgspec.Struct, frozen=True):
    """A call through AgentCore Gateway, as its data event tells it."""

    method: str | None = None
    tool: str | None = None
    arguments: str | None = None
    result: str | None = None
    status: Status = "unknown"
    error: str | None = None
    gap: str | None = None
    caller: str | None = None


def gateway_in(event: Event) -> Gateway | None:
    """The MCP call in an AgentCore Gateway data event; None where it is another event."""
    if event.event_name not in ("InvokeGateway", "InvokeMcp"):
        return None
    request, _ = _message(event.request_parameters)
    answer, code = _message(event.response_elements)
    params = _decoded(_PARAMS, request.params) or _Params()
    arguments, result = payload(params.arguments), payload(answer.result)
    error = payload(answer.error)
    hidden = [
        word for word, text in (("arguments", arguments or payload(request.params)), ("result", result))
        if text is not None and "REDACTED" in text
    ]  # fmt: skip
    status: Status = "unknown"
    if error is not None or (code or 0) >= 400:
        status = "denied" if code in _MCP_DENIED else "error"
    elif result is not None:
        failed = value_of(result)
        status = "error" if isinstance(failed, dict) and failed.get("isError") is True else "ok"
    return Gateway(
        method=request.method,
        tool=params.name if params.name != "REDACTED" else None,
        arguments=None if arguments == '"REDACTED"' else arguments,
        result=None if result == '"REDACTED"' else result,
        status=status,
        error=error,
        gap=f"{' and '.join(hidden)} redacted" if hidden else None,
        caller=_caller(event),
    )


def _message(raw: msgspec.Raw) -> tuple[Message, int | None]:
    held = _decoded(_BODY, raw)
    if held is None:
        return Message(), None
    return _decoded(_MESSAGE, held.body) or Message(), held.status_code


def _decoded(decoder: msgspec.json.Decoder[T], raw: msgspec.Raw) -> T | None:
    return read(decoder, payload(raw))


def _caller(event: Event) -> str | None:
    """The token's subject: behind a gateway the AWS identity is anonymous."""
    extra = value_of(payload(event.additional_event_data))
    jwt = extra.get("jwt") if isinstance(extra, dict) else None
    claims = jwt.get("claims") if isinstance(jwt, dict) else None
    if not isinstance(claims, dict):
        return None
    found = (claims.get(key) for key in ("sub", "client_id", "username"))
    return next((text for text in found if isinstance(text, str) and text), None)
