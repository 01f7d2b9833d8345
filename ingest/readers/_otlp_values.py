"""Single values in OTLP's dialects: wrapped or plain values, ids in hex or base64, times in any notation."""

from __future__ import annotations

import re
from base64 import b64decode
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

import msgspec

Attributes = dict[str, object]

_LATEST: Final = (1 << 63) - 1
_DEEPEST: Final = 24
"""Attribute values nested deeper carry no step; the limit keeps Python's stack safe on hostile input."""

_any: Final = msgspec.json.Decoder()


def decode(raw: bytes | str) -> object:
    """JSON as plain objects, or None where it is none."""
    try:
        return _any.decode(raw)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def text_of(value: object) -> str | None:
    """A non-empty text; a number counts as one, since some exporters write ids as numbers."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def attributes_of(said: object) -> Attributes:
    """Key-value pairs, a flat object, an object nested at the dots, or one of them as JSON text."""
    if isinstance(said, str):
        said = decode(said)
    if isinstance(said, list):
        return _pairs(said, 0)
    if not isinstance(said, dict):
        return {}
    if any(isinstance(said.get(key), dict) for key in _NESTED_AT):
        flat: Attributes = {}
        _flatten(said, "", flat, 0)
        return flat
    return {str(key): value for key, value in said.items()}


_NESTED_AT: Final = ("openinference", "gen_ai", "llm")


def _flatten(value: object, prefix: str, into: Attributes, depth: int) -> None:
    members: list[tuple[object, object]]
    if depth < _DEEPEST and isinstance(value, dict):
        members = list(value.items())
    elif depth < _DEEPEST and isinstance(value, list) and any(isinstance(item, dict) for item in value):
        members = list(enumerate(value))
    else:
        into[prefix] = value
        return
    for key, member in members:
        _flatten(member, f"{prefix}.{key}" if prefix else str(key), into, depth + 1)


def _pairs(pairs: list[object], depth: int) -> Attributes:
    found: Attributes = {}
    for pair in pairs:
        if isinstance(pair, dict) and isinstance(key := pair.get("key"), str):
            value = pair.get("value")
            found[key] = unwrapped(value, depth) if isinstance(value, dict) else value
    return found


_WRAPPERS: Final = {
    "stringValue", "intValue", "doubleValue", "boolValue", "bytesValue",
    "string_value", "int_value", "double_value", "bool_value", "bytes_value",
}  # fmt: skip


def unwrapped(value: object, depth: int) -> object:
    """The plain value of an OTLP AnyValue; what is none is returned as it stands."""
    if not isinstance(value, dict) or len(value) != 1 or depth > _DEEPEST:
        return value if depth <= _DEEPEST else None
    ((wrapper, inner),) = value.items()
    if wrapper in _WRAPPERS:
        return inner
    if wrapper not in ("arrayValue", "array_value", "kvlistValue", "kvlist_value"):
        return value
    values = inner.get("values") if isinstance(inner, dict) else None
    if not isinstance(values, list):
        return None
    if wrapper in ("arrayValue", "array_value"):
        return [unwrapped(item, depth + 1) for item in values]
    return _pairs(values, depth + 1)


_NO_ID: Final = {"", "0" * 16, "0" * 32}
_BASE64_BYTES: Final = {24: 16, 12: 8}


def hex_id(said: object) -> str | None:
    """A trace or span id in lower-case hex. All zeros means none; a generic marshaller writes base64."""
    if not isinstance(said, str) or said in _NO_ID:
        return None
    size = len(said)
    if size in (32, 16):
        return said.lower()
    if size in _BASE64_BYTES and said[-1] == "=":
        try:
            octets = b64decode(said, validate=True)
        except ValueError:
            return said
        if len(octets) == _BASE64_BYTES[size]:
            decoded = octets.hex()
            return None if decoded in _NO_ID else decoded
    if said[:2] in ("0x", "0X"):
        return hex_id(said[2:])
    if said.startswith("1-") and size == 35:
        return said[2:].replace("-", "").lower()  # AWS X-Ray's way to write the same 128 bits
    return said


def nanoseconds(said: object) -> int | None:
    """A time in nanoseconds since 1970. 0 and what lies outside 1970 to 2262 is no time."""
    if isinstance(said, str):
        if not (said.isascii() and said.isdigit()):
            return _from_iso(said)
        said = int(said) if len(said) < 20 else 0
    if isinstance(said, bool) or not isinstance(said, int | float) or not 0 < said <= _LATEST:
        return None
    if said >= 10**16:
        return int(said)
    for unit, least in ((10**3, 10**13), (10**6, 10**11)):  # written in microseconds, in milliseconds
        if said >= least:
            return int(said * unit) if said * unit <= _LATEST else None
    if isinstance(said, int):
        return said * 10**9 if said * 10**9 <= _LATEST else None
    return round(said * 1e6) * 1000  # seconds in a float hold microseconds, not nanoseconds


_ISO: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9})\d*)? ?(Z|UTC|[+-]\d\d:?\d\d)?", re.ASCII
)


def _from_iso(said: str) -> int | None:
    found = _ISO.fullmatch(said.strip())
    if found is None:
        return None
    *parts, fraction, zone = found.groups()
    year, month, day, hour, minute, second = map(int, parts)
    offset = timedelta()
    if zone and zone[0] in "+-":
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:])) * (-1 if zone[0] == "-" else 1)
    try:
        zoned = datetime(year, month, day, hour, minute, second, tzinfo=timezone(offset))
        whole = int((zoned - _EPOCH).total_seconds())
    except (ValueError, OverflowError):
        return None
    at = whole * 10**9 + int((fraction or "0").ljust(9, "0"))
    return at if 0 < at <= _LATEST else None


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
