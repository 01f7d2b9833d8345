"""What a decision says: yes or no, by whom, about which tool; read from a payload first, then from a name.

Formats record decisions in their own shapes; the words in them are the same everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

import msgspec

from ingest.event import Approval
from ingest.payloads import value_of

APPROVAL_WORDS: Final = re.compile(
    r"(dis)?approv(e|ed|es|al|als|er)|reject(s|ed|ion)?|den(y|ied|ies|ial)|decision|decide[ds]?|confirm(s|ed|ation)?"
    r"|authori[sz](e|ed|es|ation)|consent(s|ed)?|review(s|ed)?|veto(ed)?|declin(e|ed|es)|grant(s|ed)?|hitl"
)
"""Words of a signal's or update's name that make it a decision about the agent's step."""

_YES: Final = re.compile(
    r"approved?|approves|accept(ed|s)?|allow(ed|s)?|grant(ed|s)?|confirm(ed|s)?|authori[sz]e[ds]?|consent(ed|s)?|yes|ok"
)
_NO: Final = re.compile(
    r"disapproved?|reject(ed|s)?|den(y|ied|ies)|declined?|declines|disallow(ed)?|refused?|block(ed)?|veto(ed)?|no"
)
_OPEN: Final = re.compile(r"request(s|ed)?|pending|await(s|ing)?|need(s|ed)?|ask|submit|waiting|required")
_MACHINE: Final = re.compile(r"auto|automatic|automatically|automated|autoapprove[dr]?|policy|system|rule")

_TOOL_KEYS: Final = (
    "toolname", "tool", "activitytype", "activityname", "activity", "functionname", "function", "action",
)  # fmt: skip
_APPROVER_KEYS: Final = (
    "approvedby", "approver", "rejectedby", "deniedby", "decidedby", "reviewedby", "reviewer", "confirmedby",
    "authorizedby", "authorisedby", "by", "useremail", "user", "username", "email", "actor", "operator",
)  # fmt: skip
_YES_KEYS: Final = (
    "approved", "approve", "isapproved", "allowed", "allow", "granted", "accepted", "accept", "confirmed",
    "confirm", "authorized", "authorised", "consent",
)  # fmt: skip
_NO_KEYS: Final = ("rejected", "reject", "denied", "deny", "declined", "vetoed")
_WORD_KEYS: Final = (
    "decision", "verdict", "outcome", "approval", "action", "status", "response", "result", "answer",
)  # fmt: skip
_AUTOMATIC_KEYS: Final = ("automatic", "autoapproved", "auto", "isautomatic")
_WORD: Final = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_WORKER: Final = re.compile(r"\d+[@-]([^@]+)(@.*)?")


class Decision(msgspec.Struct, frozen=True):
    """What a deciding message says."""

    approval: Approval
    approver: str | None
    tool: str | None


@lru_cache(maxsize=4096)
def words(name: str) -> tuple[str, ...]:
    """`approveIsolation` and `approve_isolation` -> approve, isolation."""
    return tuple(word.lower() for word in _WORD.findall(name[:500]))


@lru_cache(maxsize=4096)
def decides(name: str) -> bool:
    """Whether a signal or update of this name is a decision."""
    return any(APPROVAL_WORDS.fullmatch(word) for word in words(name))


def approver_in(said: Mapping[str, object]) -> str | None:
    """The person or policy that a payload names as deciding, under keys in lower case without separators."""
    return _text(said, _APPROVER_KEYS)


def normalised(members: Mapping[object, object]) -> dict[str, object]:
    """An object's members under keys in lower case without separators."""
    return {_normal(key): member for key, member in members.items()}


def is_policy(approver: str | None) -> bool:
    """Whether an approver's name is that of a policy or a machine, which is never a human."""
    return approver is not None and any(_MACHINE.fullmatch(part) for part in words(approver))


def worker_host(identity: str | None) -> str | None:
    """The host of a worker's identity (`pid@host`); None where it is something else, such as a person."""
    found = _WORKER.fullmatch(identity) if identity else None
    return found[1] if found else None


def decision(name: str, texts: list[str], identity: str | None) -> Decision:
    """What a deciding signal or update says, from its payload first, then from its name."""
    said: dict[str, object] = {}
    alone: list[object] = []
    for text in texts:
        value = value_of(text)
        if isinstance(value, dict):
            for key, member in _members(value, 0):
                said.setdefault(key, member)
        elif isinstance(value, bool | str):
            alone.append(value)
    approver = approver_in(said)
    if approver is None and identity and worker_host(identity) is None:
        approver = identity
    tool = _text(said, _TOOL_KEYS)
    if tool is not None and tool == said.get("action") and _verdict(tool) is not None:
        tool = None
    approval = _approval(name, said, alone)
    automatic = any(said.get(key) is True for key in _AUTOMATIC_KEYS) or is_policy(approver)
    if approval == "approved" and automatic:
        approval = "automatic"
    return Decision(approval, approver, tool)


def _approval(name: str, said: dict[str, object], alone: list[object]) -> Approval:
    found: set[Approval | None] = {_yes_or_no(said[key]) for key in _YES_KEYS if key in said}
    found |= {_opposite(_yes_or_no(said[key])) for key in _NO_KEYS if key in said}
    found |= {_verdict(said[key]) for key in _WORD_KEYS if key in said}
    found |= {_yes_or_no(value) for value in alone}
    # Where a message contradicts itself, it covers nothing.
    for verdict in ("denied", "approved", "pending"):
        if verdict in found:
            return verdict
    return _named_verdict(name)


@lru_cache(maxsize=4096)
def _named_verdict(name: str) -> Approval:
    parts = words(name)
    if any(_OPEN.fullmatch(part) for part in parts):
        return "pending"
    yes = any(_YES.fullmatch(part) for part in parts)
    no = any(_NO.fullmatch(part) for part in parts)
    if yes != no:
        return "approved" if yes else "denied"
    return "not_recorded"


def _yes_or_no(value: object) -> Approval | None:
    if isinstance(value, bool):
        return "approved" if value else "denied"
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return "approved" if value.lower() == "true" else "denied"
    return _verdict(value)


def _opposite(verdict: Approval | None) -> Approval | None:
    if verdict == "approved":
        return "denied"
    return "approved" if verdict == "denied" else None


def _verdict(value: object) -> Approval | None:
    """A value that is a verdict in one or two words; prose is never read for one."""
    if isinstance(value, bool):
        return "approved" if value else "denied"
    parts = words(value) if isinstance(value, str) and len(value) <= 40 else ()
    if not 1 <= len(parts) <= 2:
        return None
    if any(_NO.fullmatch(part) for part in parts):
        return "denied"
    if any(_OPEN.fullmatch(part) for part in parts):
        return "pending"
    if _YES.fullmatch(parts[0]) and len(parts) == 1:
        return "approved"
    return "automatic" if _MACHINE.fullmatch(parts[0]) and _YES.fullmatch(parts[-1]) else None


def _members(value: dict[object, object], depth: int) -> Iterator[tuple[str, object]]:
    nested: list[dict[object, object]] = []
    for key, member in value.items():
        if isinstance(member, dict):
            nested.append(member)
        else:
            yield _normal(key), member
    if depth < 2:
        for inner in nested:
            yield from _members(inner, depth + 1)


def _text(said: Mapping[str, object], keys: tuple[str, ...]) -> str | None:
    found = (said.get(key) for key in keys)
    return next((value for value in found if isinstance(value, str) and value), None)


def _normal(key: object) -> str:
    return str(key).lower().replace("_", "").replace("-", "")
