"""What a conversation is known by, which calls hand over to another agent, which messages decide."""

from __future__ import annotations

from typing import Final

from ingest.event import identify
from ingest.joins import is_random
from ingest.payloads import as_text
from ingest.readers._chat_shape import Message
from ingest.readers._chat_values import Members, first_text

_OWN_IDS: Final = ("trace_id", "run_id", "id")
_SHORTEST_ID: Final = 3
_SHORTEST_NUMBER: Final = 10
"""Shorter ones count something (a line, a task) and come again in the next file."""


def trace_of(header: Members, session: str | None, messages: list[Message]) -> str:
    """The conversation's own id; else an id in it that nothing else has; else a hash of what was said.

    A session may hold several conversations, and many files number theirs from 0: such an id counts
    together with the opening question, so that two conversations never run into one.
    """
    own = first_text(header, _OWN_IDS)
    if own is not None and len(own) >= (_SHORTEST_NUMBER if own.isdigit() else _SHORTEST_ID):
        return own
    if own is not None or session is not None:
        opening = next((m for m in messages if m.members.get("role") == "user"), messages[0])
        return identify("chat", session, own, as_text(opening.members.get("content")))
    for message in messages:
        calls = message.members.get("tool_calls")
        ids = [message.members.get("id"), message.members.get("call_id")]
        ids += [call.get("id") for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
        for identity in ids:
            if isinstance(identity, str) and is_random(identity):
                return identity
    return identify("chat", *(message.record.sha256 for message in messages))


def is_approval(members: Members) -> bool:
    """Whether a message is a decision and nothing else."""
    if members.get("role") == "approval":
        return True
    return members.get("role") not in ("assistant", "tool", "function") and _states_approval(members)


def _states_approval(members: Members) -> bool:
    return isinstance(members.get("approval"), dict | bool)


def carries_approval(members: Members) -> bool:
    """Whether a message states a decision beside what else it is."""
    calls = members.get("tool_calls")
    inside = calls if isinstance(calls, list) else []
    return "approval" in members or any(isinstance(call, dict) and "approval" in call for call in inside)
