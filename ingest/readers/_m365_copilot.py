"""One Copilot interaction of the audit log -> its messages and the resources that Copilot touched for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ingest.event import Kind, Observation, Status, identify
from ingest.readers._microsoft_values import Members, address, first_text, items, only, text, unified
from ingest.records import Record
from ingest.times import nanoseconds

OPERATIONS: Final = {"CopilotInteraction", "ConnectedAIAppInteraction", "AIAppInteraction", "AIInteraction"}
RECORD_TYPES: Final = {"261", *OPERATIONS}
_NOT_WRITTEN: Final = "{} text is not in this log"


def is_interaction(said: Members) -> bool:
    """Whether a record (with unified keys) is an interaction with Copilot or another AI app."""
    return (
        text(said.get("operation")) in OPERATIONS
        or text(said.get("recordtype")) in RECORD_TYPES
        or ("copiloteventdata" in said and "aiinferencecall" not in said)
    )


def observe_interaction(record: Record, said: Members) -> Iterator[Observation]:
    """The first observation stands for the record; each further one counts as a record of its own."""
    steps = list(_Interaction(record, said).steps())
    for step in steps[1:]:
        step.records = 0
    yield from steps


class _Interaction:
    """One record while it is read."""

    def __init__(self, record: Record, said: Members) -> None:
        self.record, self.said = record, said
        self.event = unified(said.get("copiloteventdata")) or unified(said.get("llmeventdata")) or said
        self.both: Members = {**self.event, **said}
        self.id = first_text(said, "id", "recordid") or record.sha256
        self.thread = first_text(self.event, "threadid", "conversationid")
        self.at = nanoseconds(first_text(said, "creationtime", "timegenerated", "timestamp"))
        self.user = first_text(said, "userid", "actorname", "userids")
        models = items(self.event.get("modeltransparencydetails"))
        self.model = next((name for m in models if (name := first_text(m, "modelname"))), None)
        self.model = self.model or first_text(said, "aimodelname")

    def steps(self) -> Iterator[Observation]:
        """What was asked, then what was touched and answered because of it."""
        prompt: Observation | None = None
        found: list[Observation] = []
        for index, message in enumerate(items(self.event.get("messages"))):
            step = self._message(index, message)
            if step.kind == "message" and prompt is None:
                prompt = step
                found.insert(0, step)
            else:
                found.append(step)
        for index, resource in enumerate(items(self.event.get("accessedresources"))):
            found.append(self._resource(index, resource))
        if not found:
            whole = self._step("lifecycle", first_text(self.said, "operation") or "CopilotInteraction", "whole")
            whole.status = "ok"
            whole.arguments = self._about()
            found.append(whole)
        for step in found:
            if prompt is not None and step is not prompt:
                step.parent_event_id = prompt.event_id
        yield from found

    def _step(self, kind: Kind, operation: str, *part: str | int | None) -> Observation:
        return Observation(
            event_id=identify("purview_copilot", self.id, *part),
            trace_id=self.thread or self.id,
            session_id=self.thread,
            kind=kind,
            operation=operation,
            agent_id=first_text(self.both, "agentname", "agentid", "appidentity", "apphost"),
            agent_version=first_text(self.both, "agentversion"),
            service=first_text(self.both, "appidentity", "apphost", "workload"),
            started_at=self.at,
            principal=self.user,
            on_behalf_of=self.user,
            source_host=address(first_text(self.said, "clientip", "srcipaddr", "ipaddress")),
            source=self.record.source,
            source_sha256=self.record.sha256,
            witness="log",
        )

    def _message(self, index: int, message: Members) -> Observation:
        asks = message.get("isprompt") is not False and text(message.get("isprompt")) not in ("false", "False")
        step = self._step(
            "message" if asks else "model_call",
            "prompt" if asks else "response",
            "message",
            first_text(message, "id") or index,
        )
        step.gap = _NOT_WRITTEN.format(step.operation)
        step.status = "ok"
        if asks:
            step.arguments = self._about(message)
        else:
            step.model = self.model
            step.arguments = only({"AISystemPlugin": self.event.get("aisystemplugin"), **_marks(message)})
        if _is_true(message.get("jailbreakdetected")):
            step.status, step.error = "unknown", "jailbreak attempt detected (JailbreakDetected)"
        return step

    def _about(self, message: Members | None = None) -> str | None:
        return only(
            {
                "AppHost": self.event.get("apphost"),
                "Contexts": self.event.get("contexts"),
                "AgentId": self.both.get("agentid"),
                "AppIdentity": self.both.get("appidentity"),
                **_marks(message or {}),
            }
        )

    def _resource(self, index: int, resource: Members) -> Observation:
        action = first_text(resource, "action") or "Access"
        # Two reads of one file in one interaction are two resources with the same id: the place tells them apart.
        step = self._step("tool_call", action, "resource", first_text(resource, "id", "siteurl", "name"), index)
        step.tool = f"Copilot:{action}"
        step.target = first_text(resource, "siteurl", "name", "id")
        step.arguments = only(
            {
                "Id": resource.get("id"),
                "Name": resource.get("name"),
                "Type": resource.get("type"),
                "SiteUrl": resource.get("siteurl"),
                "ListItemUniqueId": resource.get("listitemuniqueid"),
                "SensitivityLabelId": resource.get("sensitivitylabelid"),
                "PolicyDetails": resource.get("policydetails"),
                **_marks(resource),
            }
        )
        step.approval = "cannot_record"
        step.status, step.error = _outcome(resource)
        return step


def _outcome(resource: Members) -> tuple[Status, str | None]:
    stated = (first_text(resource, "status") or "success").lower()
    failed = stated in ("failure", "failed", "blocked", "denied")
    status: Status = "ok" if stated in ("success", "succeeded") else "unknown"
    if failed:
        status = "denied" if resource.get("policydetails") else "error"
    error = "blocked by policy" if status == "denied" else stated if failed else None
    if _is_true(resource.get("xpiadetected")):
        found = "cross-prompt injection detected (XPIADetected)"
        error = f"{error}; {found}" if error else found
    return status, error


def _marks(said: Members) -> Members:
    """What the service detected, where it says that it did."""
    names = {"jailbreakdetected": "JailbreakDetected", "xpiadetected": "XPIADetected"}
    return {name: True for key, name in names.items() if _is_true(said.get(key))}


def _is_true(value: object) -> bool:
    return value is True or value in ("true", "True")
