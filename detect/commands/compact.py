"""`custodiet compact`: few files in place of many."""

from __future__ import annotations

from dataclasses import asdict

import typer

from ingest.command import DATA, Capabilities, Data, Json, command, print_json, working


@command
def compact(data: Data = DATA, capabilities: Capabilities = None, json: Json = False) -> None:
    """Merge many small files into few; what they hold, and every answer, stays the same."""
    from baseline.capability import Capabilities as Table
    from detect.upkeep import compact_all
    from ingest.at_work import at_work

    with at_work(data) as say, working("merging"):
        say("compacting")
        done = compact_all(data, Table.load(*(capabilities or [])))
    if json:
        print_json(asdict(done))
        return
    typer.echo(
        f"{done.segments_before:,} segments of events became {done.segments:,}; {done.files_merged:,} files merged"
    )
