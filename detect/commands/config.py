"""`custodiet config`: what is set, where it was said, and what is wrong with it."""

from __future__ import annotations

import typer

from ingest.command import Json, group, inert, note, print_json

config, _app = group("config", "The settings: what is in force, and from where.")


@_app.command()
def check() -> None:
    """Check the file and the environment; leave with 3 where something cannot be used."""
    from detect.configured import remarks
    from detect.settings import checked
    from ingest.settings import given

    said = given()
    settings = checked(said)
    sinks = ", ".join(f"{t.name} ({t.sink.name})" for t in settings.targets) or "none, so no alert is raised"
    typer.echo(f"{said.file}: nothing wrong; sinks: {sinks}")
    for remark in remarks(said, settings):
        note(remark)


@_app.command()
def show(json: Json = False) -> None:
    """Show every setting in force with its origin; secrets are masked."""
    from detect.configured import in_force
    from detect.settings import checked
    from ingest.settings import given

    said = given()
    rows = in_force(said, checked(said))
    if json:
        print_json(rows)
        return
    width = max(len(row["key"]) for row in rows)
    for row in rows:
        typer.echo(f"{row['key']:<{width}}  {inert(str(row['value']))}  ({inert(row['origin'])})")
