"""`custodiet baseline`: events become counts."""

from __future__ import annotations

from ingest.command import DATA, Capabilities, Data, Json, command, show, working


@command
def baseline(data: Data = DATA, json: Json = False, capabilities: Capabilities = None) -> None:
    """Fold new events into counts, and show what each agent's history rests on."""
    from baseline.capability import Capabilities as Table
    from baseline.fold import fold
    from baseline.profiles import profiles
    from ingest.database import open_published, write_for_people

    with working("counting"):
        fold(data, Table.load(*(capabilities or [])))
    write_for_people(data)
    show(profiles(open_published(data)), json)
