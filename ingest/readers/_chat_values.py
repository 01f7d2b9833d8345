"""What a chat message's members say: payloads as JSON text, calls, times, tokens. Nothing here raises."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from ingest.payloads import as_text, payload, text, value_of
from ingest.times import moment

Members = dict[str, object]

TIME_KEYS: Final = ("created_at", "createdAt", "created", "timestamp", "time", "ts", "at")
_INPUT_KEYS: Final = ("prompt_tokens", "input_tokens", "inputTokens", "promptTokens")
_OUTPUT_KEYS: Final = ("completion_tokens", "output_tokens", "outputTokens", "completionTokens")
_LARGEST: Final = (1 << 63) - 1
_RAW: Final = msgspec.json.Decoder(msgspec.Raw)


class Call(msgspec.Struct):
    """A tool call, however it was written."""

    name: str
    id: str | None = None
    arguments: str | None = None
    approval: object = None


def first_text(members: Members, keys: Iterable[str]) -> str | None:
    """The first of the members that is a text or a number, or an object with a name or an id."""
    for key in keys:
        value = members.get(key)
        if isinstance(value, dict):
            value = value.get("name") or value.get("id")
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if isinstance(value, str) and value:
            return value
    return None


def content_of(value: object) -> str | None:
    """A message's content; parts that are all text are joined."""
    if isinstance(value, list) and value:
        texts = [part.get("text") for part in value if isinstance(part, dict)]
        if len(texts) == len(value) and all(isinstance(part, str) for part in texts):
            return payload("\n".join(str(part) for part in texts))
    return payload(value)


def time_of(members: Members) -> int | None:
    """The first member that is a time: ISO 8601, or an epoch in seconds, ms, us or ns."""
    for key in TIME_KEYS:
        if (found := moment(members.get(key))) is not None:
            return found
    return None


def tokens_of(usage: object) -> tuple[int | None, int | None]:
    """Input and output tokens of a `usage` object."""
    if not isinstance(usage, dict):
        return None, None
    return _count(usage, _INPUT_KEYS), _count(usage, _OUTPUT_KEYS)


def _count(usage: Members, keys: tuple[str, ...]) -> int | None:
    for key in keys:
        value = usage.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST:
            return value
    return None


def call_in(value: object) -> Call | None:
    """A member of `tool_calls` (nested, flat, or AgentDojo's), a `function_call`, or a Responses item."""
    if not isinstance(value, dict):
        return None
    inner = value.get("function", value.get("custom"))
    about = inner if isinstance(inner, dict) else value
    name = text(about.get("name")) or text(inner)
    kind = value.get("type")
    if name is None and isinstance(kind, str) and kind.endswith("_call") and kind != "function_call":
        name = kind.removesuffix("_call")
    if name is None:
        return None
    stated = (about.get(key) for key in ("arguments", "args", "input", "action"))
    given = next((value for value in stated if value is not None), None)
    identity = text(value.get("call_id")) or text(value.get("id"))
    return Call(name, identity, payload(given), value.get("approval"))


def error_in(members: Members, content: object) -> str | None:
    """Why a tool's result is an error: the message says so, or its content is an error object."""
    stated = members.get("error")
    if stated:
        return stated if isinstance(stated, str) else as_text(stated)
    flagged = any(members.get(key) is True for key in ("is_error", "isError"))
    inside = content
    if isinstance(content, str) and content.lstrip()[:1] == "{":
        inside = value_of(content)
    if isinstance(inside, dict):
        cause = inside.get("error")
        flagged = flagged or inside.get("isError") is True or inside.get("is_error") is True
        if cause and cause is not True:
            return cause if isinstance(cause, str) else as_text(cause)
        flagged = flagged or cause is True
    return "error" if flagged else None
