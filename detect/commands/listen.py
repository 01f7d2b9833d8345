"""`custodiet listen`: judge what agents send, as it comes."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

import typer

from detect.commands.watch import follow_until_told, teller
from ingest.command import DATA, Capabilities, Data, Json, command, note

Address = Annotated[str, typer.Option(help="Where to listen. Another machine's traffic needs a token.")]
Port = Annotated[int, typer.Option(help="4318 is where OpenTelemetry sends by default; 0 takes a free one.")]
TokenFile = Annotated[
    Path | None,
    typer.Option(help="A file that holds the bearer token; or set CUSTODIET_LISTEN_TOKEN."),
]
Watched = Annotated[list[Path] | None, typer.Option("--watch", help="A folder to follow as well.")]


@command
def listen(
    data: Data = DATA,
    address: Address = "127.0.0.1",
    port: Port = 4318,
    token_file: TokenFile = None,
    watch: Watched = None,
    json: Json = False,
    capabilities: Capabilities = None,
) -> None:
    """Take OTLP/HTTP from any OpenTelemetry agent, and raise an alert within seconds of the event.

    What is sent is on disk under `spool/` before it is acknowledged, and stays there as evidence.
    """
    from baseline.capability import Capabilities as Table
    from detect.live.service import live
    from detect.settings import load_settings
    from ingest.errors import Trouble
    from ingest.listen.child import Child, token_of

    token = token_of(token_file)
    if token is None and not _is_loopback(address):
        raise Trouble(
            f"--address {address} is reached from other machines, so a bearer token is needed: "
            "set CUSTODIET_LISTEN_TOKEN or --token-file, and put TLS in front of it"
        )
    settings = load_settings()
    spool = data / "spool"
    # The receiver is a process of its own: what it takes is on disk whatever becomes of the judging, and while
    # this one catches up.
    with Child(spool, address, port, token) as child:
        note(f"OTEL_EXPORTER_OTLP_ENDPOINT={child.url} OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf")
        table = Table.load(*(capabilities or []))
        with live(data, [spool, *(watch or [])], table, settings, told=teller(json), mend=child.is_alive) as running:
            follow_until_told(running, f"listening at {child.url}")


def _is_loopback(address: str) -> bool:
    if address == "localhost":
        return True
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
