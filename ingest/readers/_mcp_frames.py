"""Captures of MCP traffic -> frames: each JSON-RPC message with what its envelope says of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final, Literal

import msgspec

from ingest.event import Rejected
from ingest.payloads import text, value_of
from ingest.readers._chat_values import Members, first_text
from ingest.records import Record
from ingest.times import moment

Side = Literal["client", "server"]

_REMEDY: Final = "fix or remove it and ingest again"
_INSIDE: Final = (
    "msg", "message", "request", "response", "payload", "data", "body", "json", "rpc", "jsonrpc_message", "content",
    "event", "raw", "line", "frame",
)  # fmt: skip
_TIMES: Final = ("ts", "time", "timestamp", "@timestamp", "at", "when", "datetime", "date")
_SENDERS: Final = ("from", "sender", "origin", "source", "src")
_RECEIVERS: Final = ("to", "receiver", "destination", "dst")
_DIRECTIONS: Final = ("dir", "direction", "flow", "way", "channel", "stream", "type", "kind", "event")
_SESSIONS: Final = (
    "mcp-session-id", "mcpsessionid", "sessionid", "session", "connectionid", "connection", "connid", "conn",
)  # fmt: skip
_SERVERS: Final = ("server", "servername", "mcpserver", "upstream")
_HOSTS: Final = ("clientip", "remoteaddr", "remoteaddress", "sourceip", "peer")
_USERS: Final = ("user", "userid", "username", "useremail", "subject")
_TO_SERVER: Final = re.compile(r".*client.*server|c(2|to|->|_to_|-to-|→)s|stdin", re.I)
_TO_CLIENT: Final = re.compile(r".*server.*client|s(2|to|->|_to_|-to-|→)c|stdout", re.I)
_CLIENT: Final = re.compile(r".*(client|host|agent|inspector).*", re.I)
_SERVER: Final = re.compile(r".*server.*", re.I)
_METHOD: Final = re.compile(
    r"(initialize|ping|server/discover|(tools|resources|prompts|notifications|sampling|elicitation|roots|completion"
    r"|logging|subscriptions)/[A-Za-z/_]+|tasks/(get|list|result|cancel|update))"
)
_BY_SERVER: Final = re.compile(
    r"(sampling|elicitation|roots)/.+|notifications/(message|(tools|resources|prompts)/.+|elicitation/.+)"
)
_EITHER: Final = re.compile(r"ping|notifications/(cancelled|progress|tasks/.+)|tasks/.+")
_MOST_NESTED: Final = 3
_ELEMENTS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_ANY: Final = msgspec.json.Decoder()


class Frame(msgspec.Struct):
    """One JSON-RPC message on its way."""

    record: Record
    message: Members
    side: Side | None = None
    """Who sent it, where the envelope or the method tells."""
    word: str | None = None
    """The envelope's own word for the direction, where it does not name the sides (`in`, `out`)."""
    at: int | None = None
    session: str | None = None
    server: str | None = None
    host: str | None = None
    user: str | None = None

    @property
    def method(self) -> str | None:
        """None in a response."""
        return text(self.message.get("method"))

    @property
    def id(self) -> str | None:
        """The request's id as text; a number and a text of the same digits are told apart."""
        value = self.message.get("id")
        return repr(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None

    @property
    def params(self) -> Members:
        """The params, or nothing."""
        value = self.message.get("params")
        return value if isinstance(value, dict) else {}

    @property
    def result(self) -> Members | None:
        """The result where there is one that is an object."""
        value = self.message.get("result")
        return value if isinstance(value, dict) else None


def claims(first: object) -> bool:
    """A JSON-RPC message with one of MCP's methods, or an answer; bare, in an array, or in an envelope."""
    return _claims(first, _MOST_NESTED)


def _claims(value: object, deepest: int) -> bool:
    if isinstance(value, list):
        return bool(value) and deepest > 0 and all(_claims(part, deepest - 1) for part in value)
    if not isinstance(value, dict):
        return False
    if "jsonrpc" in value:
        return _is_ours(value)
    found = [message for message, _ in _messages(value, {}, deepest)]
    return bool(found) and all(_is_ours(message) for message in found)


def _is_ours(message: Members) -> bool:
    method = message.get("method")
    if method is None:
        return "result" in message or isinstance(message.get("error"), dict)
    return isinstance(method, str) and _METHOD.fullmatch(method) is not None


def frames(records: Iterable[Record | Rejected]) -> Iterator[Frame | Rejected]:
    """Every message of a file, in its order."""
    for record in records:
        if isinstance(record, Rejected):
            yield record
        else:
            yield from _frames(record, {}, _MOST_NESTED)


def _frames(record: Record, around: Members, deepest: int) -> Iterator[Frame | Rejected]:
    if record.raw[:1] == b"[":
        elements = record.decode(_ELEMENTS)
        if isinstance(elements, Rejected):
            yield elements
        elif not elements or deepest == 0:
            yield Rejected(record.line, f"a list without messages; {_REMEDY}")
        else:
            for element in record.elements(elements):
                yield from _frames(element, around, deepest - 1)
        return
    value = record.decode(_ANY)
    if isinstance(value, Rejected):
        yield value
        return
    found = list(_messages(value, around, _MOST_NESTED)) if isinstance(value, dict) else []
    for message, envelope in found:
        yield _frame(record, message, envelope)
    if not found:
        yield Rejected(record.line, f"no JSON-RPC message in it; {_REMEDY}")


def _messages(value: object, around: Members, deepest: int) -> Iterator[tuple[Members, Members]]:
    """The messages in a decoded record, each with all the members that stand around it."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        value = value_of(value.strip())
    if isinstance(value, list):
        for part in value:
            yield from _messages(part, around, deepest)
    if not isinstance(value, dict):
        return
    if isinstance(value.get("jsonrpc"), str):
        yield value, around
    elif deepest > 0:
        envelope = {**around, **value}
        for key in _INSIDE:
            if isinstance(value.get(key), dict | list | str):
                yield from _messages(value[key], envelope, deepest - 1)


def _frame(record: Record, message: Members, envelope: Members) -> Frame:
    plain = {_plain(key): value for key, value in envelope.items()}
    if isinstance(headers := envelope.get("headers"), dict):
        plain |= {key: value for key, value in ((_plain(k), v) for k, v in headers.items()) if key in _SESSIONS}
    side, word = _direction(plain)
    method = text(message.get("method"))
    if side is None and method is not None and not _EITHER.fullmatch(method):
        side = "server" if _BY_SERVER.fullmatch(method) else "client"
    return Frame(
        record,
        message,
        side,
        word,
        next((at for key in _TIMES if (at := moment(plain.get(key))) is not None), None),
        first_text(plain, _SESSIONS),
        first_text(plain, _SERVERS),
        first_text(plain, _HOSTS),
        first_text(plain, _USERS),
    )


def _plain(key: object) -> str:
    return str(key).lower().replace("_", "") if str(key).lower() != "mcp-session-id" else "mcp-session-id"


def _direction(plain: Members) -> tuple[Side | None, str | None]:
    word = None
    for key in _DIRECTIONS:
        value = text(plain.get(key))
        if value is None or len(value) > 40:
            continue
        if _TO_SERVER.fullmatch(value):
            return "client", None
        if _TO_CLIENT.fullmatch(value):
            return "server", None
        word = word or (value if key in ("dir", "direction", "flow", "way") else None)
    for keys, is_sender in ((_SENDERS, True), (_RECEIVERS, False)):
        for key in keys:
            value = text(plain.get(key)) or ""
            if _SERVER.fullmatch(value):
                return ("server" if is_sender else "client"), None
            if _CLIENT.fullmatch(value):
                return ("client" if is_sender else "server"), None
    return None, word


def opening(inside: list[Frame]) -> list[str]:
    """What names a connection that has no id: its first message where a time or a trace makes it one of its
    kind, else its first eight, written in one way whatever the file's spacing."""
    first = inside[0]
    is_unique = first.at is not None or isinstance(_meta(first).get("traceparent"), str)
    encode = msgspec.json.Encoder(order="deterministic").encode
    return [encode(frame.message).decode() + str(frame.at) for frame in inside[: 1 if is_unique else 8]]


def _meta(frame: Frame) -> Members:
    value = frame.params.get("_meta")
    return value if isinstance(value, dict) else {}


def meta_of(members: Members) -> Members:
    """The `_meta` of params or of a result."""
    value = members.get("_meta")
    return value if isinstance(value, dict) else {}
