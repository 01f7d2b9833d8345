"""What Claude Code's fixed sentences and fields say about a decision."""

from __future__ import annotations

import re
from typing import Final

from ingest.event import Approval
from ingest.payloads import text
from ingest.readers._members import Members, part

HANDOFF_TOOLS: Final = {"Task", "Agent"}
_EDITS: Final = {"Edit", "MultiEdit", "Write", "NotebookEdit"}
_BY_A_PERSON: Final = re.compile(
    r"\s*(?:Error: )?(?:The user doesn't want to (?:proceed with this tool use|take this action)"
    r"|User rejected|\[Request interrupted by user for tool use\])"
)
_BY_A_HOOK: Final = re.compile(
    r"\s*(?:Error: )?(?:\S+ hook (?:error|denied)|.{0,80}\bhook\b.{0,40}\b(?:blocked|denied)\b)"
)
_BY_RULES: Final = re.compile(
    r"\s*(?:Error: )?(?:Permission (?:to use|for this) .{0,200}(?:has been|was) denied"
    r"|.{0,80}requested permissions? to .{0,300}haven't granted"
    r"|Permission to .{0,200} has been (?:auto-)?denied)",
    re.DOTALL,
)
_APPROVED: Final = re.compile(r"\s*User has (?:approved your plan|allowed|approved)")


def verdict(content: str | None, *, is_error: bool) -> tuple[Approval | None, str | None]:
    """What a tool's result says was decided about its call, and by which policy where it was none of the people."""
    if not content:
        return None, None
    if not is_error:
        return ("approved", None) if _APPROVED.match(content) else (None, None)
    if _BY_A_PERSON.match(content):
        return "denied", None
    if _BY_RULES.match(content):
        return "denied", "policy: permission rules"
    if _BY_A_HOOK.match(content):
        return "denied", "policy: hook"
    return None, None


def allowed_by_mode(mode: str | None, tool: str | None) -> bool:
    """Whether the permission mode lets this tool through without asking."""
    return mode in ("bypassPermissions", "auto") or (mode == "acceptEdits" and tool in _EDITS)


def hook_decision(attachment: Members) -> tuple[str | None, Approval | None]:
    """(tool call, what a permission hook decided about it), where an attachment is such a decision."""
    if attachment.get("type") != "hook_permission_decision":
        return None, None
    decided: dict[object, Approval] = {"allow": "automatic", "deny": "denied", "ask": "pending"}
    return text(attachment.get("toolUseID")), decided.get(text(attachment.get("decision")))


def taken_over_by(arguments: object) -> str | None:
    """The subagent that a call hands over to."""
    given = part(arguments)
    return text(given.get("subagent_type")) or text(given.get("name"))
