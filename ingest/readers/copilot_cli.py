"""Copilot CLI session events (events.jsonl): one object a line with type, id, parentId, timestamp and data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from ingest.event import Observation, Rejected
from ingest.readers import reader
from ingest.readers._copilot_cli_session import Session
from ingest.readers._members import members_of
from ingest.records import Record

_TYPE: Final = re.compile(
    r"(session|user|assistant|tool|permission|subagent|hook|system|skill|elicitation|external_tool|command|exit_plan_mode"
    r"|user_input|mcp|sampling|auto_mode_switch|model)\.\w+|abort|pending_messages\.modified"
)
_KEYS: Final = {"type", "id", "timestamp", "parentId", "data"}


def _claims(first: object) -> bool:
    if not isinstance(first, dict) or not first.keys() >= _KEYS or not isinstance(first["data"], dict):
        return False
    return isinstance(first["type"], str) and _TYPE.fullmatch(first["type"]) is not None


@reader(claims=_claims)
def copilot_cli(records: Iterable[Record]) -> Iterator[Observation | Rejected]:
    """Copilot CLI session events: messages, tool calls with their permissions, subagents.

    A tool call is told of by the message that asks for it, by its start and by its end: one step. A
    permission that was asked for and answered is one approval, bound to its call.
    """
    session = Session()
    for record in records:
        members = members_of(record)
        if isinstance(members, Rejected):
            session.out.append(members)
        else:
            session.add(record, members)
    yield from session.finish()
