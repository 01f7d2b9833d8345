"""ADK exports -> sessions: documents, bare events, table rows, Vertex listings, eval sets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from ingest.event import Rejected
from ingest.payloads import read, text
from ingest.readers._adk_event import (
    CALL,
    RESPONSE,
    TEXT,
    Event,
    Part,
    event_of,
    got,
    got_text,
    listed,
    members_of,
    parts_of,
    session_in_name,
)
from ingest.readers._chat_values import Members
from ingest.records import Record
from ingest.times import moment

_REMEDY: Final = "fix or remove it and ingest again"
_MOST_NESTED: Final = 4
_LONGEST_HEADER_BYTES: Final = 1 << 16
_RAWS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ELEMENTS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_ANY: Final = msgspec.json.Decoder()
_LISTS: Final = (
    "sessions", "events", "past_events", "pastEvents", "sessionEvents", "session_events", "event_logs", "eventLogs",
    "eval_cases", "evalCases", "eval_case_results", "evalCaseResults", "conversation",
)  # fmt: skip
_LOGS: Final = {"event_logs", "eventLogs"}


class Session(msgspec.Struct):
    """One session's events, in the file's order, and what stands around them."""

    record: Record
    id: str | None = None
    app: str | None = None
    user: str | None = None
    events: list[Event] = []
    logs: list[tuple[Record, Members]] = []
    is_evaluation: bool = False
    """Turns of an eval set: calls without results and approvals, the list being the only order."""


def listed_raws(raw: msgspec.Raw) -> list[msgspec.Raw] | None:
    """A member's elements, None where it is no list."""
    return read(_ELEMENTS, raw)


def is_event(value: object) -> bool:
    """An event, or a row of the events table."""
    if not isinstance(value, dict):
        return False
    if got_text(value, "invocationId") and (got_text(value, "author") or got(value, "eventData") is not None):
        return True
    return bool(got(value, "eventData")) and got_text(value, "sessionId") is not None


def claims(first: object) -> bool:
    """A session, an event, an eval set, or a list of such."""
    return _claims(first, _MOST_NESTED)


def _claims(value: object, deepest: int) -> bool:
    if isinstance(value, list):
        return bool(value) and deepest > 0 and all(_claims(part, deepest - 1) for part in value)
    if not isinstance(value, dict):
        return False
    if is_event(value) or _is_turn(value) or isinstance(got(value, "sessionEvents"), list):
        return True
    if got_text(value, "evalSetId") and isinstance(got(value, "evalCases") or got(value, "evalCaseResults"), list):
        return True
    if got_text(value, "evalId") and isinstance(value.get("conversation"), list):
        return True
    named = got_text(value, "appName") is not None and got_text(value, "userId") is not None
    if isinstance(events := value.get("events"), list):
        return all(is_event(part) for part in events) if events else named
    if isinstance(sessions := value.get("sessions"), list):
        return bool(sessions) and deepest > 0 and all(_claims(part, deepest - 1) for part in sessions)
    if isinstance(data := value.get("data"), list):
        return bool(data) and all(_is_turn(part) for part in data)
    return (named and "state" in value) or (_is_vertex_session(value) and got(value, "createTime") is not None)


def _is_turn(value: object) -> bool:
    """A turn of an eval set: today's invocation, or the query of exports before 1.0."""
    if not isinstance(value, dict):
        return False
    old = isinstance(value.get("query"), str) and "expected_tool_use" in value
    return old or (isinstance(got(value, "userContent"), dict) and got_text(value, "invocationId") is not None)


def _is_vertex_session(value: Members) -> bool:
    return (
        session_in_name(value.get("name")) is not None
        and "events" not in value
        and got_text(value, "userId") is not None
    )


