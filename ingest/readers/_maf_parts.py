"""What a content part of the Agent Framework is, in Python's spelling (`function_call`) and .NET's (`functionCall`)."""

from __future__ import annotations

import re
from typing import Final

from ingest.payloads import text

Members = dict[str, object]

_WORD: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_HANDOFF: Final = re.compile(r"(?:handoff|transfer)_to_(.+)", re.IGNORECASE)
_LARGEST: Final = 1 << 62


def family(part: object) -> str:
    """`call`, `result`, `request`, `response`, or nothing for what is only said."""
    if not isinstance(part, dict):
        return ""
    kind = named(part.get("type")) or named(part.get("$type")) or ""
    kind = _WORD.sub("_", kind).lower()
    if kind.endswith("approval_request") or kind == "oauth_consent_request":
        return "request"
    if kind.endswith("approval_response"):
        return "response"
    if kind == "function_call" or kind.endswith("_tool_call"):
        return "call"
    if kind == "function_result" or kind.endswith("_tool_result"):
        return "result"
    return ""


def named(value: object) -> str | None:
    """A text, or the text in an enumeration's object (`{"value": "assistant"}`)."""
    if isinstance(value, dict):
        value = value.get("value")
    return text(value)


def first(members: object, *keys: str) -> str | None:
    """The first of the members that is a text."""
    if not isinstance(members, dict):
        return None
    return next((found for key in keys if (found := text(members.get(key))) is not None), None)


def inner_call(part: Members) -> Members:
    """The call that an approval holds a copy of."""
    for key in ("function_call", "functionCall", "tool_call", "toolCall"):
        if isinstance(inner := part.get(key), dict):
            return inner
    return {}


def human_in(part: Members) -> Members:
    """What was written beside a decision: who decided, why."""
    found: Members = {}
    for key in ("additional_properties", "additionalProperties"):
        if isinstance(inner := part.get(key), dict):
            found |= {str(name): value for name, value in inner.items()}
    if (reason := text(part.get("reason"))) is not None:
        found["reason"] = reason
    return found


def spoken(parts: list[object]) -> object:
    """Text parts as text; other parts as they are, without what merely counts tokens."""
    said: list[object] = []
    for part in parts:
        kind = (named(part.get("type")) or named(part.get("$type")) or "") if isinstance(part, dict) else ""
        if kind == "usage":
            continue
        said.append({k: v for k, v in part.items() if k != "additional_properties"} if isinstance(part, dict) else part)
    texts = [part.get("text") for part in said if isinstance(part, dict)]
    if len(texts) == len(said) and all(isinstance(one, str) for one in texts):
        return "\n".join(str(one) for one in texts) or None
    return said


def handed_to(name: str) -> str | None:
    """The agent that a handoff tool names."""
    found = _HANDOFF.fullmatch(name)
    return found[1] if found else None


def usage_of(usage: object) -> tuple[int | None, int | None]:
    """Input and output tokens of a usage object."""
    if not isinstance(usage, dict):
        return None, None
    return (
        _count(usage, "input_token_count", "inputTokenCount", "input_tokens"),
        _count(usage, "output_token_count", "outputTokenCount", "output_tokens"),
    )


def _count(usage: Members, *keys: str) -> int | None:
    found = (usage.get(key) for key in keys)
    return next((n for n in found if isinstance(n, int) and not isinstance(n, bool) and 0 <= n < _LARGEST), None)
