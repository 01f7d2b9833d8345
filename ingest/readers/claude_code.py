"""Claude Code session files: main sessions, subagents, and what `--output-format stream-json` prints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from ingest.event import Observation, Rejected
from ingest.readers import reader
from ingest.readers._claude_code_session import Session
from ingest.readers._members import members_of
from ingest.records import Record

_SPOKEN: Final = {"user", "assistant", "system", "progress", "attachment"}
_ASIDE: Final = {
    "summary", "file-history-snapshot", "queue-operation", "custom-title", "ai-title", "last-prompt", "pr-link",
    "permission-mode", "mode", "agent-name", "agent-color", "agent-setting", "tag", "saved_hook_context",
    "content-replacement", "worktree-state", "attribution-snapshot", "started", "result",
}  # fmt: skip
_ASIDE_KEYS: Final = {"sessionId", "leafUuid", "messageId", "agentId"}


def _claims(first: object) -> bool:
    """A line that has Claude Code's own names; `type` alone is every format's."""
    if not isinstance(first, dict):
        return False
    kind = first.get("type")
    if not isinstance(kind, str) or "hook_event_name" in first:
        return False
    if kind in _SPOKEN and "parentUuid" in first and ("uuid" in first or "sessionId" in first):
        return True
    if kind in ("system", "user", "assistant") and "session_id" in first:
        # What stream-json prints: the opening line lists the session's tools; messages name the calling tool.
        return "parent_tool_use_id" in first or first.get("subtype") == "init"
    return kind in _ASIDE and bool(_ASIDE_KEYS & first.keys()) and "data" not in first and "projectHash" not in first


@reader(claims=_claims)
def claude_code(records: Iterable[Record]) -> Iterator[Observation | Rejected]:
    """Claude Code session files (JSON lines), main and subagent.

    One API message is one model call, over however many lines it was written; a tool's result joins its call
    by id. Denials by a person stand in the result's text; a person's yes leaves no trace in this source.
    """
    session = Session()
    for record in records:
        members = members_of(record)
        if isinstance(members, Rejected):
            session.out.append(members)
        else:
            session.add(record, members)
    yield from session.finish()
