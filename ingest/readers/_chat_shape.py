"""Chat logs -> conversations: the one shape behind bare lists, request and response bodies, and exports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from ingest.event import Rejected
from ingest.payloads import Unreadable, read
from ingest.readers._chat_values import Members
from ingest.records import Record, complaint

ROLES: Final = {"system", "developer", "user", "assistant", "tool", "function", "approval"}
_REMEDY: Final = "fix or remove it and ingest again"
_FOREIGN: Final = {
    "uuid", "parentUuid", "contents", "parts", "message", "appName", "resourceSpans", "tracking_id",
}  # fmt: skip
"""Members that a chat-completions message or conversation never has, and another format always does."""
_MOST_NESTED: Final = 3

_LONGEST_HEADER_BYTES: Final = 1 << 16
"""What says who and when is short; a long member beside the messages is not decoded."""
_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ELEMENTS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_MESSAGE: Final = msgspec.json.Decoder(dict[str, object])
_ANY: Final = msgspec.json.Decoder()
_BULKY: Final = {"messages", "choices", "input", "output", "tools", "history"}


class Message(msgspec.Struct):
    """One message or Responses item, with its own line."""

    record: Record
    members: Members


class Conversation(msgspec.Struct):
    """Messages in their order, and what stands around them."""

    record: Record
    header: Members
    messages: list[Message]


def is_item(value: object) -> bool:
    """A Responses item that has no role: a call, its output, a thought."""
    kind = value.get("type") if isinstance(value, dict) else None
    if not isinstance(kind, str) or not isinstance(value, dict) or _FOREIGN & value.keys():
        return False
    return (
        (kind.endswith("_call") and ("call_id" in value or "name" in value or "id" in value))
        or (kind.endswith("_call_output") and "call_id" in value)
        or (kind == "reasoning" and "summary" in value)
    )


def is_message(value: object) -> bool:
    """A chat-completions message, and no other format's."""
    if not isinstance(value, dict) or _FOREIGN & value.keys() or str(value.get("role")) not in ROLES:
        return False
    content = value.get("content")
    if isinstance(content, list) and not all(isinstance(part, dict) and "type" in part for part in content):
        # Bedrock Converse and Gemini parts have no type; some loggers write parts as plain texts.
        return all(isinstance(part, str) for part in content)
    said = ("content", "tool_calls", "function_call", "approval", "approved", "decision")
    return not isinstance(content, dict) and any(key in value for key in said)


def claims(first: object) -> bool:
    """A message, a list of them, a body that holds one, or a list of such bodies."""
    return _claims(first, _MOST_NESTED)


def _claims(value: object, deepest: int) -> bool:
    if isinstance(value, list):
        if not value or deepest == 0:
            return False
        if any(is_message(part) or is_item(part) for part in value):
            return all(is_message(part) or is_item(part) for part in value)
        return all(_claims(part, deepest - 1) for part in value)
    if not isinstance(value, dict) or _FOREIGN & value.keys():
        return False
    if isinstance(messages := value.get("messages"), list):
        return bool(messages) and all(is_message(part) for part in messages)
    if isinstance(choices := value.get("choices"), list):
        return bool(choices) and all(isinstance(c, dict) and is_message(c.get("message")) for c in choices)
    if value.get("object") == "response":
        return isinstance(value.get("output"), list)
    if isinstance(value.get("model"), str) and "input" in value:
        given = value["input"]
        if isinstance(given, list):
            return bool(given) and all(is_message(part) or is_item(part) for part in given)
        # An embeddings request has the same two members; what makes it an agent's are its tools.
        return isinstance(given, str) and ("tools" in value or "instructions" in value)
    return is_message(value)


def conversations(records: Iterable[Record | Rejected]) -> Iterator[Conversation | Rejected]:
    """Every conversation of a file. Bare messages, one a line, are one conversation."""
    loose: Conversation | None = None
    for record in records:
        if isinstance(record, Rejected):
            yield record
            continue
        for part in _conversations(record, _MOST_NESTED):
            if isinstance(part, Message):
                loose = loose or Conversation(record, {}, [])
                loose.messages.append(part)
            else:
                yield part
    if loose is not None:
        yield loose


def _conversations(record: Record, deepest: int) -> Iterator[Conversation | Message | Rejected]:
    if record.raw[:1] == b"[":
        elements = record.decode(_ELEMENTS)
        if isinstance(elements, Rejected):
            yield elements
            return
        parts = list(record.elements(elements))
        if not parts:
            yield Rejected(record.line, f"an empty list, no messages in it; {_REMEDY}")
        elif deepest > 0 and not any(_is_message(part) for part in parts):
            for part in parts:
                if part.raw[:1] in (b"{", b"["):
                    yield from _conversations(part, deepest - 1)
                else:
                    yield Rejected(part.line, f"neither a conversation nor a message; {_REMEDY}")
        else:
            yield from _conversation(record, {}, parts)
        return
    members = record.decode(_MEMBERS)
    if isinstance(members, Rejected):
        yield members
        return
    header: Members = {
        key: read(_ANY, raw)
        for key, raw in members.items()
        if key not in _BULKY and len(bytes(raw)) <= _LONGEST_HEADER_BYTES
    }
    held = _held(record, members)
    if held is not None:
        if held:
            yield from _conversation(record, header, held)
        else:
            yield Rejected(record.line, f"no messages in it; {_REMEDY}")
    elif _is_message(record):
        yield _message(record)
    else:
        yield Rejected(record.line, f"neither a message nor a body that holds messages; {_REMEDY}")


def _held(record: Record, members: dict[str, msgspec.Raw]) -> list[Record] | None:
    """The records of the messages in a body, None where it is no body that holds any."""
    if "role" in members and "messages" not in members:
        return None
    for key in ("messages", "choices", "output", "input"):
        raw = members.get(key)
        if raw is None or bytes(raw) == b"null":
            continue
        if key == "input" and bytes(raw)[:1] == b'"':
            (whole,) = record.elements([raw])
            return [Record(record.path, whole.line, b'{"role":"user","content":' + whole.raw + b"}")]
        elements = read(_ELEMENTS, raw)
        if elements is None:
            continue
        (whole,) = record.elements([raw])
        parts = list(whole.elements(elements))
        return [_chosen(part) for part in parts] if key == "choices" else parts
    return None


def _chosen(choice: Record) -> Record:
    """A choice's message; what has none is left to be rejected as it stands."""
    members = read(_MEMBERS, choice.raw) or {}
    found = next(iter(choice.elements([members["message"]])), None) if "message" in members else None
    return found or choice


def _conversation(record: Record, header: Members, parts: list[Record]) -> Iterator[Conversation | Rejected]:
    conversation = Conversation(record, header, [])
    for part in parts:
        message = _message(part)
        if isinstance(message, Rejected):
            yield message
        else:
            conversation.messages.append(message)
    if conversation.messages:
        yield conversation


def _message(record: Record) -> Message | Rejected:
    try:
        members = _MESSAGE.decode(record.raw)
    except Unreadable as error:
        return Rejected(record.line, f"a message that is {complaint(error)}; {_REMEDY}")
    role, kind = members.get("role"), members.get("type")
    if not (isinstance(role, str) and role) and not (isinstance(kind, str) and kind):
        return Rejected(record.line, f"a message without a role; {_REMEDY}")
    return Message(record, members)


def _is_message(record: Record) -> bool:
    members = read(_MEMBERS, record.raw) if record.raw[:1] == b"{" else None
    if members is None or ("call_id" not in members and members.keys() & {"messages", "choices", "output"}):
        return False
    return "role" in members or ("type" in members and "object" not in members)
