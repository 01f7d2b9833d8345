"""`custodiet ingest`: logs become events."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ingest.command import DATA, AgentKey, Data, Json, Maps, Paths, command, inert, leave, print_json, working

if TYPE_CHECKING:
    from ingest.load import Report


@command
def ingest(paths: Paths, data: Data = DATA, json: Json = False, maps: Maps = None, agent_key: AgentKey = None) -> None:
    """Read agent logs into events. What was read before changes nothing."""
    from ingest.database import write_for_people

    report = read_logs(paths, data, maps, agent_key)
    write_for_people(data)
    print_json(report.as_dict()) if json else print_report(report)
    leave(broken=report.failed)


def read_logs(paths: list[Path], data: Path, maps: list[Path] | None = None, agent_key: str | None = None) -> Report:
    from ingest.agent_key import parsed
    from ingest.load import ingest_paths
    from ingest.reading_settings import Ingest
    from ingest.settings import given

    key = parsed(agent_key) if agent_key is not None else given().section("ingest", Ingest).agent_key or None
    with working("reading") as say:
        return ingest_paths(paths, data, mappings=maps or (), agent_key=key, progress=say)


def print_report(report: Report) -> None:
    total = {
        name: sum(getattr(file, name) for file in report.files)
        for name in ("records", "events", "folded", "rejected", "duplicates")
    }
    typer.echo(f"{len(report.files):,} files read: " + ", ".join(f"{n:,} {name}" for name, n in total.items()))
    for file in report.files:
        if file.rejected:
            typer.echo(f"  {inert(file.path)}: {file.rejected:,} of {file.records:,} records rejected")
    if report.expired:
        typer.echo(f"  {report.expired:,} of the events are older than what is retained, and were not kept")
    for unread in report.unread:
        if not unread.is_no_log:
            typer.echo(f"  unread: {inert(unread.path)}: {inert(unread.reason)}")
    if others := sum(unread.is_no_log for unread in report.unread):
        typer.echo(f"  {others:,} more files are no logs by their names (--json lists them)")
