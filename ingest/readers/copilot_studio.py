"""Copilot Studio transcripts: Dataverse `conversationtranscript` rows, or the activities in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from ingest.event import Observation, Rejected
from ingest.payloads import read, value_of
from ingest.readers import reader
from ingest.readers._copilot_studio_talk import Activity, Talk
from ingest.readers._microsoft_values import Members, unified
from ingest.records import Record

_ELEMENTS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_OBJECT: Final = msgspec.json.Decoder(dict[str, object])
_ANY: Final = msgspec.json.Decoder()
_DEEPEST: Final = 4
_REMEDY: Final = "export the transcript again, whole"
_ACTIVITY_SIGNS: Final = {"from", "valueType", "channelId", "channelData", "conversation", "replyToId"}
_TYPES: Final = {
    "message", "event", "trace", "typing", "invoke", "conversationUpdate", "endOfConversation", "handoff",
    "messageReaction", "invokeResponse", "installationUpdate",
}  # fmt: skip


def _is_activity(value: object) -> bool:
    if not isinstance(value, dict) or not isinstance(kind := value.get("type"), str):
        return False
    return kind in _TYPES and bool(_ACTIVITY_SIGNS & value.keys())


def _is_row(value: object) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("content"), str):
        return False
    if "conversationtranscriptid" in value or value.get("schematype") == "powervirtualagents":
        return True
    content = value["content"]
    inner = value_of(content) if content[:1] == "{" else None
    return isinstance(inner, dict) and isinstance(inner.get("activities"), list)


def _claims(first: object) -> bool:
    if isinstance(first, list):
        return bool(first) and all(_is_activity(item) or _claims_object(item) for item in first)
    return _is_activity(first) or _claims_object(first)


def _claims_object(first: object) -> bool:
    if not isinstance(first, dict):
        return False
    if isinstance(activities := first.get("activities"), list):
        return bool(activities) and any(_is_activity(item) for item in activities)
    if isinstance(value := first.get("value"), list):
        return bool(value) and all(_is_row(item) for item in value)
    return _is_row(first)


@reader(claims=_claims)
def copilot_studio(records: Iterable[Record]) -> Iterator[Observation | Rejected]:
    """Copilot Studio transcripts: Dataverse `conversationtranscript` rows, or the activities in them.

    The steps of a dynamic plan (triggered, bound, finished) are one tool call each, what the planner thought is a
    message above it. Order is the channel's position where all activities have one, else the transcript's own:
    its times are whole seconds. A card that offers yes and no, and its answer, are one approval.
    """
    loose: dict[str, list[Activity]] = {}
    for record in records:
        for found in _transcripts(record, 0):
            if isinstance(found, Rejected):
                yield found
            elif isinstance(found, Activity):
                loose.setdefault(found.conversation() or "", []).append(found)
            else:
                yield from found.observations()
    for activities in loose.values():
        yield from Talk({}, activities).observations()


def _transcripts(record: Record, depth: int) -> Iterator[Talk | Activity | Rejected]:
    if record.raw[:1] == b"[":
        elements = record.decode(_ELEMENTS)
        if isinstance(elements, Rejected):
            yield elements
            return
        parts = list(record.elements(elements))
        if not parts or depth >= _DEEPEST:
            yield Rejected(record.line, f"an empty or too deeply nested list, no activities in it; {_REMEDY}")
        elif any(_is_activity(read(_ANY, part.raw)) for part in parts):
            yield from _talk(record, {}, parts)
        else:
            for part in parts:
                yield from _transcripts(part, depth + 1)
        return
    members = record.decode(_MEMBERS)
    if isinstance(members, Rejected):
        yield members
        return
    for key in ("activities", "value"):
        raw = members.get(key)
        if raw is not None and bytes(raw)[:1] == b"[" and (key == "activities" or "type" not in members):
            (whole,) = record.elements([raw])
            elements = read(_ELEMENTS, raw) or []
            if key == "activities":
                yield from _talk(record, _header(members), list(whole.elements(elements)))
            else:
                yield from _transcripts(whole, depth + 1)
            return
    content = read(_ANY, members.get("content"))
    if "type" in members and "content" not in members:
        yield _activity(record)
    elif isinstance(content, str):
        yield from _row(record, members, content)
    else:
        yield Rejected(record.line, f"neither a transcript nor an activity; {_REMEDY}")


def _row(record: Record, members: dict[str, msgspec.Raw], content: str) -> Iterator[Talk | Activity | Rejected]:
    """A Dataverse row: its content is JSON text, whose activities all have the row's place."""
    inside = read(_MEMBERS, content)
    activities = read(_ELEMENTS, inside.get("activities")) if inside else read(_ELEMENTS, content)
    if activities is None:
        yield Rejected(record.line, f"`content` holds no activities (not JSON, or cut off); {_REMEDY}")
        return
    parts = [Record(record.path, record.line, bytes(raw)) for raw in activities]
    yield from _talk(record, _header(members), parts)


def _header(members: dict[str, msgspec.Raw]) -> Members:
    return unified({k: read(_ANY, v) for k, v in members.items() if k not in ("content", "activities")})


def _talk(record: Record, header: Members, parts: list[Record]) -> Iterator[Talk | Rejected]:
    activities: list[Activity] = []
    for part in parts:
        found = _activity(part)
        if isinstance(found, Rejected):
            yield found
        else:
            activities.append(found)
    if activities:
        yield Talk(header, activities)
    elif not parts:
        yield Rejected(record.line, f"a transcript without activities; {_REMEDY}")


def _activity(record: Record) -> Activity | Rejected:
    members = record.decode(_OBJECT)
    if isinstance(members, Rejected):
        return members
    if not isinstance(members.get("type"), str):
        return Rejected(record.line, f"an activity without a type; {_REMEDY}")
    return Activity(record, members)
