"""`python -m bench.second_fleet OUT`: a fleet's logs in `OUT/logs`, what is true of them in `OUT/truth.jsonl`."""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path

from bench.second_fleet.make import make
from bench.second_fleet.settings import Settings


def main() -> None:
    """Parse and make."""
    parser = argparse.ArgumentParser(prog="python -m bench.second_fleet", description=__doc__)
    parser.add_argument("out", type=Path)
    for setting in fields(Settings):
        if setting.type in ("int", "float"):
            kind = int if setting.type == "int" else float
            option = f"--{setting.name.replace('_', '-')}"
            parser.add_argument(option, type=kind, default=setting.default, dest=setting.name)
    given = vars(parser.parse_args())
    out = given.pop("out")
    made = make(Settings(**given), out)
    print(f"{made.files} files, about {made.events} events, {made.attacks} attacks, {made.look_alikes} look-alikes")


if __name__ == "__main__":
    main()
