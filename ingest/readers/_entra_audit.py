"""One change in Entra's directory -> one step: who gave what to whom; a PIM decision is an approval."""

from __future__ import annotations

import re
from typing import Final

from ingest.event import Approval, Observation, Status, identify
from ingest.readers._microsoft_values import Members, address, first_text, items, only, unified
from ingest.records import Record
from ingest.times import nanoseconds

_DECISION: Final = re.compile(
    r"request (approved|denied)|approval (requested)|^(approve|deny) .*request|request (?:auto-?)(approved)",
    re.IGNORECASE,
)
"""Privileged Identity Management and access packages word their decisions like this."""
_KEY: Final = re.compile(r"KeyIdentifier=([0-9A-Fa-f-]{36})")
_STATUS: Final[dict[Approval, Status]] = {"approved": "ok", "denied": "denied", "pending": "pending"}


def is_change(said: Members) -> bool:
    """Whether an object (with unified keys) is a directory audit."""
    return "targetresources" in said and bool(
        said.keys() & {"activitydisplayname", "initiatedby", "operationtype", "operationname"}
    )


def observe_change(record: Record, said: Members, category: str | None, around: Members) -> Observation:
    """`said` is the directory audit, `around` what a diagnostic setting wrote about it."""
    by = unified(said.get("initiatedby"))
    app, user = unified(by.get("app")), unified(by.get("user"))
    person = first_text(user, "userprincipalname", "displayname", "id")
    name = first_text(said, "activitydisplayname", "operationname") or first_text(around, "operationname")
    operation = (name or category or "AuditLogs").strip().rstrip(".")
    identity = first_text(said, "id")
    touched = [_shown(target) for target in items(said.get("targetresources"))]
    target = next((t for t in touched if t.get("id") or t.get("displayName")), {})
    status, error = _outcome(said, around)
    decided = _decided(operation)
    return Observation(
        event_id=identify("entra", identity or record.sha256),
        trace_id=first_text(said, "correlationid") or first_text(around, "correlationid") or identity or record.sha256,
        kind="approval" if decided else "tool_call",
        operation=operation,
        agent_id=first_text(app, "displayname", "serviceprincipalname", "appid", "serviceprincipalid") or person,
        service=first_text(said, "loggedbyservice"),
        started_at=nanoseconds(
            first_text(said, "activitydatetime") or first_text(around, "time") or first_text(said, "timegenerated")
        ),
        tool=None if decided else operation,
        arguments=only({"targetResources": touched, "appId": app.get("appid")}),
        result=only({"keyId": _new_keys(said)}),
        status=_STATUS[decided] if decided else status,
        error=error,
        principal=first_text(app, "serviceprincipalid", "appid") or person,
        on_behalf_of=person,
        source_host=address(first_text(user, "ipaddress") or first_text(around, "calleripaddress")),
        target=next((str(target[k]) for k in ("userPrincipalName", "displayName", "id") if target.get(k)), None),
        approver=person if decided in ("approved", "denied") else None,
        approval=decided or ("not_recorded" if "PIM" in operation else "cannot_record"),
        source=record.source,
        source_sha256=record.sha256,
        witness="log",
    )


def _decided(operation: str) -> Approval | None:
    found = _DECISION.search(operation)
    if found is None:
        return None
    word = next(group for group in found.groups() if group).lower()
    return "pending" if word == "requested" else "approved" if word.startswith("approve") else "denied"


def _shown(target: Members) -> Members:
    changed = [
        {"displayName": p.get("displayname"), "oldValue": p.get("oldvalue"), "newValue": p.get("newvalue")}
        for p in items(target.get("modifiedproperties"))
    ]
    return {
        "type": first_text(target, "type"),
        "displayName": first_text(target, "displayname"),
        "userPrincipalName": first_text(target, "userprincipalname"),
        "id": first_text(target, "id"),
        "modifiedProperties": changed,
    }


def _new_keys(said: Members) -> list[str]:
    """The ids of keys that the change added; whoever signs in with one of them later can be traced to it."""
    found: list[str] = []
    for target in items(said.get("targetresources")):
        for changed in items(target.get("modifiedproperties")):
            if first_text(changed, "displayname") == "KeyDescription":
                before = set(_KEY.findall(str(changed.get("oldvalue"))))
                found += [key for key in _KEY.findall(str(changed.get("newvalue"))) if key not in before]
    return found


def _outcome(said: Members, around: Members) -> tuple[Status, str | None]:
    stated = (first_text(said, "result", "resulttype") or first_text(around, "resulttype") or "").lower()
    why = first_text(said, "resultreason", "resultdescription")
    if stated in ("success", "0"):
        return "ok", None
    if stated in ("failure", "timeout", "1"):
        return "error", why or stated
    return "unknown", None
