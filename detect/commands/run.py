"""`custodiet run`: all that a schedule needs, once or every so often."""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING, Annotated, Final

import typer

from detect.commands.alerts import as_dict, print_previews, tell
from detect.commands.detect import Budget, as_json, at_least, print_detected, severity
from ingest.command import (
    DATA,
    AgentKey,
    Capabilities,
    Data,
    FailOn,
    Json,
    Maps,
    Paths,
    command,
    inert,
    leave,
    note,
    print_json,
)
from ingest.commands.ingest import print_report

if TYPE_CHECKING:
    from detect.ran import Ran
    from detect.scheduled import Done, Wanted

PATIENCE_S: Final = 30.0
"""How long a run waits for a receiver that asks it to come back; what is later is for the next run."""

Every = Annotated[
    str | None,
    typer.Option(
        "--every",
        metavar="TIME",
        help="Run again and again in the foreground, as 90s, 15m or 1h; SIGTERM or Ctrl-C ends it after the step that "
        "is under way.",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Send nothing: print the alerts that would be sent.")]


@command
def run(
    paths: Paths,
    data: Data = DATA,
    json: Json = False,
    capabilities: Capabilities = None,
    fail_on: FailOn = None,
    maps: Maps = None,
    dry_run: DryRun = False,
    budget: Budget = None,
    agent_key: AgentKey = None,
    every: Every = None,
) -> None:
    """Ingest, baseline, detect, then send alerts: all that a schedule needs."""
    every_s = _seconds(every)
    if every is not None and (dry_run or fail_on is not None):
        raise typer.BadParameter("not with --dry-run or --fail-on: it goes on whatever it finds", param_hint="--every")
    from detect.scheduled import Wanted, scheduled

    least = severity(fail_on)

    patience_s = PATIENCE_S if every_s is None else min(PATIENCE_S, every_s / 2)
    wanted = Wanted(paths, data, capabilities, maps, agent_key, budget, dry_run, patience_s)
    if every_s is not None:
        _loop(wanted, every_s, json)
        return
    done = scheduled(wanted)
    if done.trouble is not None:
        raise done.trouble
    _print(done, wanted, json)
    leave(
        broken=done.broken,
        undelivered=done.delivery.untaken if done.delivery is not None else 0,
        found=done.detected is not None and at_least(done.detected, least),
    )


def _print(done: Done, wanted: Wanted, json: bool) -> None:
    from detect.outbox_send import Delivery

    assert done.detected is not None
    delivery = done.delivery or Delivery()
    if json:
        alerts: object = done.would_send if wanted.is_rehearsal else as_dict(delivery)
        print_json({"ingest": done.report.as_dict(), "detect": as_json(done.detected, wanted.data), "alerts": alerts})
    else:
        print_report(done.report)
        print_detected(done.detected, wanted.data)
        print_previews(done.would_send)
    tell(delivery, quiet=json)


def _loop(wanted: Wanted, every_s: int, json: bool) -> None:
    """Until told to stop. What goes wrong in one run is said and counted, and the next one runs all the same."""
    import msgspec
    import pyarrow as pa

    from detect.every import again_and_again, until_told
    from detect.scheduled import scheduled
    from detect.settings import load_settings

    load_settings()  # what is wrong from the start ends it at once
    failed = 0

    def once(number: int) -> None:
        nonlocal failed
        done = scheduled(wanted, stop)
        assert done.ran is not None
        failed += done.trouble is not None
        note(f"run {number}: {_in_a_line(done.ran)}")
        for reason in (*done.broken, *(done.delivery.errors if done.delivery is not None else ())):
            note(f"run {number}: {inert(reason)}")
        if json:
            typer.echo(msgspec.json.encode(done.ran).decode())
        del done
        gc.collect()
        pa.default_memory_pool().release_unused()

    with until_told() as stop:
        note(f"a run every {every_s:,} s, process {os.getpid()} (Ctrl-C or SIGTERM ends it)")
        runs = again_and_again(every_s, stop, once)
    note(f"told to stop after {runs} runs, {failed} of which failed or gave way to another")


def _in_a_line(ran: Ran) -> str:
    if ran.why is not None:
        return f"{ran.outcome}: {inert(ran.why)}"
    late = f" ({sum(day.steps for day in ran.late):,} late)" if ran.late else ""
    tidied = f", {ran.sessions_dropped:,} old sessions dropped" if ran.sessions_dropped else ""
    tidied += f", {ran.segments_merged:,} files merged" if ran.segments_merged else ""
    return (
        f"{ran.outcome}: {ran.records:,} records, {ran.events:,} new events{late}, {ran.rejected:,} rejected, "
        f"{ran.days_judged} days judged, {ran.cases} cases, {ran.delivered} alerts delivered, "
        f"{ran.pending} pending{tidied}; {ran.took_s:.1f} s"
    )


def _seconds(every: str | None) -> int | None:
    from detect.every import seconds_of

    try:
        return None if every is None else seconds_of(every)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--every") from None
