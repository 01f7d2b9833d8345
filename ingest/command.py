"""What every subcommand shares: how it is declared, its options, how it prints and how it leaves.

A subcommand is a plug-in: one file in a room's `commands/`, one decorated function of the file's name.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ingest.visible import visible

if TYPE_CHECKING:
    import polars as pl

EXIT_CODES: Final = {
    0: "done",
    1: "what was asked for is not there (no such session or case)",
    2: "wrong usage",
    3: "a setting cannot be used",
    4: "a file, the disk or the data directory is in the way",
    5: "alerts are still in the outbox: a receiver did not take them",
    6: "a reader or detector broke; the rest ran on",
    10: "a case of at least the severity given with --fail-on was found",
    75: "another custodiet is writing to the same data directory",
}

Data = Annotated[
    Path,
    typer.Option("--data", envvar="CUSTODIET_DATA", help="Where events, profiles and findings are kept."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON to stdout instead of a table.")]
Paths = Annotated[list[Path], typer.Argument(help="Log files, or folders of them; .gz and .zst too.")]
Maps = Annotated[
    list[Path] | None,
    typer.Option("--map", help="A TOML file that says where a format of your own keeps what; see the README."),
]
AgentKey = Annotated[
    str | None,
    typer.Option(
        "--agent-key",
        envvar="CUSTODIET_AGENT_KEY",
        help="What makes an agent one and the same: agent, service, principal or host, several with commas between. "
        "A data directory keeps the key that it was begun with.",
    ),
]
Capabilities = Annotated[
    list[Path] | None,
    typer.Option("--capabilities", help="A TOML file of your own that classes tools; over the shipped table."),
]
FailOn = Annotated[str | None, typer.Option("--fail-on", help="Exit with 10 where a case has at least this severity.")]
DATA: Final = Path("custodiet-data")


@dataclass(frozen=True)
class Command:
    """One subcommand, or a group of them."""

    name: str
    run: Callable[..., None] | typer.Typer


def command(run: Callable[..., None]) -> Command:
    """Declare a subcommand under its function's name; its options and help are typer's."""
    return Command(run.__name__, run)


def group(name: str, help: str) -> tuple[Command, typer.Typer]:
    """Declare a group of subcommands (`custodiet NAME SUBCOMMAND`), and the typer app to add them to."""
    app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help=help)
    return Command(name, app), app


def show(rows: pl.DataFrame, json: bool, columns: list[str] | None = None) -> None:
    """A table for people, or all columns as JSON."""
    if json:
        print_json(jsonable(rows))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = columns or rows.columns
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in shown:
        table.add_column(column, overflow="fold")
    for values in rows.select(shown).iter_rows():
        table.add_row(
            *(Text(inert("" if v is None else ", ".join(v) if isinstance(v, list) else str(v))) for v in values)
        )
    Console(width=None if sys.stdout.isatty() else 240).print(table)


def jsonable(rows: pl.DataFrame) -> list[dict[str, Any]]:
    """Rows for JSON; times as ISO 8601 with nanoseconds and Z."""
    import polars as pl
    import polars.selectors as cs

    return rows.with_columns(cs.datetime().dt.strftime("%Y-%m-%dT%H:%M:%S%.9fZ"), cs.date().cast(pl.String)).to_dicts()


def print_json(value: object) -> None:
    import msgspec

    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def note(text: str) -> None:
    typer.echo(f"custodiet: {text}", err=True)


@contextmanager
def working(what: str) -> Iterator[Callable[[str], None]]:
    """Progress on stderr, on a terminal only."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.markup import escape

    with Console(stderr=True).status(what) as status:
        yield lambda name: status.update(f"{what} {escape(inert(name))}")


def leave(*, broken: list[str], undelivered: int = 0, found: bool = False) -> None:
    """Leave with the gravest code that applies."""
    for reason in broken:
        note(f"broke: {inert(reason)}")
    code = 6 if broken else 10 if found else 5 if undelivered else 0
    if code:
        raise typer.Exit(code)


def may_open_browser() -> bool:
    return not os.environ.get("NO_BROWSER") and sys.stdout.isatty()


def inert(text: str) -> str:
    """Text from a log, inert on a terminal."""
    return visible(text, cap=400)
