"""One activity of a transcript: who sent it, what it tells of, where it stands; what its cards and steps say."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from ingest.decisions import approver_in, decision
from ingest.event import Status
from ingest.payloads import as_text, text, value_of
from ingest.readers._microsoft_values import Members, first_text, unified
from ingest.records import Record

_ROLES: Final[dict[object, str]] = {0: "bot", 1: "user", "0": "bot", "1": "user", "bot": "bot", "user": "user"}
_POSITION: Final = "webchat:internal:position"
_AGENT: Final = re.compile(r"(?:^|\.)(?:agent|InvokeConnectedAgentTaskAction)\.(.+)", re.IGNORECASE)
_AGENT_TYPES: Final = {"agent", "connectedagent", "childagent", "taskagent"}
_TELLING: Final = {
    "approved", "approve", "isapproved", "approval", "decision", "verdict", "rejected", "denied", "consent",
    "authorized", "allow", "confirmed", "confirm",
}  # fmt: skip
_LARGEST: Final = 1 << 40


class Activity(msgspec.Struct):
    """One activity with its own place."""

    record: Record
    members: Members

    def sender(self) -> Members:
        """Who sent it."""
        found = self.members.get("from")
        return found if isinstance(found, dict) else {}

    def role(self) -> str | None:
        """`bot` or `user`, which Dataverse writes as 0 and 1."""
        found = self.sender().get("role")
        return _ROLES.get(found) if isinstance(found, str | int) and not isinstance(found, bool) else None

    def value(self) -> Members:
        """What an event tells; some exports hold it as text."""
        found = self.members.get("value")
        if isinstance(found, str) and found[:1] == "{":
            found = value_of(found)
        return found if isinstance(found, dict) else {}

    def word(self) -> str:
        """What it tells of: `DynamicPlanStepFinished`."""
        members = self.members
        stated = text(members.get("valueType")) or text(members.get("name")) or text(members.get("type"))
        return stated or "activity"

    def conversation(self) -> str | None:
        """The conversation that it belongs to."""
        found = self.members.get("conversation")
        return text(found.get("id")) if isinstance(found, dict) else None

    def position(self) -> int | None:
        """The channel's own number for it."""
        found = self.members.get("channelData")
        number = found.get(_POSITION) if isinstance(found, dict) else None
        if isinstance(number, bool) or not isinstance(number, int | float):
            return None
        return int(number) if abs(number) < _LARGEST else None


def tool_of(task: str | None) -> tuple[str | None, str | None]:
    """(tool, server) of a task: `MCP:<schema>:<tool>` names both, anything else is the tool."""
    if task is not None and task.startswith("MCP:"):
        _, server, *rest = task.split(":")
        if rest and rest[-1]:
            return rest[-1], server or None
    return task, None


def agent_in(task: str | None, value: Members) -> str | None:
    """The other agent that a step or a redirect goes to; a topic of the same agent is none."""
    kind = first_text(unified(value), "type", "targetdialogtype")
    if task is None:
        return None
    found = _AGENT.search(task)
    if found is not None:
        return found[1]
    return task if kind is not None and kind.lower() in _AGENT_TYPES else None


def outcome(word: str, value: Members) -> tuple[Status, str | None]:
    """How a step of the plan ended."""
    state = (text(value.get("state")) or "").lower()
    seen = value.get("observation")
    observed = unified(seen)
    flagged = observed.get("iserror") is True or observed.get("error")
    stated = first_text(observed, "error", "errormessage") or first_text(unified(value), "errormessage", "error")
    if "Blocked" in word or state in ("blocked", "denied", "rejected"):
        return "denied", stated or first_text(unified(value), "reason", "blockreason") or "blocked"
    if state in ("failed", "error", "faulted", "cancelled", "canceled", "timedout") or flagged:
        return "error", stated or state or "error"
    return ("ok" if state in ("completed", "complete", "success", "succeeded") else "unknown"), None


def error_of(word: str, value: Members) -> str | None:
    """What went wrong, where an activity tells of that."""
    if "Error" not in word:
        return None
    return first_text(unified(value), "errormessage", "message", "errorcode", "errorsubcode") or word


def offers_a_decision(attachments: object) -> Members | None:
    """The adaptive card that offers both a yes and a no to submit."""
    for attachment in attachments if isinstance(attachments, list) else []:
        card = attachment.get("content") if isinstance(attachment, dict) else None
        if isinstance(card, str):
            card = value_of(card)
        if not isinstance(card, dict):
            continue
        titles = _choices(card, 0)
        found = {decision("", [as_text(title)], None).approval for title in titles}
        if "approved" in found and ("denied" in found or any(title.lower() == "cancel" for title in titles)):
            return card
    return None


def _choices(card: object, depth: int) -> list[str]:
    """The titles of the buttons that submit something."""
    found: list[str] = []
    if isinstance(card, list):
        for item in card:
            found += _choices(item, depth + 1) if depth < 8 else []
    elif isinstance(card, dict):
        if card.get("type") in ("Action.Submit", "Action.Execute"):
            found += [title] if (title := text(card.get("title"))) else []
        elif depth < 8:
            for member in card.values():
                if isinstance(member, list | dict):
                    found += _choices(member, depth + 1)
    return found


def decides(value: Members, answers_a_card: bool) -> bool:
    """Whether what a person submitted is a decision; a form's fields are none, unless a card asked for one."""
    if decision("", [as_text(value)], None).approval not in ("approved", "denied", "automatic"):
        return False
    said = unified(value)
    return answers_a_card or bool(_TELLING & said.keys()) or approver_in(said) is not None
