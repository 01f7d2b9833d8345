"""`custodiet cases`: what was found."""

from __future__ import annotations

from ingest.command import DATA, Data, Json, command, show


@command
def cases(data: Data = DATA, json: Json = False) -> None:
    """List the cases, the worst first."""
    from ingest.database import ask, open_published

    sql = "from cases order by anomaly * impact desc, case_id"
    show(ask(open_published(data), sql), json, ["case_id", "severity", "title", "agents", "why", "first_at"])
