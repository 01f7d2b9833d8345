"""`custodiet rules`: Sigma rules, checked and listed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ingest.command import Json, command, inert, print_json


@command
def rules(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Sigma files, or folders of them; without any, those that come along.")
    ] = None,
    json: Json = False,
) -> None:
    """Check Sigma rules for `product: ai_agent` and list them; `custodiet backtest RULE` tries one on the past."""
    from detect.sigma.rules import SHIPPED, load_rules

    found = load_rules(paths or [SHIPPED])
    if json:
        print_json(
            [
                {
                    "id": rule.id,
                    "title": rule.title,
                    "level": rule.level,
                    "techniques": list(rule.techniques),
                    "file": rule.file,
                }
                for rule in found
            ]
        )
        return
    for rule in found:
        typer.echo(f"{rule.level:<13} {inert(rule.title)}  {' '.join(rule.techniques)}")
