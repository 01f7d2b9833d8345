"""`custodiet run`: all that a schedule needs."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from detect.commands.alerts import as_dict, print_previews, tell
from detect.commands.detect import Budget, as_json, at_least, judge, print_detected, severity
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
    leave,
    print_json,
    working,
)
from ingest.commands.ingest import print_report, read_logs

PATIENCE_S: Final = 30.0
"""How long a run waits for a receiver that asks it to come back; what is later is for the next run."""


@command
def run(
    paths: Paths,
    data: Data = DATA,
    json: Json = False,
    capabilities: Capabilities = None,
    fail_on: FailOn = None,
    maps: Maps = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Send nothing: print the alerts that would be sent.")
    ] = False,
    budget: Budget = None,
    agent_key: AgentKey = None,
) -> None:
    """Ingest, baseline, detect, then send alerts: all that a schedule needs."""
    from baseline.capability import Capabilities as Table
    from baseline.fold import fold
    from detect.outbox_send import Delivery, deliver
    from detect.preview import previews
    from detect.session_scores import score_sessions
    from detect.settings import load_settings

    least = severity(fail_on)
    settings = load_settings()
    report = read_logs(paths, data, maps, agent_key)
    with working("counting"):
        fold(data, Table.load(*(capabilities or [])))
    cases_per_day = settings.detect.cases_per_day if budget is None else budget
    if settings.detect.score_sessions:
        # What is flagged must be known before anything is learnt from, and the scores before anything is told.
        judge(data, capabilities, None if dry_run else settings, cases_per_day, tells=False)
        with working("scoring sessions"):
            score_sessions(data, Table.load(*(capabilities or [])))
    detected = judge(data, capabilities, None if dry_run else settings, cases_per_day)
    would_send = previews(data, settings) if dry_run else []
    delivery = Delivery()
    if not dry_run:
        with working("sending alerts"):
            delivery = deliver(data, settings, patience_s=PATIENCE_S)
    if json:
        alerts: object = would_send if dry_run else as_dict(delivery)
        print_json({"ingest": report.as_dict(), "detect": as_json(detected, data), "alerts": alerts})
    else:
        print_report(report)
        print_detected(detected, data)
        print_previews(would_send)
    tell(delivery, quiet=json)
    leave(
        broken=[*report.failed, *detected.failed],
        undelivered=delivery.untaken,
        found=at_least(detected, least),
    )
