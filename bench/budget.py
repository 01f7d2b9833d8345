"""Whether a budget of cases a day is kept on a generated fleet: thirty days after a fortnight, for several budgets.

    python -m bench.budget [--budgets 3 5 10] [--seed N --event-count N --agents N --attacks N --look-alikes N] [--json]
    python -m bench.budget --data DIR [--budgets …] [--json]

The history is judged once, as `custodiet backtest` does, and walked a day at a time under each budget. A hard case
(movement of at least high severity) passes whatever the bar; half of the budget makes room for hard ones, and what is
beyond comes on top: `over` says how much of the excess that is. With --data a data directory that is ingested and
counted is replayed instead.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import bench.fleet
from baseline.capability import Capabilities
from baseline.fold import classify_tools, fold
from detect.backtest import mean_of
from detect.budget import RaisedDay, days_of
from detect.run import judge_all
from ingest.database import open_published
from ingest.load import ingest_paths

BEFORE: Final = 14
"""Days that the bar settles in: the two weeks that it looks back on."""
DAYS: Final = 30


def figures(days: Sequence[RaisedDay], budget: float) -> dict[str, object]:
    """What was raised a day on the days after the first fortnight, beside the budget."""
    judged = days[BEFORE : BEFORE + DAYS]
    mean, low, high = mean_of([len(day.raised) for day in judged])
    hard = sum(day.hard for day in judged) / max(1, len(judged))
    return {
        "budget": budget,
        "days": len(judged),
        "offered_a_day": round(sum(day.offered for day in judged) / max(1, len(judged)), 2),
        "raised_a_day": round(mean, 2),
        "interval_95": f"{low:.2f} to {high:.2f}",
        "hard_a_day": round(hard, 2),
        "over": round(max(0.0, hard - budget / 2), 2),
        "share_of_budget": round(mean / budget, 3),
    }


def replayed(data: Path, budgets: Sequence[float]) -> list[dict[str, object]]:
    """The figures of each budget over what a data directory holds."""
    capabilities = Capabilities.load()
    fold(data, capabilities)
    connection = open_published(data)
    classify_tools(connection, capabilities)
    cases = judge_all(connection).cases
    return [figures(days_of(connection, cases, budget), budget) for budget in budgets]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--budgets", type=float, nargs="+", default=[3.0, 5.0, 10.0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    for name, usual in (("event-count", 60_000), ("agents", 40), ("attacks", 12), ("look-alikes", 12)):
        parser.add_argument(f"--{name}", type=int, default=usual, help="of the generated fleet")
    options = parser.parse_args()
    if options.data is not None:
        rows = replayed(options.data, options.budgets)
    else:
        with tempfile.TemporaryDirectory() as folder:
            logs, data = Path(folder) / "logs", Path(folder) / "data"
            counts = {name: getattr(options, name) for name in ("agents", "attacks", "look_alikes", "seed")}
            made = bench.fleet.load().with_(
                **counts, events=options.event_count, days=BEFORE + DAYS, history_days=BEFORE
            )
            truth = bench.fleet.generate(logs, made).truth
            ingest_paths([entry for entry in sorted(logs.iterdir()) if entry != Path(truth)], data)
            rows = replayed(data, options.budgets)
    print(json.dumps(rows, indent=2)) if options.json else print_rows(rows)


def print_rows(rows: Sequence[dict[str, object]]) -> None:
    print(f"{'budget':>7}{'days':>6}{'offered':>9}{'raised':>8}{'95 %':>16}{'hard':>7}{'over':>7}{'of budget':>11}")
    for row in rows:
        print(
            f"{row['budget']:>7}{row['days']:>6}{row['offered_a_day']:>9}{row['raised_a_day']:>8}"
            f"{row['interval_95']:>16}{row['hard_a_day']:>7}{row['over']:>7}{row['share_of_budget']:>11}"
        )


if __name__ == "__main__":
    main()
