"""`custodiet detect`: events and counts become findings and cases."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ingest.command import (
    DATA,
    Capabilities,
    Data,
    FailOn,
    Json,
    command,
    inert,
    jsonable,
    leave,
    note,
    print_json,
    working,
)

if TYPE_CHECKING:
    from detect.run import Detected
    from detect.settings import Settings


@command
def detect(data: Data = DATA, json: Json = False, capabilities: Capabilities = None, fail_on: FailOn = None) -> None:
    """Judge every privileged step against the days before it; findings of one root make one case."""
    from detect.settings import load_settings

    least = severity(fail_on)
    detected = judge(data, capabilities, load_settings())
    print_json(as_json(detected, data)) if json else print_detected(detected, data)
    leave(broken=list(detected.failed), found=at_least(detected, least))


def judge(data: Path, capabilities: list[Path] | None, settings: Settings | None = None) -> Detected:
    """Detect and publish, and write the alerts into the outbox in the same step; without settings there are none."""
    from baseline.capability import Capabilities as Table
    from detect.outbox_raise import raise_alerts
    from detect.run import detect_in
    from ingest.database import open_published, write_for_people

    with working("judging"):
        detected = detect_in(data, Table.load(*(capabilities or [])))
        if settings is not None:
            raise_alerts(data, open_published(data), settings)
    write_for_people(data)
    return detected


def as_json(detected: Detected, data: Path) -> dict[str, object]:
    from ingest.database import ask, open_published

    connection = open_published(data)
    return {
        "cases": jsonable(ask(connection, "from cases order by anomaly * impact desc, case_id")),
        "findings": jsonable(ask(connection, "from findings order by anomaly * impact desc, finding_id")),
        "unmatched": jsonable(ask(connection, "from unmatched order by steps desc, tool, agent_id")),
        "could_fire": jsonable(ask(connection, "from could_fire order by detector, agent_id")),
        "failed": dict(sorted(detected.failed.items())),
    }


def print_detected(detected: Detected, data: Path) -> None:
    from ingest.database import ask, open_published

    connection = open_published(data)
    rows = ask(connection, "from cases order by anomaly * impact desc, case_id")
    typer.echo(f"{rows.height} cases, {len(detected.found)} findings")
    for case in rows.iter_rows(named=True):
        typer.echo(f"  {case['severity']:<8} {case['case_id'][:12]}  {inert(case['title'])}: {inert(case['why'])}")
    if detected.unmatched:
        typer.echo(f"{detected.unmatched} tools are not in the capability table; class them with --capabilities:")
        for row in ask(connection, "from unmatched order by steps desc, tool, agent_id limit 10").iter_rows(named=True):
            typer.echo(f"  {inert(row['tool'])} ({row['steps']:,} steps of {inert(row['agent_id'])})")
    for name, reason in sorted(detected.failed.items()):
        note(f"the detector {name} broke: {reason}; the others ran on")


def severity(fail_on: str | None) -> int | None:
    from detect.cases import SEVERITIES

    if fail_on is not None and fail_on not in SEVERITIES:
        raise typer.BadParameter(f"one of {', '.join(SEVERITIES)}", param_hint="--fail-on")
    return None if fail_on is None else SEVERITIES.index(fail_on)


def at_least(detected: Detected, least: int | None) -> bool:
    from detect.cases import SEVERITIES

    return least is not None and any(SEVERITIES.index(case.severity) >= least for case in detected.cases)
