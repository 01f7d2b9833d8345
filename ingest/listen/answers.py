"""What a sender is told, in the shape that OTLP/HTTP lays down: the service's response, or a `Status`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

PROTOBUF: Final = "application/x-protobuf"
JSON: Final = "application/json"
RETRY_AFTER_S: Final = 2

_INVALID_ARGUMENT, _RESOURCE_EXHAUSTED, _UNAVAILABLE, _UNAUTHENTICATED, _UNIMPLEMENTED = 3, 8, 14, 16, 12
_CODES: Final = {
    400: _INVALID_ARGUMENT,
    401: _UNAUTHENTICATED,
    404: _UNIMPLEMENTED,
    405: _UNIMPLEMENTED,
    408: _UNAVAILABLE,
    413: _INVALID_ARGUMENT,
    415: _INVALID_ARGUMENT,
    429: _RESOURCE_EXHAUSTED,
    503: _UNAVAILABLE,
}
"""HTTP -> `google.rpc.Code`."""


@dataclass(frozen=True)
class Answer:
    """One HTTP response."""

    status: int
    body: bytes
    content_type: str
    headers: tuple[tuple[bytes, bytes], ...] = ()
    closes: bool = False
    """Whether the connection ends with it: what of the request was not read is not wanted."""


def taken(content_type: str, rejected: int, why: str, kind: str) -> Answer:
    """Everything was stored; `rejected` of it is of no use, and `why` says so (a partial success)."""
    if content_type == JSON:
        said = {"partialSuccess": {f"rejected{kind}": str(rejected), "errorMessage": why}} if rejected else {}
        return Answer(200, msgspec.json.encode(said), JSON)
    inside = b"\x08" + _varint(rejected) + b"\x12" + _varint(len(why.encode())) + why.encode() if rejected else b""
    return Answer(200, b"\x0a" + _varint(len(inside)) + inside if inside else b"", PROTOBUF)


def refused(status: int, why: str, content_type: str, *, closes: bool = False) -> Answer:
    """Nothing was stored. 408, 429 and 503 are to be tried again, the others not."""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    if status in (408, 429, 503):
        headers = ((b"retry-after", str(RETRY_AFTER_S).encode()),)
    if status == 401:
        headers = ((b"www-authenticate", b'Bearer realm="custodiet"'),)
    if status == 405:
        headers = ((b"allow", b"POST"),)
    code = _CODES[status]
    if content_type == PROTOBUF:
        message = why.encode()
        return Answer(
            status, b"\x08" + _varint(code) + b"\x12" + _varint(len(message)) + message, PROTOBUF, headers, closes
        )
    return Answer(status, msgspec.json.encode({"code": code, "message": why}), JSON, headers, closes)


def _varint(number: int) -> bytes:
    """Protobuf's variable-length number; two fields are not worth generated code."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
