"""One record of Microsoft 365's unified audit log, whatever workload wrote it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ingest.event import Observation, Status, identify
from ingest.payloads import value_of
from ingest.readers._agent365_event import ACTIONS, observe_action
from ingest.readers._m365_copilot import is_interaction, observe_interaction
from ingest.readers._microsoft_values import Members, address, first_text, items, only, text, unified
from ingest.records import Record
from ingest.times import nanoseconds

DIRECTORY_TYPES: Final = {"8", "9", "15", "AzureActiveDirectory", "AzureActiveDirectoryStsLogon"}
"""RecordTypes of the directory: its changes, account sign-ins, sign-ins at its token service."""
_SIGN_INS: Final = {"UserLoggedIn", "UserLoginFailed", "UserStrongAuthClientAuthNRequired"}
_DONE: Final = {"success", "succeeded", "true", "partiallysucceeded"}
_FAILED: Final = {"failed", "failure", "false"}


def audit_record(members: Members) -> Members | None:
    """The audit record in a row, with unified keys: the row itself, or JSON text in its `AuditData` column."""
    said = unified(members)
    inner = said.get("auditdata")
    if isinstance(inner, str | dict):
        found = unified(inner)
        return found if "operation" in found else None
    return said if "operation" in said and "creationtime" in said else None


def is_directory(said: Members) -> bool:
    """Whether Entra ID wrote the record."""
    return (
        said.get("workload") == "AzureActiveDirectory"
        or "azureactivedirectoryeventtype" in said
        or text(said.get("recordtype")) in DIRECTORY_TYPES
    )


def observe_audit(record: Record, said: Members) -> Iterator[Observation]:
    """The steps that an audit record tells of."""
    operation = first_text(said, "operation") or "audit"
    action = operation.removeprefix("AI")
    if is_interaction(said):
        yield from observe_interaction(record, said)
    elif action in ACTIONS:
        yield observe_action(record, action, said, {})
    else:
        yield _other(record, said, operation)


def _other(record: Record, said: Members, operation: str) -> Observation:
    identity = first_text(said, "id")
    directory = is_directory(said)
    signs_in = directory and operation in _SIGN_INS
    extended = _named_values(said.get("extendedproperties"))
    actors = [(text(a.get("type")), text(a.get("id"))) for a in items(said.get("actor"))]
    user = first_text(said, "userid")
    app = first_text(said, "applicationdisplayname", "applicationid", "appid", "clientappid")
    named_app = next((name for kind, name in actors if kind == "1"), None)
    is_service = user is not None and user.startswith("ServicePrincipal_")
    status, error = _outcome(said, operation, extended)
    return Observation(
        event_id=identify("m365_audit", identity or record.sha256),
        trace_id=first_text(said, "intersystemsid", "correlationid") or identity or record.sha256,
        kind="tool_call",
        operation=operation,
        session_id=first_text(unified(said.get("appaccesscontext")), "aadsessionid"),
        agent_id=(named_app or app or user) if directory else (app or user),
        service=first_text(said, "workload"),
        started_at=nanoseconds(first_text(said, "creationtime")),
        # Microsoft's directory names a failed log-in as an operation of its own; both are one deed.
        tool="sign_in" if signs_in else operation.rstrip(". "),
        arguments=only(
            {
                "ObjectId": said.get("objectid"),
                "ModifiedProperties": said.get("modifiedproperties"),
                "Target": said.get("target"),
                "ExtendedProperties": said.get("extendedproperties"),
                "ApplicationId": said.get("applicationid"),
                "SiteUrl": said.get("siteurl"),
                "Parameters": said.get("parameters"),
            }
        ),
        status=status,
        error=error,
        principal=user,
        credential_id=first_text(unified(said.get("appaccesscontext")), "uniquetokenid"),
        on_behalf_of=user if not is_service and text(said.get("usertype")) in ("0", "2", "Regular", "Admin") else None,
        source_host=address(first_text(said, "clientip", "actoripaddress", "clientipaddress")),
        target=first_text(said, "objectid", "siteurl", "mailboxownerupn"),
        approval="cannot_record",
        source=record.source,
        source_sha256=record.sha256,
        witness="log",
    )


def _named_values(value: object) -> dict[str, str]:
    """`[{"Name": .., "Value": ..}]` as an object."""
    pairs = ((text(item.get("name")), text(item.get("value"))) for item in items(value))
    return {name: said for name, said in pairs if name and said}


def _outcome(said: Members, operation: str, extended: dict[str, str]) -> tuple[Status, str | None]:
    why = first_text(said, "logonerror")
    stated = (first_text(said, "resultstatus") or "").lower()
    if operation == "UserLoginFailed" or why is not None:
        return "denied", why or operation
    if stated in _FAILED:
        return "error", extended.get("ResultStatusDetail") or _detail(extended) or stated
    return ("ok" if stated in _DONE or not stated else "unknown"), None


def _detail(extended: dict[str, str]) -> str | None:
    details = value_of(extended.get("additionalDetails"))
    return text(details.get("ErrorMessage")) if isinstance(details, dict) else None
