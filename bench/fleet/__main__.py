"""`python -m bench.fleet`: write a fleet's logs and their truth."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import bench.fleet
from bench.fleet.evasion import EVASIONS


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.fleet",
        description=bench.fleet.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, required=True, help="a new folder")
    for name in ("seed", "events", "agents", "days", "history-days", "attacks", "look-alikes"):
        parser.add_argument(f"--{name}", type=int)
    parser.add_argument("--evasion", choices=tuple(EVASIONS), default="", help="tell the attacks otherwise")
    said = vars(parser.parse_args())
    out = said.pop("out")
    try:
        written = bench.fleet.generate(out, bench.fleet.load().with_(**said))
    except ValueError as error:
        sys.exit(f"bench.fleet: {error}")
    chains = {f"{kind}{'' if bad else ' (benign)'}": count for (kind, bad), count in sorted(written.chains.items())}
    print(json.dumps({"sessions": written.sessions, "bytes": written.bytes, "chains": chains}, indent=2))


if __name__ == "__main__":
    main()
