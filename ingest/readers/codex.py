"""Codex sessions: rollout files of the CLI, older ones too, and what `codex exec --json` prints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from ingest.event import Observation, Rejected
from ingest.payloads import read, text
from ingest.readers import reader
from ingest.readers._codex_exec import Exec
from ingest.readers._codex_rollout import Rollout
from ingest.readers._members import Members, members_of, raws_in
from ingest.records import Record

_ROLLOUT: Final = {
    "session_meta",
    "turn_context",
    "response_item",
    "event_msg",
    "compacted",
    "inter_agent_communication",
}
_OLD_ITEMS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


def _is_exec(first: Members) -> bool:
    kind = first.get("type")
    if not isinstance(kind, str):
        return False
    if kind == "thread.started":
        return "thread_id" in first
    is_item = kind in ("item.started", "item.updated", "item.completed") and isinstance(first.get("item"), dict)
    return is_item or (
        kind in ("turn.started", "turn.completed", "turn.failed") and first.keys() <= {"type", "usage", "error"}
    )


def _is_old_document(first: Members) -> bool:
    session = first.get("session")
    return isinstance(session, dict) and "instructions" in session and isinstance(first.get("items"), list)


def _claims(first: object) -> bool:
    if not isinstance(first, dict):
        return False
    if text(first.get("type")) in _ROLLOUT and "payload" in first:
        return True
    if {"id", "timestamp", "instructions"} <= first.keys() and not {"type", "messages"} & first.keys():
        return True
    return _is_exec(first) or _is_old_document(first)


@reader(claims=_claims)
def codex(records: Iterable[Record]) -> Iterator[Observation | Rejected]:
    """Codex rollout files and the lines of `codex exec --json`.

    What a rollout holds twice (as the model's item and as the program's event) is one step. A person's no
    stands in the call's output; approval policy `never` means that nobody was asked.
    """
    rollout, execution = Rollout(), Exec()
    for record in records:
        members = members_of(record)
        if isinstance(members, Rejected):
            yield members
        elif _is_exec(members) or execution.has_begun:
            execution.add(record, members)
        elif _is_old_document(members):
            _old_document(record, rollout)
        else:
            rollout.add(record, members)
    yield from rollout.finish()
    yield from execution.finish()


def _old_document(record: Record, rollout: Rollout) -> None:
    """The first rollouts: one object with the session and its items."""
    held = read(_OLD_ITEMS, record.raw) or {}
    for part in record.elements([held["session"], *raws_in(held["items"])]):
        members = members_of(part)
        if isinstance(members, Rejected):
            rollout.out.append(members)
        else:
            rollout.add(part, members)
