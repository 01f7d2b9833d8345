"""The front door: the `custodiet` command. Each room brings its subcommands."""

from __future__ import annotations

import logging
import sys
from typing import Final

import typer

import baseline.commands
import dashboard.commands
import detect.commands
import ingest.commands
from ingest.command import EXIT_CODES, Command, note
from ingest.errors import Trouble
from ingest.plugins import plugins

_ROOMS: Final = {
    "Read": ingest.commands,
    "Know what is normal": baseline.commands,
    "Judge and alert": detect.commands,
    "Look": dashboard.commands,
}

app = typer.Typer(
    name="custodiet",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="What did the agent do, was that normal for it, and does it look like lateral movement?",
    epilog="Exit codes: " + "; ".join(f"{code} {meaning}" for code, meaning in EXIT_CODES.items()) + ".",
)
for _panel, _room in _ROOMS.items():
    for _command in plugins(_room, Command):
        if isinstance(_command.run, typer.Typer):
            app.add_typer(_command.run, name=_command.name, rich_help_panel=_panel)
        else:
            app.command(_command.name, rich_help_panel=_panel)(_command.run)


def main() -> None:
    """Run the command. Trouble becomes one line and an exit code, never a traceback."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    try:
        app()
    except Trouble as trouble:
        note(str(trouble))
        raise SystemExit(trouble.exit_code) from None
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(0) from None


if __name__ == "__main__":
    main()
