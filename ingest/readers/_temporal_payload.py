"""Temporal payloads -> JSON text. Base64 with an encoding, or the CLI's shorthand, which is plain JSON."""

from __future__ import annotations

import binascii
from functools import lru_cache
from typing import Final

import msgspec

from ingest.payloads import Unreadable, as_text, read

ENCRYPTED: Final = '"[encrypted: '
"""How the text begins that stands for a payload which cannot be read."""
_JSON_ENCODINGS: Final = {"json/plain", "json/protobuf"}
_BINARY_ENCODINGS: Final = {"binary/plain", "binary/protobuf"}


class _Payload(msgspec.Struct):
    """Either one payload (metadata, data) or the list of several."""

    payloads: list[msgspec.Raw] | msgspec.UnsetType | None = msgspec.UNSET
    metadata: dict[str, str] | msgspec.UnsetType = msgspec.UNSET
    data: str | None = None


_PAYLOAD: Final = msgspec.json.Decoder(_Payload)
_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw])
_MAP: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_RAW: Final = msgspec.json.Decoder(msgspec.Raw)
_TEXT: Final = msgspec.json.Decoder(str)


def texts_of(raw: msgspec.Raw | None) -> list[str]:
    """The JSON text of every payload in a field that holds payloads."""
    if raw is None or not raw:
        return []
    written = bytes(raw)
    match written[:1]:
        case b"{":
            payload = read(_PAYLOAD, written)
            if payload is None:
                return _plain(written)
            if isinstance(payload.payloads, list):
                return [text for part in payload.payloads for text in _text_of(part)]
            return [] if written.strip(b"{ \n\r\t}") == b"" or payload.payloads is None else _text_of(raw)
        case b"[":
            return [text for part in read(_LIST, written) or () for text in _text_of(part)]
        case _:
            return [] if written == b"null" else _plain(written)


def fields_of(raw: msgspec.Raw | None, holder: str | None = None) -> dict[str, list[str]]:
    """A map of payloads by name (marker details, memo under `fields`): the texts under each name."""
    members = read(_MAP, raw) or {}
    if holder is not None and holder in members:
        members = read(_MAP, members[holder]) or {}
    return {name: texts_of(part) for name, part in members.items()}


def one_text(texts: list[str]) -> str | None:
    """One payload alone stands as itself, several as an array."""
    if len(texts) < 2:
        return texts[0] if texts else None
    return "[" + ",".join(texts) + "]"


def _text_of(raw: msgspec.Raw) -> list[str]:
    written = bytes(raw)
    payload = read(_PAYLOAD, written) if written[:1] == b"{" else None
    metadata = payload.metadata if payload is not None else None
    if payload is None or not isinstance(metadata, dict) or "encoding" not in metadata:
        return _plain(written)
    return [_decoded(_encoding(metadata["encoding"]), payload.data or "")]


def _decoded(encoding: str, data: str) -> str:
    if encoding == "binary/null":
        return "null"
    try:
        content = binascii.a2b_base64(data)
    except (binascii.Error, ValueError):
        return as_text(f"[unreadable: {encoding}, not base64]")
    if encoding in _JSON_ENCODINGS:
        found = _plain(content)
        return found[0] if found else as_text(f"[unreadable: {encoding}, {len(content)} bytes]")
    if encoding in _BINARY_ENCODINGS:
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError:
            text = "\0"
        if encoding == "binary/plain" and "\0" not in text:
            return as_text(text)
        return as_text(f"[binary: {encoding}, {len(content)} bytes]")
    # What cannot be read is said to be there, with its size; the bytes stay in the source file.
    return as_text(f"{ENCRYPTED[1:]}{encoding}, {len(content)} bytes]")


def _plain(written: bytes) -> list[str]:
    """Checked JSON as text. A text that itself is a JSON object or array (double encoding) is opened once."""
    try:
        _RAW.decode(written)
        if b"\n" in written:
            # An indented export must not make other arguments of the same payload.
            written = msgspec.json.format(written, indent=-1)
        text = written.decode("utf-8")
        if text[:2] in ('"{', '"['):
            inner = _TEXT.decode(text)
            return [inner] if read(_RAW, inner) is not None else [text]
    except Unreadable:
        return []
    return [text]


@lru_cache(maxsize=64)
def _encoding(written: str) -> str:
    """Names come in base64; some exporters leave them plain, and `binary/plain` is valid base64 too."""
    try:
        name = binascii.a2b_base64(written, strict_mode=True).decode("ascii")
    except (binascii.Error, ValueError):
        return written
    return name if name.isprintable() and name else written
