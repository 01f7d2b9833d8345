"""`custodiet retain`: drop what is old."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from ingest.command import DATA, Capabilities, Data, Json, command, print_json, working

Days = Annotated[
    int | None,
    typer.Option(
        "--days", min=1, help="How many days events, findings and cases are kept; by default retain_days under [store]."
    ),
]
CountsDays = Annotated[
    int | None,
    typer.Option("--counts-days", min=1, help="How many days counts are kept; by default for ever."),
]
Everything = Annotated[
    bool, typer.Option("--all", help="Also sessions of cases with a verdict, an owner, a note or an open alert.")
]
AsOf = Annotated[
    datetime | None, typer.Option("--as-of", formats=["%Y-%m-%d"], help="Count from this day; by default from today.")
]


@command
def retain(
    days: Days = None,
    counts_days: CountsDays = None,
    everything: Everything = False,
    as_of: AsOf = None,
    data: Data = DATA,
    capabilities: Capabilities = None,
    json: Json = False,
) -> None:
    """Drop sessions that ended more than so many days ago, with their findings and cases. Counts stay."""
    from baseline.capability import Capabilities as Table
    from detect.retention import retain as drop
    from detect.settings import load_settings
    from detect.upkeep import today
    from ingest.at_work import at_work

    store = load_settings().store
    kept_days = days if days is not None else store.retain_days
    if kept_days is None:
        raise typer.BadParameter("say how many, or set retain_days under [store]", param_hint="--days")
    with at_work(data) as say, working("dropping what is old"):
        say("retaining")
        done = drop(
            data,
            Table.load(*(capabilities or [])),
            today() if as_of is None else as_of.date(),
            kept_days,
            counts_days=counts_days if counts_days is not None else store.retain_counts_days,
            with_evidence=everything,
        )
    if json:
        print_json({**done.as_dict(), "before": done.before.isoformat()})
        return
    typer.echo(
        f"{done.sessions:,} sessions that ended before {done.before} were dropped ({done.events:,} events, "
        f"{done.cases:,} cases); {done.kept_as_evidence:,} were kept as evidence, "
        f"{done.spool_files:,} files of the spool removed"
    )
