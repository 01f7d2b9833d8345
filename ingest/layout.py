"""Where a mapped format keeps what, and what that makes of one of its records."""

from __future__ import annotations

from functools import cached_property
from typing import Final

import msgspec

from ingest.arguments import named_by
from ingest.decisions import is_policy
from ingest.event import Approval, Kind, Observation, Status, identify
from ingest.payloads import as_text, count, payload
from ingest.records import Record
from ingest.times import moment

_VALUES: Final = {"sequence", "time", "end", "arguments", "result", "input_tokens", "output_tokens"}
"""The fields that are read by their type; the others are text."""
_STATUS: Final[dict[str, Status]] = {
    "ok": "ok", "success": "ok", "succeeded": "ok", "completed": "ok", "true": "ok",
    "error": "error", "failed": "error", "failure": "error", "false": "error", "timeout": "error",
    "denied": "denied", "blocked": "denied", "rejected": "denied", "forbidden": "denied",
    "pending": "pending", "running": "pending", "waiting": "pending",
}  # fmt: skip

Pointer = tuple[str, ...]


class Layout(msgspec.Struct, frozen=True, dict=True):
    """A mapping file, checked."""

    name: str
    file: str
    records: Pointer | None
    match: tuple[tuple[Pointer, object], ...]
    fields: dict[str, tuple[Pointer, ...]]
    needed: frozenset[str]
    kinds: dict[str, Kind]
    statuses: dict[str, Status]
    approvals: dict[str, Approval]
    records_approvals: bool

    @cached_property
    def _members(self) -> tuple[tuple[str, str], ...]:
        """The fields that one member of the record holds, with its key."""
        return tuple((name, paths[0][0]) for name, paths in self.fields.items() if list(map(len, paths)) == [1])

    @cached_property
    def _deeper(self) -> tuple[tuple[str, tuple[Pointer, ...]], ...]:
        """The other fields."""
        members = {name for name, _ in self._members}
        return tuple((name, paths) for name, paths in self.fields.items() if name not in members)

    def found_in(self, value: dict[str, object]) -> dict[str, object]:
        """What a record says, by field; what is text as such."""
        get = value.get
        found = {name: said for name, key in self._members if (said := get(key)) is not None and said != ""}
        for name, paths in self._deeper:
            if (said := _first_at(value, paths)) is not None:
                found[name] = said
        for name, said in found.items():
            if not isinstance(said, str) and name not in _VALUES:
                found[name] = as_text(said)
        return found

    def observation(self, record: Record, value: dict[str, object]) -> Observation:
        """What a record, given decoded too, says of its step."""
        found = self.found_in(value)
        said = found.get
        text: dict[str, str] = found  # type: ignore[assignment]  # read below by the names of texts only
        word = text.get
        own_id, session = word("id"), word("session")
        trace = word("trace") or session or own_id or record.sha256
        own = (trace, own_id) if own_id else (record.sha256,)
        parent = word("parent")
        arguments = payload(given := said("arguments"))
        named = named_by(given, arguments)
        kind = self.kinds.get(word("kind", ""), "tool_call")
        approver, approval = word("approver"), self.approvals.get(word("approval", ""))
        if approval == "approved" and is_policy(approver):
            approval = "automatic"
        if approval is None and kind in ("tool_call", "approval"):
            approval = "not_recorded" if self.records_approvals else "cannot_record"
        started_at, status = moment(said("time")), word("status", "")
        return Observation(
            event_id=identify("mapped", self.name, *own),
            trace_id=trace,
            session_id=session,
            agent_id=word("agent"),
            agent_version=word("version"),
            parent_event_id=identify("mapped", self.name, trace, parent) if parent else None,
            sequence=count(said("sequence")),
            started_at=started_at,
            ended_at=moment(said("end")),
            kind=kind,
            operation=word("operation") or word("kind") or self.name,
            tool=word("tool"),
            arguments=arguments,
            result=payload(said("result")),
            status=self.statuses.get(status) or _STATUS.get(status.lower(), "unknown"),
            error=word("error"),
            model=word("model"),
            principal=word("principal") or named.principal,
            credential_id=word("credential") or named.credential_id,
            on_behalf_of=word("human") or named.on_behalf_of,
            source_host=word("host"),
            target=word("target") or named.target,
            approver=approver,
            approval=approval,
            input_tokens=count(said("input_tokens")),
            output_tokens=count(said("output_tokens")),
            gap=None if started_at is not None else "the record has no time that can be read",
            source=record.source,
            source_sha256=record.sha256,
            witness="log",
        )


def at(value: object, pointer: Pointer) -> object:
    """What stands at the pointer, None where nothing does."""
    for part in pointer:
        match value:
            case dict():
                value = value.get(part)
            case list() if part.isdecimal() and int(part) < len(value):
                value = value[int(part)]
            case _:
                return None
    return value


def _first_at(value: dict[str, object], paths: tuple[Pointer, ...]) -> object:
    for path in paths:
        found = at(value, path)
        if found is not None and found != "":
            return found
    return None
