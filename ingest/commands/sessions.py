"""`custodiet sessions`: what was read, a session a line."""

from __future__ import annotations

from ingest.command import DATA, Data, Json, command, show


@command
def sessions(data: Data = DATA, json: Json = False) -> None:
    """List the sessions, the newest first."""
    from ingest.database import ask, open_published

    sql = "from sessions order by first_at desc nulls last, session_id"
    show(
        ask(open_published(data), sql),
        json,
        ["session_id", "agent_id", "steps", "tool_calls", "errors", "first_at"],
    )
