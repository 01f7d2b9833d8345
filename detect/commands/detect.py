"""`custodiet detect`: events and counts become findings and cases."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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

Budget = Annotated[
    float | None,
    typer.Option("--budget", min=0.0, help="Cases a day to raise; by default cases_per_day under [detect]."),
]


Against = Annotated[
    str | None,
    typer.Option("--against", metavar="PIN", help="Judge by this frozen baseline (`custodiet baseline --pin`)."),
]


@command
def detect(
    data: Data = DATA,
    json: Json = False,
    capabilities: Capabilities = None,
    fail_on: FailOn = None,
    budget: Budget = None,
    against: Against = None,
) -> None:
    """Judge every privileged step against the days before it; findings of one root make one case."""
    from detect.settings import load_settings

    least = severity(fail_on)
    settings = load_settings()
    cases_per_day = settings.detect.cases_per_day if budget is None else budget
    detected = judge(data, capabilities, settings, cases_per_day, pin=against)
    print_json(as_json(detected, data)) if json else print_detected(detected, data)
    leave(broken=list(detected.failed), found=at_least(detected, least))


def judge(
    data: Path,
    capabilities: list[Path] | None,
    settings: Settings | None = None,
    cases_per_day: float | None = None,
    *,
    tells: bool = True,
    pin: str | None = None,
) -> Detected:
    """Detect and publish, and write the alerts into the outbox in the same step; without settings there are none."""
    from baseline.capability import Capabilities as Table
    from detect.causal import WINDOW_HOURS
    from detect.outbox_raise import raise_alerts
    from detect.registry import load
    from detect.run import detect_in
    from detect.sigma.rules import rules_of
    from ingest.database import open_published, write_for_people

    with working("judging"):
        hours = settings.detect.window_hours if settings is not None else WINDOW_HOURS
        rules = rules_of(settings.detect.rules) if settings is not None else []
        registry = load(settings.detect.registries if settings is not None else ())
        table = Table.load(*(capabilities or []))
        detected = detect_in(
            data, table, window_hours=hours, cases_per_day=cases_per_day, rules=rules, registry=registry, pin=pin
        )
        if settings is not None and tells:
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
        held = "" if case["is_raised"] else " (under the bar, not raised)"
        typer.echo(
            f"  {case['severity']:<8} {case['case_id'][:12]}  {inert(case['title'])}: {inert(case['why'])}{held}"
        )
    if detected.days:
        raised, hard = sum(len(day.raised) for day in detected.days), sum(day.hard for day in detected.days)
        typer.echo(
            f"raised {raised} in {len(detected.days)} days, {raised / len(detected.days):.2f} a day; {hard} hard"
        )
    if detected.quiet:
        typer.echo(f"{detected.quiet} findings are quiet by what people said of cases (`custodiet verdict CASE`)")
    if detected.unmatched:
        typer.echo(f"{detected.unmatched} tools are not in the capability table; class them with --capabilities:")
        for row in ask(connection, "from unmatched order by steps desc, tool, agent_id limit 10").iter_rows(named=True):
            shown = f": {row['classed_as']} by {inert(row['shown_by'])}" if row["classed_as"] else ""
            typer.echo(f"  {inert(row['tool'])} ({row['steps']:,} steps of {inert(row['agent_id'])}){shown}")
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
