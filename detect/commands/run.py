"""`custodiet run`: all that a schedule needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from detect.commands.detect import Budget, as_json, at_least, judge, print_detected, severity
from ingest.command import (
    DATA,
    Capabilities,
    Data,
    FailOn,
    Json,
    Maps,
    Paths,
    command,
    leave,
    note,
    print_json,
    working,
)
from ingest.commands.ingest import print_report, read_logs

if TYPE_CHECKING:
    from detect.outbox import Delivery
    from detect.settings import Settings


@command
def run(
    paths: Paths,
    data: Data = DATA,
    json: Json = False,
    capabilities: Capabilities = None,
    fail_on: FailOn = None,
    maps: Maps = None,
    budget: Budget = None,
) -> None:
    """Ingest, baseline, detect, then send alerts: all that a schedule needs."""
    from baseline.capability import Capabilities as Table
    from baseline.fold import fold
    from detect.settings import load_settings

    least = severity(fail_on)
    settings = load_settings()
    report = read_logs(paths, data, maps)
    with working("counting"):
        fold(data, Table.load(*(capabilities or [])))
    detected = judge(data, capabilities, settings.detect.cases_per_day if budget is None else budget)
    delivery = send_alerts(data, settings)
    if json:
        alerts = {
            "delivered": delivery.delivered,
            "pending": delivery.pending,
            "errors": list(delivery.errors),
        }
        print_json({"ingest": report.as_dict(), "detect": as_json(detected, data), "alerts": alerts})
    else:
        print_report(report)
        print_detected(detected, data)
        if delivery.delivered or delivery.pending:
            typer.echo(f"alerts: {delivery.delivered} delivered, {delivery.pending} pending")
    for error in delivery.errors:
        note(f"not delivered: {error}; it stays in the outbox for the next run")
    leave(
        broken=[*report.failed, *detected.failed],
        undelivered=delivery.pending,
        found=at_least(detected, least),
    )


def send_alerts(data: Path, settings: Settings) -> Delivery:
    from detect.outbox import deliver, raise_alerts
    from ingest.database import open_published

    raise_alerts(data, open_published(data), settings)
    with working("sending alerts"):
        return deliver(data, settings)
