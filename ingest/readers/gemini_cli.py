"""Gemini CLI sessions: chat recordings, saved chats, checkpoints and the log of prompts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from ingest.event import Observation, Rejected
from ingest.payloads import read
from ingest.readers import reader
from ingest.readers._gemini_cli_contents import Contents
from ingest.readers._gemini_cli_session import Session
from ingest.readers._members import Members, members_of, raws_in
from ingest.records import Record

_DOCUMENT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TELLING: Final = {"toolCall", "authType", "clientHistory", "commitHash"}


def _is_content(value: object) -> bool:
    return isinstance(value, dict) and value.get("role") in ("user", "model") and isinstance(value.get("parts"), list)


def _is_contents(value: object) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(_is_content(v) and value[0].keys() <= {"role", "parts"} for v in value)
    )


def _is_prompt(value: object) -> bool:
    return (
        isinstance(value, dict)
        and {"sessionId", "messageId", "type", "message"} <= value.keys()
        and "uuid" not in value
    )


def _claims(first: object) -> bool:
    if isinstance(first, dict):
        if "sessionId" in first and "projectHash" in first:
            return True
        history = first.get("history")
        return bool(_TELLING & first.keys()) and isinstance(history, list) and "sessionId" not in first
    return _is_contents(first) or (isinstance(first, list) and bool(first) and _is_prompt(first[0]))


@reader(claims=_claims)
def gemini_cli(records: Iterable[Record]) -> Iterator[Observation | Rejected]:
    """Gemini CLI chat recordings (JSON, or JSON lines of newer versions), saved chats and checkpoints.

    A message of the model is a model call with its tokens, each tool call in it a step. Saved chats and
    checkpoints have neither ids nor times: there the order is the list's.
    """
    session = Session()
    for record in records:
        if record.raw[:1] == b"[":
            yield from _list(record)
            continue
        members = members_of(record)
        if isinstance(members, Rejected):
            yield members
        elif "history" in members and _TELLING & members.keys() and "sessionId" not in members:
            yield from _checkpoint(record, members)
        elif isinstance(members.get("messages"), list) and "projectHash" in members:
            yield from _document(record, members)
        elif "projectHash" in members:
            session.open(record, members)
            session.header_records += 1
        else:
            session.add(record, members)
    yield from session.finish(records=session.header_records)


def _document(record: Record, members: Members) -> Iterator[Observation | Rejected]:
    """A recording in one document; without messages it is a session and nothing more."""
    session = Session()
    session.open(record, members)
    elements = raws_in((read(_DOCUMENT, record.raw) or {}).get("messages"))
    for element in record.elements(elements):
        _message(session, element)
    yield from session.finish(records=0 if elements else 1)


def _message(session: Session, element: Record) -> None:
    message = members_of(element)
    if isinstance(message, Rejected):
        session.out.append(message)
    else:
        session.add(element, message)


def _list(record: Record) -> Iterator[Observation | Rejected]:
    elements = list(record.elements(raws_in(record.raw)))
    if not elements:
        yield Rejected(record.line, "an empty list or no JSON; remove it and ingest again")
        return
    first = members_of(elements[0])
    if isinstance(first, dict) and _is_prompt(first):
        by_session: dict[str, Session] = {}
        for element in elements:
            members = members_of(element)
            if isinstance(members, Rejected):
                yield members
                continue
            key = str(members.get("sessionId"))
            session = by_session.setdefault(key, Session())
            session.open(element, {"sessionId": key})
            session.add(element, {**members, "content": members.get("message"), "id": None})
        for session in by_session.values():
            yield from session.finish(records=0)
        return
    yield from Contents(elements, None).observations()


def _checkpoint(record: Record, members: Members) -> Iterator[Observation | Rejected]:
    """A saved chat, or the state before a tool call: the history, and the call that waits for a yes."""
    held = read(_DOCUMENT, record.raw) or {}
    elements = list(record.elements(raws_in(held.get("history"))))
    yield from Contents(elements, record, members.get("toolCall")).observations()
