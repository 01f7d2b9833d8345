"""`custodiet dashboard`: the investigator."""

from __future__ import annotations

from typing import Annotated

import typer

from ingest.command import DATA, Data, command, may_open_browser


@command
def dashboard(
    data: Data = DATA,
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 8501,
    address: Annotated[str, typer.Option(help="The address to listen on; loopback only.")] = "127.0.0.1",
) -> None:
    """Open the investigator."""
    from dashboard.server import serve

    raise typer.Exit(serve(data, port=port, address=address, open_browser=may_open_browser()))
