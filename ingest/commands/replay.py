"""`custodiet replay`: one session, step by step."""

from __future__ import annotations

from typing import Annotated

import typer

from ingest.command import DATA, Data, Json, command, inert, note, show


@command
def replay(
    session: Annotated[str, typer.Argument(help="A session id, as `custodiet sessions` lists them.")],
    data: Data = DATA,
    json: Json = False,
) -> None:
    """Show one session step by step, in its total order."""
    from ingest.database import open_published
    from ingest.replay import replay as steps_of

    steps = steps_of(open_published(data), session)
    if steps.is_empty():
        note(f"no session {inert(session)} in {data}; `custodiet sessions` lists what is there")
        raise typer.Exit(1)
    show(
        steps,
        json,
        ["step", "started_at", "agent_id", "kind", "operation", "tool", "target", "status", "approval"],
    )
