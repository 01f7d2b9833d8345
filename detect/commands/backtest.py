"""`custodiet backtest`: what history would have raised under a budget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from detect.commands.detect import Budget, cases_per_day
from ingest.command import DATA, Capabilities, Data, Json, command, inert, leave, note, print_json, working

if TYPE_CHECKING:
    from detect.backtest import Backtest


@command
def backtest(
    data: Data = DATA,
    json: Json = False,
    capabilities: Capabilities = None,
    budget: Budget = None,
    days: Annotated[int | None, typer.Option("--days", min=1, help="Show the last so many days.")] = None,
) -> None:
    """Replay history a day at a time, each judged by the days before it: what would have been raised?"""
    from baseline.capability import Capabilities as Table
    from baseline.fold import classify_tools
    from detect.backtest import backtest as replayed
    from ingest.database import open_published

    wanted = cases_per_day(budget)
    if wanted is None:
        raise typer.BadParameter(
            "give it, or set cases_per_day under [detect] in custodiet.toml", param_hint="--budget"
        )
    connection = open_published(data)
    classify_tools(connection, Table.load(*(capabilities or [])))
    with working("replaying"):
        found = replayed(connection, wanted, days)
    if json:
        print_json(as_json(found))
    else:
        print_days(found)
    for name, reason in sorted(found.failed.items()):
        note(f"the detector {name} broke: {inert(reason)}; the others ran on")
    leave(broken=list(found.failed))


def print_days(found: Backtest) -> None:
    for day in found.days:
        bar = f"bar {day.bar.weight:.2f}" if day.bar.is_calibrated else f"bar {day.bar.weight:.2f}, not calibrated yet"
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
