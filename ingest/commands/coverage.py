"""`custodiet coverage`: how full the logs are."""

from __future__ import annotations

import typer

from ingest.command import DATA, Data, Json, command, jsonable, print_json, show


@command
def coverage(data: Data = DATA, json: Json = False) -> None:
    """Show how full each field of each source is, and which detectors could not have fired."""
    from ingest.coverage import coverage as filled
    from ingest.coverage import unmapped_vocabulary
    from ingest.database import ask, open_published

    connection = open_published(data)
    told = {
        "fields": filled(connection),
        "vocabulary": unmapped_vocabulary(connection),
        "unmatched": ask(connection, "from unmatched order by steps desc, tool, agent_id"),
        "could_fire": ask(connection, "from could_fire order by detector, agent_id"),
        "gaps": ask(connection, "select kind, detail, count(*) as steps from gaps group by all order by all"),
    }
    if json:
        print_json({name: jsonable(rows) for name, rows in told.items()})
        return
    for title, rows in told.items():
        typer.echo(f"\n{title}")
        show(rows, json)
