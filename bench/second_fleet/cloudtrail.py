"""AWS calls as CloudTrail delivers them: `{"Records": [...]}` a day and account, in no promised order."""

from __future__ import annotations

from random import Random
from typing import Any, Final

from bench.second_fleet.ledger import Ledger, moment
from bench.second_fleet.model import Agent, Args, Identity, Session, hexes
from bench.second_fleet.settings import DAY_NS, SECOND_NS

_GLOBAL: Final = ("iam", "sts", "ce")
_DENIED: Final = ("permission denied", "HTTP 403 Forbidden", "not allowed for this scope")
_READ: Final = ("Describe", "Get", "List", "Lookup", "Filter")
Call = tuple[int, str, dict[str, Any]]
"""When, in which account's trail, and the record."""


def calls(session: Session, ledger: Ledger) -> list[Call]:
    """What a session shows in CloudTrail: its calls, or those that its tools made."""
    found: list[Call] = []
    agent = session.agent
    for number, step in enumerate(session.steps):
        if step.sub is not None:
            found += calls(step.sub, ledger)
        if step.approval is not None and not step.approval.is_yes:
            continue
        if ":" not in step.tool and agent.form == "cloudtrail":
            continue
        made: list[tuple[str, Args, Any]] = list(step.mirror)
        if agent.form == "cloudtrail" and not session.aws_only:
            made = [(step.tool, step.args, step.result)]
        elif step.error and step.error not in _DENIED:
            continue
        for place, (action, args, answer) in enumerate(made):
            at_ns = step.at_ns + place * SECOND_NS
            identity = step.identity or agent.identity(at_ns)
            rng = Random(f"cloudtrail/{session.id}/{session.start_ns}/{number}/{place}")
            record = _record(action, args, answer, step.error, identity, at_ns, agent, rng)
            record["sourceIPAddress"] = step.ip or agent.ip
            record["userAgent"] = step.user_agent or agent.user_agent
            reference = {"source": "cloudtrail", "event_id": record["eventID"]}
            whole_ns = at_ns // SECOND_NS * SECOND_NS
            if step.chain:
                ledger.note(step.chain, session_of(identity, at_ns), identity.arn, whole_ns, reference)
            found.append((whole_ns, identity.account, record))
    return found


def session_of(identity: Identity, at_ns: int) -> str:
    """The session's name after ingest, as the truth's form has it."""
    if identity.session_name:
        return f"{identity.arn}/{identity.session_name}/{identity.access_key}"
    return f"{identity.arn}/{identity.access_key}/{at_ns // DAY_NS}"


def _record(
    action: str, args: Args, answer: Any, error: str, identity: Identity, at_ns: int, agent: Agent, rng: Random
) -> dict[str, Any]:  # fmt: skip
    service, name = action.split(":", 1)
    region = "us-east-1" if service in _GLOBAL else ("eu-central-1", "us-east-2", "eu-west-1")[agent.number % 3]
    drawn = hexes(f"{rng.random()}", 32)
    is_read = name.startswith(_READ)
    record: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": _identity(identity),
        "eventTime": moment(at_ns)[:19] + "Z",
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": region,
        "requestParameters": args or None,
        "responseElements": answer if isinstance(answer, dict) and not is_read and not error else None,
        "requestID": hexes(drawn, 26).upper(),
        "eventID": f"{drawn[:8]}-{drawn[8:12]}-4{drawn[13:16]}-b{drawn[17:20]}-{drawn[20:]}",
        "readOnly": is_read,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": identity.account,
        "eventCategory": "Management",
    }
    if error:
        is_denied = error in _DENIED or error.startswith("AccessDenied")
        record["errorCode"] = "AccessDenied" if is_denied else "ThrottlingException"
        record["errorMessage"] = (
            f"User: {_arn(identity)} is not authorized to perform: {action}" if is_denied else error
        )
    return record


def _arn(identity: Identity) -> str:
    if not identity.session_name:
        return identity.arn
    role = identity.arn.rsplit("/", 1)[-1]
    return f"arn:aws:sts::{identity.account}:assumed-role/{role}/{identity.session_name}"


def _identity(identity: Identity) -> dict[str, Any]:
    if not identity.session_name:
        return {
            "type": "IAMUser",
            "principalId": identity.principal_id,
            "arn": identity.arn,
            "accountId": identity.account,
            "accessKeyId": identity.access_key,
            "userName": identity.arn.rsplit("/", 1)[-1],
        }
    return {
        "type": "AssumedRole",
        "principalId": f"{identity.principal_id}:{identity.session_name}",
        "arn": _arn(identity),
        "accountId": identity.account,
        "accessKeyId": identity.access_key,
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": identity.principal_id,
                "arn": identity.arn,
                "accountId": identity.account,
                "userName": identity.arn.rsplit("/", 1)[-1],
            },
            "attributes": {"creationDate": moment(max(identity.born_ns, 0))[:19] + "Z", "mfaAuthenticated": "false"},
        },
    }
