"""`custodiet readers`: the formats that can be read."""

from __future__ import annotations

from typing import Annotated

import typer

from ingest.command import Json, command, inert, note, print_json


@command
def readers(
    name: Annotated[str | None, typer.Argument(help="One reader: what it needs, finds and leaves.")] = None,
    json: Json = False,
) -> None:
    """List the formats that can be read, or tell all about one."""
    from ingest.load import all_readers

    chosen = [reader for reader in all_readers() if name in (None, reader.name)]
    if not chosen:
        note(f"no reader {inert(name or '')}; `custodiet readers` lists them")
        raise typer.Exit(1)
    if json:
        print_json([{"reader": reader.name, "reads": reader.summary, "more": reader.doc} for reader in chosen])
    elif name is not None:
        typer.echo(chosen[0].doc)
    else:
        for reader in chosen:
            typer.echo(f"{reader.name:<20} {reader.summary}")