class Sessions:
    """A file while it is taken apart. Loose events are put together by the session that they name."""

    def __init__(self) -> None:
        self.loose: dict[tuple[str | None, str | None, str | None], Session] = {}

    def of(self, records: Iterable[Record | Rejected]) -> Iterator[Session | Rejected]:
        """Every session of a file."""
        for record in records:
            if isinstance(record, Rejected):
                yield record
            else:
                yield from self._take(record, Session(record), _MOST_NESTED)
        yield from self.loose.values()

    def _take(self, record: Record, around: Session, deepest: int) -> Iterator[Session | Rejected]:
        if record.raw[:1] == b"[":
            elements = record.decode(_ELEMENTS)
            if isinstance(elements, Rejected):
                yield elements
            elif not elements or deepest == 0:
                yield Rejected(record.line, f"a list that holds no events; {_REMEDY}")
            else:
                yield from self._list(record, elements, around, deepest)
            return
        raws = record.decode(_RAWS)
        if isinstance(raws, Rejected):
            yield raws
            return
        header: Members = {
            key: read(_ANY, raw)
            for key, raw in raws.items()
            if key not in _LISTS or len(bytes(raw)) <= _LONGEST_HEADER_BYTES
        }
        whole = self._inner(raws)
        if is_event(header) or _is_turn(header) or not (whole or self._is_session(header)):
            yield from self._leaf(record, header, around)
            return
        inside = Session(
            record,
            got_text(header, "evalId") or got_text(header, "id") or session_in_name(header.get("name")) or around.id,
            got_text(header, "appName") or got_text(members_of(got(header, "sessionInput")), "appName") or around.app,
            got_text(header, "userId") or got_text(members_of(got(header, "sessionInput")), "userId") or around.user,
            [],
            [],
        )
        details = raws.get("session_details", raws.get("sessionDetails"))
        if details is not None and bytes(details)[:1] == b"{":
            yield from self._take(next(iter(record.elements([details]))), inside, deepest - 1)
            return
        yield from self._members(record, whole, inside, deepest)

    def _members(
        self, record: Record, whole: dict[str, msgspec.Raw], inside: Session, deepest: int
    ) -> Iterator[Session | Rejected]:
        for key, raw in whole.items():
            part = next(iter(record.elements([raw])))
            elements = listed_raws(raw)
            if elements is None or deepest == 0:
                continue
            if key in _LOGS:
                self._logs(part, elements, inside)
                continue
            for element in part.elements(elements):
                if key in ("sessions", "eval_cases", "evalCases", "eval_case_results", "evalCaseResults"):
                    yield from self._take(element, Session(element, None, inside.app, inside.user), deepest - 1)
                    continue
                members = read(_ANY, element.raw)
                if isinstance(members, dict) and (is_event(members) or _is_turn(members)):
                    self._put(inside, element, members)
                else:
                    yield Rejected(element.line, f"neither an event nor a turn; {_REMEDY}")
        if inside.events or inside.logs or not any(listed_raws(raw) for raw in whole.values()):
            yield inside

    def _list(
        self, record: Record, elements: list[msgspec.Raw], around: Session, deepest: int
    ) -> Iterator[Session | Rejected]:
        for element in record.elements(elements):
            if element.raw[:1] in (b"{", b"["):
                yield from self._take(element, around, deepest - 1)
            else:
                yield Rejected(element.line, f"neither a session nor an event; {_REMEDY}")

    def _leaf(self, record: Record, header: Members, around: Session) -> Iterator[Rejected]:
        if not (is_event(header) or _is_turn(header)):
            yield Rejected(record.line, f"neither a session nor an event; {_REMEDY}")
            return
        event = event_of(record, header)
        key = (event.session or around.id, event.app or around.app, event.user or around.user)
        self._put(self.loose.setdefault(key, Session(record, *key, [], [])), record, header)

    def _put(self, session: Session, record: Record, members: Members) -> None:
        if _is_turn(members):
            session.is_evaluation = True
            session.events += turn_of(record, members, len(session.events))
            return
        event = event_of(record, members, len(session.events))
        session.id, session.app, session.user = (
            session.id or event.session, session.app or event.app, session.user or event.user,
        )  # fmt: skip
        session.events.append(event)

    def _logs(self, part: Record, elements: list[msgspec.Raw], inside: Session) -> None:
        for element in part.elements(elements):
            members = read(_ANY, element.raw)
            inside.logs.append((element, members if isinstance(members, dict) else {}))

    @staticmethod
    def _is_session(header: Members) -> bool:
        named = got_text(header, "appName") is not None and got_text(header, "userId") is not None
        return named or _is_vertex_session(header) or got(header, "sessionDetails") is not None

    @staticmethod
    def _inner(raws: dict[str, msgspec.Raw]) -> dict[str, msgspec.Raw]:
        named = {key: raw for key, raw in raws.items() if key in _LISTS and bytes(raw)[:1] == b"["}
        if not named and "data" in raws and bytes(raws["data"])[:1] == b"[":
            return {"conversation": raws["data"]}
        return named


def turn_of(record: Record, members: Members, index: int) -> list[Event]:
    """A turn of an eval set as the events that it stands for: the question, the calls, the answer."""
    invocation = got_text(members, "invocationId")
    at = moment(got(members, "creationTimestamp"))
    middle = members_of(got(members, "intermediateData"))

    def event(author: str | None, role: str, parts: list[Part]) -> None:
        events.append(
            Event(
                record=record,
                index=index + len(events),
                invocation=invocation,
                author=author,
                at=at,
                role=role,
                parts=parts,
            )
        )

    events: list[Event] = []
    asked = parts_of(members_of(got(members, "userContent"))) or [Part(TEXT, payload=text(members.get("query")))]
    event("user", "user", asked)
    for inner in listed(got(middle, "invocationEvents")):
        said = members_of(inner)
        role = got_text(members_of(got(said, "content")), "role") or "model"
        event(got_text(said, "author"), role, parts_of(members_of(got(said, "content"))))
    made = [Part(CALL, got_text(c, "name"), got_text(c, "id"), c.get("args"))
            for c in map(members_of, listed(got(middle, "toolUses"))) if c]  # fmt: skip
    made += [Part(CALL, got_text(c, "tool_name"), None, c.get("tool_input"))
             for c in map(members_of, listed(members.get("expected_tool_use"))) if c]  # fmt: skip
    if made:
        event(None, "model", made)
    answers = [Part(RESPONSE, got_text(r, "name"), got_text(r, "id"), r.get("response"))
               for r in map(members_of, listed(got(middle, "toolResponses"))) if r]  # fmt: skip
    if answers:
        event(None, "user", answers)
    for said_by in listed(got(middle, "intermediateResponses")):
        if isinstance(said_by, list) and len(said_by) == 2:
            event(text(said_by[0]), "model", parts_of({"parts": said_by[1]}))
    final = parts_of(members_of(got(members, "finalResponse")))
    if not final and text(members.get("reference")):
        final = [Part(TEXT, payload=members["reference"])]
    if final:
        event(None, "model", final)
    return events
