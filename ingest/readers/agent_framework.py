"""Microsoft Agent Framework sessions: the messages of a serialised session, thread or response, or bare."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from ingest.event import Observation, Rejected
from ingest.payloads import read
from ingest.readers import reader
from ingest.readers._maf_talk import Message, Talk
from ingest.readers._talks import Conversation, steps_of, talks_of
from ingest.records import Record

_ELEMENTS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_OBJECT: Final = msgspec.json.Decoder(dict[str, object])
_ANY: Final = msgspec.json.Decoder()
_DEEPEST: Final = 6
_LONGEST_HEADER_BYTES: Final = 1 << 14
_REMEDY: Final = "fix or remove it and ingest again"
_STATES: Final = ("state", "stateBag", "storeState", "chatHistoryProviderState", "chat_message_store_state")


def _is_message(value: object) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("contents"), list):
        return False
    return isinstance(value.get("role"), str | dict)


def _holds_messages(value: object, depth: int) -> bool:
    if isinstance(value, list):
        return bool(value) and all(_is_message(item) for item in value)
    if not isinstance(value, dict) or depth > _DEEPEST:
        return False
    return any(_holds_messages(member, depth + 1) for member in value.values() if isinstance(member, dict | list))


def _claims(first: object) -> bool:
    if isinstance(first, list):
        return bool(first) and all(_is_message(item) or _claims_object(item) for item in first)
    return _is_message(first) or _claims_object(first)


def _claims_object(first: object) -> bool:
    if not isinstance(first, dict):
        return False
    if first.get("type") == "session" and "session_id" in first and isinstance(first.get("state"), dict):
        return True
    if any(_holds_messages(first.get(key), 1) for key in _STATES):
        return True
    messages = first.get("messages")
    return isinstance(messages, list) and bool(messages) and all(_is_message(item) for item in messages)


@reader(claims=_claims)
def agent_framework(records: Iterable[Record]) -> Iterator[Observation | Rejected]:
    """Microsoft Agent Framework sessions: the messages of a serialised session, thread or response, or bare.

    Python's and .NET's spelling. An assistant message is a model call, each function call a step that is joined
    with its result; a request for approval and its answer are one approval, and what was decided stands on the
    call too. Order is the list's order. A session whose history a service keeps (`service_session_id`) holds none.
    """
    yield from steps_of(records, _lists, Talk)


def _lists(record: Record) -> Iterator[Conversation | Message | Rejected]:
    """The conversations that a line or document holds, or the one message that it is."""
    if record.raw[:1] == b"[":
        elements = record.decode(_ELEMENTS)
        if isinstance(elements, Rejected):
            yield elements
            return
        if not elements:
            yield Rejected(record.line, f"an empty list, no messages in it; {_REMEDY}")
        parts = list(record.elements(elements))
        if any(_is_message(read(_ANY, part.raw)) for part in parts):
            yield from talks_of({}, parts, _message, Talk)
            return
        for part in parts:
            if part.raw[:1] == b"[":
                yield Rejected(part.line, f"a list where a session or a message should stand; {_REMEDY}")
            else:
                yield from _lists(part)
        return
    members = record.decode(_MEMBERS)
    if isinstance(members, Rejected):
        yield members
    elif "contents" in members:
        yield _message(record)
    else:
        header = {k: read(_ANY, v) for k, v in members.items() if len(bytes(v)) < _LONGEST_HEADER_BYTES}
        held = list(_message_lists(record, 0))
        for parts in held:
            yield from talks_of(header, parts, _message, Talk)
        if not held:
            why = "its history lies with the service" if header.get("service_session_id") else "no messages in it"
            yield Rejected(record.line, f"a session without messages: {why}; serialise it with its history")


def _message_lists(record: Record, depth: int) -> Iterator[list[Record]]:
    """Every list of messages below an object, in the document's order; providers of history each have one."""
    members = read(_MEMBERS, record.raw) if record.raw[:1] == b"{" else None
    for part in record.elements(members.values()) if members else ():
        if part.raw[:1] == b"[":
            elements = read(_ELEMENTS, part.raw) or []
            inside = list(part.elements(elements))
            if any(_is_message(read(_ANY, item.raw)) for item in inside):
                yield inside
        elif part.raw[:1] == b"{" and depth < _DEEPEST:
            yield from _message_lists(part, depth + 1)


def _message(record: Record) -> Message | Rejected:
    members = record.decode(_OBJECT)
    if isinstance(members, Rejected):
        return members
    if not _is_message(members):
        return Rejected(record.line, f"no message: it has no role, or no list of contents; {_REMEDY}")
    return Message(record, members)
