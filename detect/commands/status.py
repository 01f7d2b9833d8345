"""`custodiet status`: how things stand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import typer

from ingest.command import DATA, Data, Json, command, inert, print_json


@command
def status(data: Data = DATA, json: Json = False) -> None:
    """Say what is there and how old, what is late, what failed, what could not have fired, and how the alerts stand.

    It leaves with 0 whatever it has to say; a data directory that cannot be read is trouble as everywhere.
    """
    from detect.clock import WALL
    from detect.status import status as standing

    told = standing(data, WALL.now())
    if json:
        print_json(told)
        return
    for line in _lines(told):
        typer.echo(inert(line))


def _lines(told: dict[str, Any]) -> Iterator[str]:
    stored, disk = told["stored"], told["disk"]
    yield (
        f"there      {stored['sessions']:,} sessions, {stored['events']:,} events of {stored['agents']:,} agents on "
        f"{stored['days']:,} days; {disk['segments']:,} segments"
    )
    yield f"on disk    {_bytes(disk['published_bytes'])} published, {_bytes(disk['all_bytes'])} in all: " + ", ".join(
        f"{name} {_bytes(table['bytes'])} in {table['files']:,}" for name, table in disk["tables"].items()
    )
    age = told["age"]
    for what, name in (
        ("last event", "last_event_at"),
        ("last run", "last_run_at"),
        ("last done", "last_done_run_at"),
        ("published", "published_at"),
    ):
        yield f"{what:<10} {_ago(age[name], age['now'])}"
    yield from _work(told["is_at_work"])
    late = ", ".join(f"{day['steps']:,} steps of {day['day']}" for day in told["late"])
    yield f"late       {late or 'nothing in the last run'}"
    yield from _failures(told)
    blind = told["could_not_fire"]
    yield f"could not  {len(blind)} detectors could not have fired" + ("" if blind else " for want of fields")
    for row in blind:
        yield f"             {row['detector']}: {row['missing'] or 'nothing to judge'} ({row['steps']:,} steps)"
    yield from _alerts(told)


def _work(at_work: dict[str, Any]) -> Iterator[str]:
    doing = [name for name in ("writing", "live", "delivering") if at_work[name]]
    if at_work["run"]:
        doing.insert(0, f"a run (process {at_work['pid']}, {at_work['step']})")
    yield f"at work    {', '.join(doing) or 'nobody'}"
    if at_work["ended_within"]:
        yield f"             the last run ended within its step {at_work['ended_within']}; the next one takes it up"


def _failures(told: dict[str, Any]) -> Iterator[str]:
    runs, failed = told["runs"], told["failed"]
    yield (
        f"runs       {runs['remembered']:,} remembered: {runs['done']:,} done, {runs['stopped']:,} stopped, "
        f"{runs['failed']:,} failed ({runs['failed_in_a_row']} in a row until now), {runs['overlapped']:,} gave way"
    )
    if runs["last_failure"]:
        yield f"             last failure {runs['last_failure']['at']}: {runs['last_failure']['why']}"
    rejected = sum(row["records"] for row in failed["rejected"])
    yield (
        f"failed     {rejected:,} records rejected in {len(failed['rejected']):,} files, "
        f"{failed['unread_in_the_last_run']:,} files unread in the last run, "
        f"{len(failed['plugins']) + len(failed['broken_in_the_last_run']):,} plug-ins broken"
    )
    for row in failed["rejected"][:3]:
        yield f"             {row['path']}: {row['records']:,} ({row['reason']})"
    for row in failed["plugins"]:
        yield f"             {row['plugin']}: {row['reason']}"
    for reason in failed["broken_in_the_last_run"]:
        yield f"             {reason}"


def _alerts(told: dict[str, Any]) -> Iterator[str]:
    account, budget = told["alerts"]["account"], told["budget"]
    if account is None:
        yield "alerts     none was raised yet"
    else:
        yield (
            f"alerts     {account['raised']:,} raised = {account['delivered']:,} delivered + {account['pending']:,} "
            f"pending + {account['dead']:,} dead + {account['suppressed']:,} suppressed"
        )
    for row in told["alerts"]["sinks"]:
        if row["disabled"]:
            yield f"             {row['sink']}: disabled, {row['disabled']}"
        elif row["rests_until"]:
            yield f"             {row['sink']}: rests until {row['rests_until']} after {row['failures']} failures"
    aim = "no budget" if budget["cases_per_day"] is None else f"a budget of {budget['cases_per_day']:g} cases a day"
    yield (
        f"cases      {budget['cases']:,}, of which {budget['raised']:,} raised in {budget['days']:,} days: "
        f"{budget['raised_a_day'] or 0:g} a day, {budget['raised_a_day_lately'] or 0:g} in the last 14 days; {aim}"
    )
    if budget["settings"]:
        yield f"settings   {budget['settings']}"


def _bytes(size: int) -> str:
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:,} {unit}"
        size = round(size / 1000)
    return f"{size:,} GB"


def _ago(at: str | None, now: str) -> str:
    if at is None:
        return "never"
    seconds = round((datetime.fromisoformat(now) - datetime.fromisoformat(at)).total_seconds())
    for unit, length in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{at}, {seconds // length:,} {unit} ago"
    return f"{at}, {seconds:,} seconds ago" if seconds >= 0 else f"{at}, ahead of the clock"
