"""Strands and Bedrock Converse message lists: `agent.messages`, bare or inside a request body."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from ingest.event import Observation, Rejected
from ingest.payloads import read
from ingest.readers import reader
from ingest.readers._strands_talk import PARTS, Message, Talk
from ingest.readers._talks import Conversation, steps_of, talks_of
from ingest.records import Record

_ELEMENTS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_OBJECT: Final = msgspec.json.Decoder(dict[str, object])
_ANY: Final = msgspec.json.Decoder()
_REMEDY: Final = "fix or remove it and ingest again"


def _is_message(value: object) -> bool:
    if not isinstance(value, dict) or value.get("role") not in ("user", "assistant"):
        return False
    content = value.get("content")
    if not isinstance(content, list) or "contents" in value:
        return False
    return bool(content) and all(isinstance(p, dict) and "type" not in p and PARTS & p.keys() for p in content)


def _claims(first: object) -> bool:
    if isinstance(first, dict):
        if first.keys() & {"schemaType", "requestId", "output", "choices"}:
            return False
        if isinstance(first.get("message"), dict) and "message_id" in first:
            return _is_message(first["message"])
        if isinstance(first.get("messages"), list):
            first = first["messages"]
        else:
            return _is_message(first)
    if not isinstance(first, list) or not first:
        return False
    if all(isinstance(part, dict) and isinstance(part.get("message"), dict) for part in first):
        return all(_is_message(part["message"]) and "message_id" in part for part in first)
    return all(_is_message(part) for part in first)


@reader(claims=_claims)
def strands_messages(records: Iterable[Record]) -> Iterator[Observation | Rejected]:
    """Strands and Bedrock Converse message lists: `agent.messages`, bare or inside a request body.

    The list has no clock, its order is the order. It cannot record approvals, unless the answers to interrupts
    (`interruptResponse`) stand in it. Strands' session folders of one file a message are not joined.
    """
    yield from steps_of(records, _lists, Talk)


def _lists(record: Record) -> Iterator[Conversation | Message | Rejected]:
    if record.raw[:1] == b"[":
        elements = record.decode(_ELEMENTS)
        if isinstance(elements, Rejected):
            yield elements
            return
        if not elements:
            yield Rejected(record.line, f"an empty list, no messages in it; {_REMEDY}")
        yield from talks_of({}, list(record.elements(elements)), _message, Talk)
        return
    members = record.decode(_MEMBERS)
    if isinstance(members, Rejected):
        yield members
        return
    raw = members.get("messages")
    held = read(_ELEMENTS, raw) if raw is not None else None
    if raw is not None and held and "role" not in members:
        header = {k: read(_ANY, v) for k, v in members.items() if k != "messages" and len(bytes(v)) < 1 << 16}
        (whole,) = record.elements([raw])
        yield from talks_of(header, list(whole.elements(held)), _message, Talk)
    else:
        yield _message(record)


def _message(record: Record) -> Message | Rejected:
    members = record.decode(_OBJECT)
    if isinstance(members, Rejected):
        return members
    inner = members.get("message")
    if isinstance(inner, dict) and "role" not in members:
        # Strands' session manager keeps the message inside, with its number and its time around it.
        members = {**inner, "created_at": members.get("created_at")}
    if not isinstance(members.get("role"), str) or not isinstance(members.get("content"), list):
        return Rejected(record.line, f"no message: it has no role, or no list of content; {_REMEDY}")
    return Message(record, members)
