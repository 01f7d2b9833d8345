"""`custodiet backtest`: what a rule would have raised, had it been there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from ingest.command import DATA, Capabilities, Data, Json, command, inert, jsonable, print_json, show, working

_SHOWN: Final = 3
"""Matches of a rule that are shown as examples."""


@command
def backtest(
    rules: Annotated[list[Path], typer.Argument(help="Sigma rules, or folders of them.")],
    data: Data = DATA,
    json: Json = False,
    capabilities: Capabilities = None,
) -> None:
    """Replay the history against Sigma rules: what they would have raised, a day at a time."""
    from baseline.capability import Capabilities as Table
    from detect.sigma.matches import days_of, matches, prepare
    from detect.sigma.rules import load_rules
    from ingest.database import open_published

    loaded = load_rules(rules)
    connection = open_published(data)
    with working("replaying"):
        prepare(connection, Table.load(*(capabilities or [])))
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
