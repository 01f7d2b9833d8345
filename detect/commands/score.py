"""`custodiet score`: whole sessions against their agent's history."""

from __future__ import annotations

import typer

from ingest.command import DATA, Capabilities, Data, Json, command, jsonable, print_json, show, working

_SHOWN = ["session_id", "agent_id", "day", "p", "history", "reasons"]


@command
def score(data: Data = DATA, json: Json = False, capabilities: Capabilities = None) -> None:
    """Score whole sessions by the weeks before them; the next `detect` makes cases of those unlike their history."""
    from baseline.capability import Capabilities as Table
    from detect.session_scores import MOST_OFFERED, score_sessions
    from ingest.database import ask, open_published, write_for_people

    with working("scoring"):
        scored = score_sessions(data, Table.load(*(capabilities or [])))
    write_for_people(data)
    connection = open_published(data)
    if json:
        print_json(jsonable(ask(connection, "from session_scores order by day, session_id, agent_id")))
        return
    low = ask(connection, "from session_scores where p <= $most order by p, session_id", most=MOST_OFFERED)
    typer.echo(f"{scored} sessions scored; {low.height} with p of at most {MOST_OFFERED:g}")
    if low.height:
        show(low, json=False, columns=_SHOWN)
