"""`custodiet verdict`: what a person says of a case."""

from __future__ import annotations

import getpass
import time
from datetime import UTC, datetime
from typing import Annotated

import typer

from ingest.command import DATA, Data, Json, command, inert, note, print_json


@command
def verdict(
    case: Annotated[str, typer.Argument(help="A case id, or the beginning of one.")],
    word: Annotated[
        str | None,
        typer.Argument(help="true_positive, false_positive, benign_expected or open; without it: what was said."),
    ] = None,
    data: Data = DATA,
    by: Annotated[str | None, typer.Option("--by", help="Who says so; by default the user of this machine.")] = None,
    words: Annotated[str, typer.Option("--note", help="Why.")] = "",
    until: Annotated[
        datetime | None, typer.Option("--until", formats=["%Y-%m-%d"], help="For benign_expected: the last day (UTC).")
    ] = None,
    json: Json = False,
) -> None:
    """Say what a case was; later runs are tuned by it. Nothing said is ever changed: undo is `open`."""
    from detect.explain import cases_like
    from detect.verdicts import WORDS, history, say
    from ingest.database import open_published

    connection = open_published(data)
    found = cases_like(connection, case)
    if len(found) != 1:
        note(f"{len(found)} cases begin with {inert(case)}; `custodiet cases` lists them")
        raise typer.Exit(1)
    case_id = str(found[0]["case_id"])
    if word is not None:
        chosen = next((one for one in WORDS if one == word), None)
        if chosen is None:
            raise typer.BadParameter(f"one of {', '.join(WORDS)}", param_hint="WORD")
        if chosen == "benign_expected" and until is None:
            raise typer.BadParameter("what is expected is so until a day", param_hint="--until")
        expires_at = None if until is None else until.replace(tzinfo=UTC).timestamp() + 86_400
        said_by = by or getpass.getuser()
        say(data, connection, case_id, chosen, by=said_by, at=time.time(), note=words, expires_at=expires_at)
    said = history(data, case_id)
    if json:
        print_json([one.__dict__ for one in said])
        return
    for one in said:
        when = f"{datetime.fromtimestamp(one.said_at, UTC):%Y-%m-%d %H:%M}"
        limit = f" until {datetime.fromtimestamp(one.expires_at, UTC):%Y-%m-%d}" if one.expires_at else ""
        typer.echo(f"{when} {inert(one.said_by)}: {one.verdict}{limit}  {inert(one.note)}")
    if not said:
        typer.echo("nothing was said of it yet")
