"""CloudTrail records: the AWS call behind a step, signed with the run's own key.

For agents that log themselves too, the record is the second witness of a call: it has the access key and the
request id that the span below the tool call has.
"""

from __future__ import annotations

from random import Random
from typing import Any

from bench.fleet.clock import uuid, whole_second
from bench.fleet.steps import Call, Identity

DAY_NS = 86_400_000_000_000
_READS = ("Get", "List", "Describe", "Filter", "Lookup", "Head")


def record(call: Call, at_ns: int, rng: Random, request_id: str, name: str | None = None) -> dict[str, Any]:
    """The record of a call; its eventTime has whole seconds."""
    assert call.api is not None and call.identity is not None
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
        "userAgent": "Boto3/1.40.11 md/Botocore#1.40.11 lang/python#3.12.4",
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
    return {
        "type": "AssumedRole", "principalId": f"{role}:{who.session}", "arn": who.arn, "accountId": who.account,
        "accessKeyId": who.key,
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role", "principalId": role, "arn": who.issuer, "accountId": who.account, "userName": who.name,
            },
            "attributes": {"creationDate": whole_second(at_ns - at_ns % 900_000_000_000), "mfaAuthenticated": "false"},
        },
    }  # fmt: skip


def _hashed(name: str) -> str:
    return "".join(Random(name).choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=17))


def _address(host: str) -> str:
    rng = Random(host)
    if "." in host and host.replace(".", "").isdigit():
        return host
    return f"10.{rng.randrange(4, 60)}.{rng.randrange(256)}.{rng.randrange(1, 255)}"
