"""`custodiet watch`: judge what folders are told, as it comes."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from ingest.command import DATA, Capabilities, Data, Json, Maps, command, inert, leave, note

if TYPE_CHECKING:
    from detect.cases import Case
    from detect.live.service import Live

Folders = Annotated[
    list[Path], typer.Argument(help="Folders to follow, or single files; what they hold is read first.")
]


@command
def watch(
    folders: Folders, data: Data = DATA, json: Json = False, capabilities: Capabilities = None, maps: Maps = None
) -> None:
    """Follow folders of logs, and raise an alert within seconds of the event. Ctrl-C or SIGTERM ends it in order."""
    from baseline.capability import Capabilities as Table
    from detect.live.service import live
    from detect.settings import load_settings
    from ingest.errors import Trouble

    for folder in folders:
        if not folder.exists():
            raise Trouble(f"{folder}: no such file or folder; name folders of logs, or make it first")
    settings = load_settings()
    table = Table.load(*(capabilities or []))
    with live(data, folders, table, settings, mappings=maps or (), told=teller(json)) as running:
        follow_until_told(running, f"watching {', '.join(map(str, folders))}")


def follow_until_told(running: Live, what: str) -> None:
    """Tick until SIGTERM or Ctrl-C, then publish and say what was done."""
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    read = sum(file.records for file in running.caught_up.files)
    note(f"{what}; {read:,} records of {len(running.caught_up.files):,} files were there (Ctrl-C ends it)")
    try:
        running.pipeline.run(stop)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    account = running.pipeline.account
    note(f"{account.records:,} records, {account.events:,} of them new, {account.judged:,} steps judged")
    leave(broken=[*running.caught_up.failed, *running.pipeline.broken])


def teller(json: bool) -> Callable[[str, Case | None], None]:
    """Prints a line for every case that changes."""

    def told(case_id: str, case: Case | None) -> None:
        if json:
            about = (
                {} if case is None else {"severity": case.severity, "title": case.worst.finding.title, "why": case.why}
            )
            typer.echo(msgspec.json.encode({"case_id": case_id, **about}).decode())
        elif case is None:
            typer.echo(f"  ended    {case_id[:12]}")
        else:
            typer.echo(f"  {case.severity:<8} {case_id[:12]}  {inert(case.worst.finding.title)}: {inert(case.why)}")

    return told
