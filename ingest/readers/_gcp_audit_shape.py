"""Files of Google Cloud audit logs -> log entries: lines, arrays, listings, Pub/Sub and CloudEvents wrapping."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from ingest.event import Rejected
from ingest.payloads import text, value_of
from ingest.readers._chat_values import Members
from ingest.readers._gcp_workflow_steps import STEP_ENTRY
from ingest.records import Record

_REMEDY: Final = "leave it out of the export, or ignore this"
_WRAPPERS: Final = ("message", "data", "log", "logEntry", "log_entry", "LogEntry", "event")
_LISTS: Final = ("entries", "stepEntries", "receivedMessages", "logs", "messages")
_MOST_NESTED: Final = 4
_ELEMENTS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_RAWS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ANY: Final = msgspec.json.Decoder()
_PROTO: Final = "protoPayload"
EXECUTIONS: Final = "workflows.googleapis.com/executions_system"
ENGINE_CALLS: Final = "workflows.googleapis.com/engine_call"


class Entry(msgspec.Struct):
    """One log entry."""

    record: Record
    members: Members

    def get(self, name: str) -> object:
        """A member; some collectors write every key in lower case."""
        value = self.members.get(name)
        return value if value is not None else self.members.get(name.lower())

    @property
    def payload(self) -> Members:
        """The AuditLog message, under the names that a sink to files, BigQuery or a collector gives it."""
        for name in (_PROTO, "protopayload_auditlog", "proto_payload"):
            if isinstance(value := self.get(name), dict):
                return value
        return {}

    @property
    def log(self) -> str:
        """The log's name without its percent signs."""
        return (text(self.get("logName")) or text(self.members.get("log_name")) or "").replace("%2F", "/")

    @property
    def is_audit(self) -> bool:
        """Whether it is an audit log's entry."""
        payload = self.payload
        kind = text(payload.get("@type")) or text(payload.get("at_sign_type")) or ""
        return kind.endswith("AuditLog") or (bool(payload) and (
            "cloudaudit.googleapis.com" in self.log or bool(payload.keys() & {"authenticationInfo", "methodName"})
        ))  # fmt: skip

    @property
    def is_execution(self) -> bool:
        """Whether it tells of a Cloud Workflows execution."""
        return self.log.endswith(EXECUTIONS) and isinstance(self.get("jsonPayload"), dict)

    @property
    def is_engine_call(self) -> bool:
        """Whether it tells of a call inside of a Workflows execution."""
        return self.log.endswith(ENGINE_CALLS) and isinstance(self.get("jsonPayload"), dict)

    @property
    def step_entry(self) -> re.Match[str] | None:
        """Its name's parts, where it is a step entry as the Workflow Executions API lists them."""
        return STEP_ENTRY.fullmatch(text(self.get("name")) or "") if "state" in self.members else None

    @property
    def is_ours(self) -> bool:
        """Whether it is an entry that this reader reads."""
        return self.is_audit or self.is_execution or self.is_engine_call or self.step_entry is not None


_NO_RECORD: Final = Record("", 0, b"")


def claims(first: object) -> bool:
    """An audit log's entry, bare or wrapped, or a list of such."""
    return _claims(first, _MOST_NESTED)


def _claims(value: object, deepest: int) -> bool:
    if deepest < 0:
        return False
    if isinstance(value, list):
        return bool(value) and any(_claims(part, deepest - 1) for part in value)
    if not isinstance(value, dict):
        return False
    entry = Entry(_NO_RECORD, value)
    if entry.is_ours:
        return True
    return any(_claims(_opened(value.get(key)), deepest - 1) for key in (*_WRAPPERS, *_LISTS) if key in value)


def _opened(value: object) -> object:
    """What a wrapper's member holds: an object, JSON text, or base64 of it."""
    if not isinstance(value, str) or not value:
        return value
    if value.lstrip()[:1] in ("{", "["):
        return value_of(value)
    try:
        plain = b64decode(value, validate=True)
    except (NotBase64, ValueError):
        return None
    return value_of(plain.decode("utf-8", "replace")) if plain.lstrip()[:1] in (b"{", b"[") else None


def entries(records: Iterable[Record | Rejected]) -> Iterator[Entry | Rejected]:
    """Every log entry of a file."""
    for record in records:
        if isinstance(record, Rejected):
            yield record
        else:
            yield from _entries(record, _MOST_NESTED)


def _entries(record: Record, deepest: int) -> Iterator[Entry | Rejected]:
    if record.raw[:1] == b"[":
        elements = record.decode(_ELEMENTS)
        if isinstance(elements, Rejected):
            yield elements
        elif not elements or deepest == 0:
            yield Rejected(record.line, f"a list without log entries; {_REMEDY}")
        else:
            for element in record.elements(elements):
                yield from _entries(element, deepest - 1)
        return
    raws = record.decode(_RAWS)
    if isinstance(raws, Rejected):
        yield raws
        return
    for key in _LISTS:
        if key in raws and bytes(raws[key])[:1] == b"[" and deepest > 0:
            yield from _entries(next(iter(record.elements([raws[key]]))), deepest - 1)
            return
    value = record.decode(_ANY)
    members = _unwrapped(value, _MOST_NESTED) if not isinstance(value, Rejected) else None
    if members is None:
        yield Rejected(record.line, f"no entry of an audit log; {_REMEDY}")
    else:
        yield Entry(record, members)


def _unwrapped(value: object, deepest: int) -> Members | None:
    """The log entry in a record, or None."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, dict):
        return None
    entry = Entry(_NO_RECORD, value)
    if entry.is_ours:
        return value
    if deepest > 0:
        for key in _WRAPPERS:
            found = _unwrapped(_opened(value.get(key)), deepest - 1) if key in value else None
            if found is not None:
                return found
    return None
