"""Entra ID sign-ins and directory changes, of people, apps and agent identities."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from ingest.event import Observation, Rejected
from ingest.readers import reader
from ingest.readers._entra_audit import is_change, observe_change
from ingest.readers._entra_signin import is_sign_in, observe_sign_in
from ingest.readers._m365_audit import audit_record, is_directory, observe_audit
from ingest.readers._m365_copilot import is_interaction
from ingest.readers._microsoft_values import Members, first_row, first_text, rows, text, unified
from ingest.records import Record

CATEGORIES: Final = {
    "SignInLogs", "NonInteractiveUserSignInLogs", "ServicePrincipalSignInLogs", "ManagedIdentitySignInLogs",
    "ADFSSignInLogs", "MicrosoftServicePrincipalSignInLogs", "AuditLogs", "AgentSignInLogs",
}  # fmt: skip
_TABLES: Final = {
    "SigninLogs", "AADNonInteractiveUserSignInLogs", "AADServicePrincipalSignInLogs", "AADManagedIdentitySignInLogs",
    "ADFSSignInLogs", "MicrosoftServicePrincipalSignInLogs", "AuditLogs",
}  # fmt: skip


def _log(members: Members) -> Members:
    """A row without what a detection tool's test file puts around it."""
    inner = members.get("log")
    return inner if isinstance(inner, dict) and "Operation" in inner else members


def _claims(first: object) -> bool:
    row = first_row(first)
    if row is None or "ActionType" in row:
        return False
    said = unified(_log(row))
    if text(said.get("category")) in CATEGORIES and isinstance(said.get("properties"), dict):
        return True
    if text(said.get("type")) in _TABLES or (
        is_change(said) and ("activitydatetime" in said or "timegenerated" in said)
    ):
        return True
    audited = audit_record(said)
    if audited is not None:
        return is_directory(audited) and not is_interaction(audited) and "organizationid" in audited
    return is_sign_in(said) and "createddatetime" in said


@reader(claims=_claims)
def entra(records: Iterable[Record]) -> Iterator[Observation | Rejected]:
    """Entra ID sign-ins and directory changes, of people, apps and agent identities.

    Graph answers and lines, diagnostic settings (`{time, category, properties}`), Log Analytics rows, and the
    directory's part of Microsoft 365's audit log. A sign-in is a step with the tool `sign_in`; a change is one
    with the change's name; a decision of Privileged Identity Management is an approval.
    """
    for found in rows(records):
        if isinstance(found, Rejected):
            yield found
            continue
        record, members = found
        around = unified(_log(members))
        inner = unified(around.get("properties"))
        category = first_text(around, "category", "type")
        said = inner or around
        audited = audit_record(around)
        if is_change(said):
            yield observe_change(record, said, category, around)
        elif audited is not None:
            yield from observe_audit(record, audited)
        elif is_sign_in(said) or category in _TABLES or (inner and category in CATEGORIES):
            yield observe_sign_in(record, said, category if category in CATEGORIES | _TABLES else None, around)
        else:
            yield Rejected(record.line, "neither a sign-in nor a directory change; export whole records")
