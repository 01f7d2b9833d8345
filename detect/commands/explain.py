"""`custodiet explain`: one case as a story."""

from __future__ import annotations

from typing import Annotated

import typer

from ingest.command import DATA, Data, Json, command, inert, jsonable, note, print_json


@command
def explain(
    case: Annotated[str, typer.Argument(help="A case id, or the beginning of one.")],
    data: Data = DATA,
    json: Json = False,
) -> None:
    """Tell a case as a numbered story, each step with its file and line."""
    from detect.explain import cases_like, story, told
    from ingest.database import open_published

    connection = open_published(data)
    found = cases_like(connection, case)
    if len(found) != 1:
        note(f"{len(found)} cases begin with {inert(case)}; `custodiet cases` lists them")
        raise typer.Exit(1)
    if json:
        print_json({name: jsonable(rows) for name, rows in told(connection, found[0]).items()})
        return
    for line in story(connection, found[0]):
        typer.echo(inert(line))
