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
