"""One ADK event in whatever spelling it was written: camelCase, snake_case, a database row, a Vertex event."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import msgspec

from ingest.payloads import as_text, text, value_of
from ingest.readers._chat_values import Members
from ingest.records import Record
from ingest.times import moment

CALL, RESPONSE, TEXT = "call", "response", "text"
CODE_TOOL: Final = "code_execution"
_LARGEST: Final = (1 << 63) - 1
_GOOD_FINISH: Final = {None, "STOP", "FINISH_REASON_UNSPECIFIED"}


class Part(msgspec.Struct):
    """A part of an event's content that says something: a text, a call, or a response."""

    sort: str
    name: str | None = None
    id: str | None = None
    payload: object = None


class Event(msgspec.Struct, kw_only=True):
    """One event; None where it does not say."""

    record: Record
    index: int = 0
    id: str | None = None
    invocation: str | None = None
    author: str | None = None
    at: int | None = None
    role: str | None = None
    parts: list[Part] = []
    partial: bool = False
    model: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    error: str | None = None
    gap: str | None = None
    transfer: str | None = None
    escalates: bool = False
    notes: Members = {}
    confirmations: Members = {}
    long_running: frozenset[str] = frozenset()
    call_event: str | None = None
    """The event whose call this one answers, in exports that give calls no ids."""
    session: str | None = None
    app: str | None = None
    user: str | None = None


@lru_cache(maxsize=256)
def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


def got(members: Members, name: str) -> object:
    """A member by its camelCase name, in either spelling."""
    value = members.get(name)
    return value if value is not None else members.get(_snake(name))


def got_text(members: Members, name: str) -> str | None:
    """The same, where it is a text that says something (or a number, as ids sometimes are)."""
    value = got(members, name)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return text(value)


def members_of(value: object) -> Members:
    """An object's members, also where a database column holds the object as JSON text."""
    if isinstance(value, str) and value.lstrip()[:1] == "{":
        value = value_of(value)
    return value if isinstance(value, dict) else {}


def listed(value: object) -> list[object]:
    """A list, also where a database column holds it as JSON text."""
    if isinstance(value, str) and value.lstrip()[:1] == "[":
        value = value_of(value)
    return value if isinstance(value, list) else []


def event_of(record: Record, members: Members, index: int = 0) -> Event:
    """An event's members as an `Event`. Nothing here raises; what has another type is as if it were not there."""
    whole = members
    for inner in ("eventMetadata", "rawEvent", "eventData"):
        whole = {**whole, **{k: v for k, v in members_of(got(members, inner)).items() if v is not None}}
    content = members_of(got(whole, "content"))
    actions = {**members_of(got(whole, "options")), **members_of(got(whole, "actions"))}
    session, own = _in_name(text(whole.get("name")))
    event = Event(
        record=record,
        index=index,
        id=got_text(whole, "id") or own,
        invocation=got_text(whole, "invocationId"),
        author=got_text(whole, "author"),
        at=moment(got(whole, "timestamp")),
        role=got_text(content, "role"),
        parts=parts_of(content),
        partial=whole.get("partial") is True or actions.get("partial") is True,
        model=got_text(whole, "modelVersion"),
        transfer=got_text(actions, "transferToAgent") or got_text(actions, "transferAgent"),
        escalates=actions.get("escalate") is True,
        confirmations=members_of(got(actions, "requestedToolConfirmations")),
        call_event=got_text(actions, "functionCallEventId"),
        session=got_text(members, "sessionId") or session or got_text(whole, "sessionId"),
        app=got_text(whole, "appName"),
        user=got_text(whole, "userId"),
        notes=_notes(whole, actions),
    )
    running = listed(got(whole, "longRunningToolIds") or got(whole, "longRunningToolIdsJson"))
    event.long_running = frozenset(i for i in running if isinstance(i, str))
    event.input_tokens, event.output_tokens = _tokens(members_of(got(whole, "usageMetadata")))
    code = got_text(whole, "errorCode")
    event.error = (
        got_text(whole, "errorMessage") or code if code not in _GOOD_FINISH else got_text(whole, "errorMessage")
    )
    finish = got_text(whole, "finishReason")
    if whole.get("interrupted") is True:
        event.gap = "interrupted before the answer was complete"
    elif finish not in _GOOD_FINISH:
        event.gap = f"the answer ended early ({finish})"
    return event


def parts_of(content: Members) -> list[Part]:
    """What the content's parts say; thoughts and signatures without words say nothing."""
    found: list[Part] = []
    for part in listed(content.get("parts")):
        if not isinstance(part, dict):
            continue
        call, response = members_of(got(part, "functionCall")), members_of(got(part, "functionResponse"))
        code, ran = members_of(got(part, "executableCode")), members_of(got(part, "codeExecutionResult"))
        if call:
            found.append(Part(CALL, got_text(call, "name"), got_text(call, "id"), call.get("args")))
        elif response:
            found.append(Part(RESPONSE, got_text(response, "name"), got_text(response, "id"), response.get("response")))
        elif code:
            found.append(Part(CALL, CODE_TOOL, got_text(code, "id"), code))
        elif ran:
            found.append(Part(RESPONSE, CODE_TOOL, got_text(ran, "id"), ran))
        elif isinstance(said := part.get("text"), str) and said:
            found.append(Part(TEXT, payload=said))
        elif data := members_of(got(part, "inlineData")) or members_of(got(part, "fileData")):
            kind = got_text(data, "mimeType") or "data"
            found.append(Part(TEXT, payload=f"[{got_text(data, 'fileUri') or kind}]"))
    return found


def said_in(event: Event) -> str | None:
    """The event's texts together, as JSON text."""
    texts = [str(part.payload) for part in event.parts if part.sort == TEXT]
    return as_text("".join(texts)) if texts else None


_NOTED: Final = ("stateDelta", "artifactDelta", "updateContext", "compaction", "rewindBeforeInvocationId",
                 "endOfAgent", "agentState", "route", "output")  # fmt: skip


def _notes(whole: Members, actions: Members) -> Members:
    """What an event changes beside saying something."""
    noted = {name: value for name in _NOTED if (value := got(actions, name)) not in (None, {}, [], False)}
    if "output" not in noted and (value := whole.get("output")) not in (None, {}, []):
        noted["output"] = value
    return noted


def _in_name(name: str | None) -> tuple[str | None, str | None]:
    """Session and event id in a resource name `.../sessions/<id>/events/<id>`."""
    parts = name.split("/") if name else []
    found = dict(zip(parts[::2], parts[1::2], strict=False))
    return found.get("sessions") or None, found.get("events") or None


def session_in_name(name: object) -> str | None:
    """The session id in a resource name."""
    return _in_name(text(name))[0]


def _tokens(usage: Members) -> tuple[int | None, int | None]:
    """Input and output; a model's thoughts are output that is paid for and not shown."""
    asked, answered, thought = (
        value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LARGEST // 2 else None
        for value in (got(usage, f"{name}TokenCount") for name in ("prompt", "candidates", "thoughts"))
    )
    output = None if answered is None and thought is None else (answered or 0) + (thought or 0)
    return asked, output
