"""`custodiet silence`: what nobody wants to hear of, until when and why."""

from __future__ import annotations

import getpass
from typing import Annotated, Any

import typer

from detect.commands.alerts import iso_seconds
from ingest.command import DATA, Data, Json, group, note, print_json, show

silence, _app = group("silence", "Silences: what raises no alert, until when and why.")

By = Annotated[str | None, typer.Option("--by", help="Who says so; else who is logged in.")]


@_app.command()
def add(
    why: Annotated[str, typer.Option(help="Why; for whoever wonders later.")],
    expires: Annotated[str, typer.Option(help="When it ends: 90m, 8h, 7d or 2w from now.")],
    data: Data = DATA,
    agent: Annotated[str | None, typer.Option(help="Findings of this agent.")] = None,
    detector: Annotated[str | None, typer.Option(help="Findings of this detector.")] = None,
    case: Annotated[str | None, typer.Option(help="Findings of this case.")] = None,
    tool: Annotated[str | None, typer.Option(help="Findings on steps with this tool.")] = None,
    by: By = None,
) -> None:
    """Silence findings that have all that is named. A case is silent when every finding of it is."""
    from detect.clock import WALL
    from detect.people import people
    from detect.silences import add as say
    from detect.silences import span_s

    try:
        span = span_s(expires)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--expires") from None
    if not why.strip():
        raise typer.BadParameter("say why", param_hint="--why")
    if not (agent or detector or case or tool):
        raise typer.BadParameter("name an --agent, --detector, --case or --tool")
    now = WALL.now()
    data.mkdir(parents=True, exist_ok=True)
    with people(data) as connection:
        number = say(
            connection, said_at=now, said_by=by or getpass.getuser(), why=why, expires_at=now + span,
            agent=agent, detector=detector, case_id=case, tool=tool,
        )  # fmt: skip
    typer.echo(f"silence {number} until {iso_seconds(now + span)}")


@_app.command("list")
def list_(
    data: Data = DATA,
    every: Annotated[bool, typer.Option("--all", help="Those that ended too.")] = False,
    json: Json = False,
) -> None:
    """List the silences that hold."""
    import polars as pl

    from detect.clock import WALL
    from detect.people import is_there, people
    from detect.silences import all_silences

    rows: list[dict[str, Any]] = []
    if is_there(data):
        now = WALL.now()
        with people(data) as connection:
            rows = [
                {name: iso_seconds(value) if name.endswith("_at") else value for name, value in row.items()}
                for row in all_silences(connection)
                if every or (row["ended_at"] is None and row["expires_at"] > now)
            ]
    if json:
        print_json(rows)
    elif rows:
        show(pl.DataFrame(rows, infer_schema_length=None), False)
    else:
        typer.echo("nothing is silenced")


@_app.command()
def remove(
    number: Annotated[int, typer.Argument(help="The silence's number.")], data: Data = DATA, by: By = None
) -> None:
    """End a silence now; it stays on record."""
    from detect.clock import WALL
    from detect.people import is_there, people
    from detect.silences import end

    if is_there(data):
        with people(data) as connection:
            if end(connection, number, said_at=WALL.now(), said_by=by or getpass.getuser()):
                typer.echo(f"silence {number} ended")
                return
    note(f"no silence {number} holds; `custodiet silence list --all` lists them")
    raise typer.Exit(1)
