"""CloudTrail records: the AWS call behind a step, signed with the run's own key.

For agents that log themselves too, the record is the second witness of a call: it has the access key and the
request id that the span below the tool call has.
"""

from __future__ import annotations

from random import Random
from typing import Any

from bench.fleet.clock import encode, uuid, whole_second
from bench.fleet.settings import DAY_NS
from bench.fleet.shelf import Shelf
from bench.fleet.steps import Call, Identity, Note, Session

_PLATFORMS = ("bedrock-agentcore.amazonaws.com", "ecs-tasks.amazonaws.com", "lambda.amazonaws.com")
_CLIENTS = (
    "Boto3/1.40.11 md/Botocore#1.40.11 lang/python#3.12.4",
    "aws-cli/2.30.2 md/awscrt#0.27.6 ua/2.1 os/linux",
    "APN/1.0 HashiCorp/1.0 Terraform/1.13.1",
    "aws-sdk-go-v2/1.38.0 os/linux lang/go#1.24.6",
    "Boto3/1.38.20 md/Botocore#1.38.20 lang/python#3.11.9",
)
_READS = ("Get", "List", "Describe", "Filter", "Lookup", "Head")


def witness(session: Session, call: Call, at_ns: int, rng: Random, request_id: str, shelf: Shelf) -> None:
    """CloudTrail's own record of a call, where the agent's accounts are delivered; told if the call is."""
    agent, who = session.agent, call.identity
    if who is None or not (agent.is_witnessed or agent.medium == "cloudtrail"):
        return
    if who is session.identity and who.session is not None and not session.is_born:
        session.is_born = True
        before_ns = session.at_ns - 2_000_000_000
        shelf.trail(who.account, before_ns, encode(_assumed_by_platform(who, before_ns, rng)))
    made = record(call, at_ns, rng, request_id)
    shelf.trail(made["recipientAccountId"], at_ns, encode(made))
    if call.told and session.chain is not None:
        at_second = at_ns // 1_000_000_000 * 1_000_000_000
        event = {"source": "cloudtrail", "event_id": made["eventID"]}
        session.chain.notes.append(Note(session_of(who, at_ns), who.issuer, at_second, event))


def record(call: Call, at_ns: int, rng: Random, request_id: str) -> dict[str, Any]:
    """The record of a call; its eventTime has whole seconds."""
    assert call.api is not None
    assert call.identity is not None
    who, (service, event) = call.identity, call.api.split(":")
    account = call.account or who.account
    made: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": _identity(who, at_ns),
        "eventTime": whole_second(at_ns),
        "eventSource": f"{service}.amazonaws.com",
        "eventName": event,
        "awsRegion": "eu-west-1",
        "sourceIPAddress": _address(who.host),
        "userAgent": _CLIENTS[len(who.name + who.host) % len(_CLIENTS)],
        "requestParameters": call.params,
        "responseElements": call.answer,
        "requestID": request_id,
        "eventID": uuid(rng),
        "readOnly": event.startswith(_READS),
        "eventType": "AwsApiCall",
        "managementEvent": service != "s3" or "Object" not in event,
        "recipientAccountId": account,
        "eventCategory": "Management",
        "tlsDetails": {"tlsVersion": "TLSv1.3", "clientProvidedHostHeader": f"{service}.eu-west-1.amazonaws.com"},
    }
    if call.error:
        made["errorCode"] = "AccessDenied" if call.denied else "ThrottlingException"
        made["errorMessage"] = call.error
        made["responseElements"] = None
    return made


def _assumed_by_platform(who: Identity, at_ns: int, rng: Random) -> dict[str, Any]:
    """The record of how a run came by its role: the platform that runs the agent assumed it."""
    platform = _PLATFORMS[len(who.name) % len(_PLATFORMS)]
    params = {"roleArn": who.issuer, "roleSessionName": who.session}
    if who.human is not None:
        params["sourceIdentity"] = who.human
    return {
        "eventVersion": "1.11",
        "userIdentity": {"type": "AWSService", "invokedBy": platform},
        "eventTime": whole_second(at_ns),
        "eventSource": "sts.amazonaws.com",
        "eventName": "AssumeRole",
        "awsRegion": "eu-west-1",
        "sourceIPAddress": platform,
        "userAgent": platform,
        "requestParameters": params,
        "responseElements": {
            "credentials": {"accessKeyId": who.key, "expiration": whole_second(at_ns + 3_600_000_000_000)},
            "assumedRoleUser": {"arn": who.arn},
        },
        "requestID": uuid(rng),
        "eventID": uuid(rng),
        "readOnly": True,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": who.account,
        "eventCategory": "Management",
    }


def session_of(who: Identity, at_ns: int) -> str:
    """The session as ingest tells CloudTrail's apart: a role's by issuer, name and key; a user's key by day."""
    if who.session is None:
        return f"{who.issuer}/{who.key}/{at_ns // 1_000_000_000 * 1_000_000_000 // DAY_NS}"
    return f"{who.issuer}/{who.session}/{who.key}"


def _identity(who: Identity, at_ns: int) -> dict[str, Any]:
    if who.session is None:
        return {
            "type": "IAMUser", "principalId": f"AIDA{_hashed(who.name)}", "arn": who.arn, "accountId": who.account,
            "accessKeyId": who.key, "userName": who.name,
        }  # fmt: skip
    role = f"AROA{_hashed(who.name)}"
    context: dict[str, Any] = {
        "sessionIssuer": {
            "type": "Role", "principalId": role, "arn": who.issuer, "accountId": who.account, "userName": who.name,
        },
        "attributes": {"creationDate": whole_second(at_ns - at_ns % 900_000_000_000), "mfaAuthenticated": "false"},
    }  # fmt: skip
    if who.human is not None:
        context["sourceIdentity"] = who.human
    return {
        "type": "AssumedRole", "principalId": f"{role}:{who.session}", "arn": who.arn, "accountId": who.account,
        "accessKeyId": who.key,
        "sessionContext": context,
    }  # fmt: skip


def _hashed(name: str) -> str:
    return "".join(Random(name).choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=17))


def _address(host: str) -> str:
    rng = Random(host)
    if "." in host and host.replace(".", "").isdigit():
        return host
    return f"10.{rng.randrange(4, 60)}.{rng.randrange(256)}.{rng.randrange(1, 255)}"
