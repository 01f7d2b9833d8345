"""`custodiet baseline`: events become counts; a baseline can be frozen."""

from __future__ import annotations

from typing import Annotated

import typer

from ingest.command import DATA, Capabilities, Data, Json, command, show, working


@command
def baseline(
    data: Data = DATA,
    json: Json = False,
    capabilities: Capabilities = None,
    pin: Annotated[str | None, typer.Option("--pin", help="Freeze what is learnt now under this name.")] = None,
    unpin: Annotated[str | None, typer.Option("--unpin", help="Remove the pin of this name.")] = None,
    pins: Annotated[bool, typer.Option("--pins", help="List the pins instead of the agents.")] = False,
) -> None:
    """Fold new events into counts, and show what each agent's history rests on."""
    from baseline.capability import Capabilities as Table
    from baseline.fold import fold
    from baseline.pins import pin as pin_as
    from baseline.pins import pins as listed
    from baseline.pins import unpin as remove
    from baseline.profiles import profiles
    from ingest.database import open_published, write_for_people

    table = Table.load(*(capabilities or []))
    with working("counting"):
        fold(data, table)
    if pin is not None:
        pin_as(data, pin, table)
    if unpin is not None:
        remove(data, unpin)
    write_for_people(data)
    connection = open_published(data)
    is_listing = pins or pin is not None or unpin is not None
    show(listed(connection) if is_listing else profiles(connection, table), json)
