"""JSON text <-> Python values, where a text that is not JSON is no error but simply nothing."""

from __future__ import annotations

from typing import Final, TypeVar

import msgspec

T = TypeVar("T")

Unreadable: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""All that msgspec raises for bytes that are not what the decoder expects."""

_ANY: Final = msgspec.json.Decoder()


def read(decoder: msgspec.json.Decoder[T], raw: bytes | str | msgspec.Raw | None) -> T | None:
    """What the decoder makes of it, or None where it does not fit."""
    if raw is None or not raw:
        return None
    try:
        return decoder.decode(raw)
    except Unreadable:
        return None


def value_of(text: str | None) -> object:
    """JSON text as Python objects; None where there is none."""
    return read(_ANY, text)


def as_text(value: object) -> str:
    """A Python value as JSON text."""
    return msgspec.json.encode(value).decode("utf-8", "replace")


def payload(value: object) -> str | None:
    """A payload as JSON text: a text that is a JSON object or array as such, other text as a JSON string."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        inner = value.strip()
        if inner[:1] in ("{", "[") and read(_RAW, inner) is not None:
            return inner
    return as_text(value)


def text(value: object) -> str | None:
    """A text that says something."""
    return value if isinstance(value, str) and value else None


def count(value: object) -> int | None:
    """A whole number, not negative and small enough for a column. Some exports write it as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63:
        return value
    return None


_RAW: Final = msgspec.json.Decoder(msgspec.Raw)
