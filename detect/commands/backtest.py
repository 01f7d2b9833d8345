"""`custodiet backtest`: what history would have raised, under a budget or by rules that were not there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from detect.commands.detect import Against, Budget
from ingest.command import (
    DATA,
    Capabilities,
    Data,
    Json,
    command,
    inert,
    jsonable,
    leave,
    note,
    print_json,
    show,
    working,
)

if TYPE_CHECKING:
    import duckdb

    from baseline.capability import Capabilities as Table
    from detect.backtest import Backtest
    from detect.settings import Settings

_SHOWN: Final = 3
"""Matches of a rule that are shown as examples."""


@command
def backtest(
    rules: Annotated[list[Path] | None, typer.Argument(help="Sigma rules, or folders of them.")] = None,
    data: Data = DATA,
    json: Json = False,
    capabilities: Capabilities = None,
    budget: Budget = None,
    days: Annotated[int | None, typer.Option("--days", min=1, help="Of a budget: show the last so many days.")] = None,
    against: Against = None,
) -> None:
    """Replay history a day at a time: what Sigma rules, or without any a budget of cases a day, would have raised."""
    from baseline.capability import Capabilities as Table
    from detect.settings import load_settings
    from ingest.database import open_published

    table = Table.load(*(capabilities or []))
    if rules:
        _by_rules(open_published(data), rules, table, json)
        return
    settings = load_settings()
    wanted = settings.detect.cases_per_day if budget is None else budget
    if wanted is None:
        raise typer.BadParameter("give it, or rules, or cases_per_day under [detect]", param_hint="--budget")
    found = _replayed(open_published(data), wanted, table, days, settings, against)
    print_json(as_json(found)) if json else print_days(found)
    for name, reason in sorted(found.failed.items()):
        note(f"the detector {name} broke: {inert(reason)}; the others ran on")
    leave(broken=list(found.failed))


def _replayed(
    connection: duckdb.DuckDBPyConnection,
    cases_per_day: float,
    table: Table,
    days: int | None,
    settings: Settings,
    pin: str | None,
) -> Backtest:
    from baseline.fold import classify_tools
    from detect.backtest import backtest as replayed
    from detect.registry import load

    classify_tools(connection, table)
    with working("replaying"):
        registry, hours = load(settings.detect.registries), settings.detect.window_hours
        return replayed(connection, cases_per_day, days, window_hours=hours, registry=registry, pin=pin)


def _by_rules(connection: duckdb.DuckDBPyConnection, rules: list[Path], table: Table, json: bool) -> None:
    from detect.sigma.matches import days_of, matches, prepare
    from detect.sigma.rules import load_rules

    loaded = load_rules(rules)
    with working("replaying"):
        prepare(connection, table)
        days = days_of(connection, loaded)
        found = {rule: matches(connection, rule) for rule in loaded}
    if json:
        told = [{"id": r.id, "title": r.title, "level": r.level, "matches": jsonable(m)} for r, m in found.items()]
        print_json({"days": jsonable(days), "rules": told})
        return
    show(days, json=False)
    raised = sum(days.get_column("sessions").to_list())
    typer.echo(f"\n{len(loaded)} rules over {days.height} days: {raised / max(1, days.height):.2f} sessions a day")
    for rule, rows in found.items():
        typer.echo(f"{rule.level:<13} {inert(rule.title)}: {rows.height} matches")
        for row in rows.head(_SHOWN).iter_rows(named=True):
            what = f"{row['agent_id']}: {row['tool'] or row['kind']} on {row['target'] or 'nothing named'}"
            typer.echo(f"    {str(row['happened_at'])[:19]} {inert(what)}  {inert(row['source'])}")


def print_days(found: Backtest) -> None:
    for day in found.days:
        bar = f"bar {day.bar.weight:.2f}" if day.bar.weight else "all pass: fewer than the budget on the days before"
        bar += "" if day.bar.is_calibrated else ", not calibrated yet"
        hard = f", {day.hard} of them hard" if day.hard else ""
        typer.echo(f"{day.day}  {len(day.raised)} raised of {day.offered} cases{hard} ({bar})")
        for case in day.raised:
            hard = " hard" if case.is_hard else ""
            typer.echo(f"    {case.severity:<8} {case.case_id[:12]}  {inert(case.title)} ({case.weight:.2f}{hard})")
    realised = f"{found.mean:.2f} a day ({found.low:.2f} to {found.high:.2f}), budget {found.cases_per_day:g}"
    typer.echo(f"{found.raised} raised in {len(found.days)} days, {realised}; {found.hard} hard")
    if found.undated:
        typer.echo(f"{found.undated} cases have no time: they belong to no day, and are raised beside the budget")


def as_json(found: Backtest) -> dict[str, object]:
    return {
        "budget": found.cases_per_day,
        "raised": found.raised,
        "hard": found.hard,
        "undated": found.undated,
        "mean_a_day": found.mean,
        "interval_95": [found.low, found.high],
        "days": found.days,
        "failed": found.failed,
    }
