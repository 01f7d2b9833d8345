"""JSON as bytes: is it any, can it be mended, what is in it at a glance. Bounded in memory whatever it holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

_ESCAPE: Final = re.compile(rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|u[dD][89a-fA-F]..|.)", re.DOTALL)


def without_lone_surrogates(raw: bytes) -> bytes:
    """The JSON text with U+FFFD for every half of a surrogate pair that stands alone.

    JavaScript writes them where it cuts text; nobody may hide a record from us by writing one.
    """
    return _ESCAPE.sub(lambda found: b"\\ufffd" if len(found[0]) == 6 and found[0][2:3] in b"dD" else found[0], raw)


def complaint(error: Exception) -> str:
    """A decoder's error in words for the report."""
    if isinstance(error, msgspec.ValidationError):
        return f"not the shape that this format has ({error})"
    if isinstance(error, RecursionError):
        return "nested too deeply"
    return f"not JSON ({error})"


_JSON: Final = msgspec.json.Decoder(msgspec.Raw)


_SMALL_BYTES: Final = 1 << 16
_PEEKED_ELEMENTS: Final = 8
_WITH_HUGE_NUMBERS: Final = msgspec.json.Decoder(float_hook=str)
_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TOKEN: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{},]', re.DOTALL)


def peek(raw: bytes) -> object:
    """Valid JSON as Python objects, of long arrays the first eight elements and of long texts nothing.

    Enough to recognise a format by, in memory bounded by the keys and not by the payload.
    """
    if len(raw) <= _SMALL_BYTES:
        try:
            return msgspec.json.decode(raw)
        except msgspec.ValidationError:  # a number beyond what a float holds is JSON all the same
            return _WITH_HUGE_NUMBERS.decode(raw)
    match raw.lstrip()[:1]:
        case b"{":
            return {key: peek(bytes(value)) for key, value in _MEMBERS.decode(raw).items()}
        case b"[":
            return [peek(element) for element in _first_elements(raw)]
        case _:
            return ""


def _first_elements(raw: bytes) -> Iterator[bytes]:
    """The first elements of a valid JSON array, without making the others."""
    depth, start, found = 0, 0, 0
    for token in _TOKEN.finditer(raw):
        match token[0]:
            case b"[" | b"{":
                depth += 1
                start = token.end() if depth == 1 else start
            case b"]" | b"}":
                depth -= 1
            case b",":
                pass
            case _:
                continue
        if depth == 0 or (depth == 1 and token[0] == b","):
            element = raw[start : token.start()].strip()
            if element:
                yield element
                found += 1
            start = token.end()
            if depth == 0 or found == _PEEKED_ELEMENTS:
                return


def is_json(raw: bytes) -> bool:
    try:
        _JSON.decode(raw)
        raw.decode("utf-8")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


def repaired(raw: bytes) -> bytes:
    """The record as it is, or without lone surrogates where only those kept it from being JSON."""
    if is_json(raw):
        return raw
    mended = without_lone_surrogates(raw)
    return mended if mended != raw and is_json(mended) else raw
