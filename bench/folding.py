"""How fast events become counts, whether that stays so as the history grows, and what one more day costs.

    python -m bench.folding [--events 1000000 2000000 …] [--json]

`make bench` runs it with a million and two; ten million take some three gigabytes under --scratch. Each fold is a
process of its own, over a generated store of a hundred agents and thirty days; CPU seconds are user + system, memory
is its peak. `start` is a fold with nothing to count, which every figure contains. One more day is a thirtieth of the
events added to a month that is counted already.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Final

from bench._fleet import DAYS, write_events
from bench._stages import measure
from ingest.published import editing

_UNTIL_NS: Final = 1_790_000_000_000_000_000
_FOLD: Final = """
import sys; from pathlib import Path
from baseline.capability import Capabilities; from baseline.fold import fold
fold(Path(sys.argv[1]), Capabilities.load())
"""


def folded(data: Path, events: int) -> dict[str, float]:
    """The figures of one history."""
    write_events(data, events, _UNTIL_NS)
    whole_s, megabytes = measure(_FOLD, data, data)
    start_s, _ = measure(_FOLD, data, data)
    _forget_the_last_day(data)
    day_s, _ = measure(_FOLD, data, data)
    return {
        "events": events,
        "cpu_s": round(whole_s, 2),
        "events_per_cpu_s": round(events / whole_s),
        "peak_memory_mb": megabytes,
        "start_cpu_s": round(start_s, 2),
        "one_more_day_cpu_s": round(day_s, 2),
    }


def _forget_the_last_day(data: Path) -> None:
    """Name no counts of the last thirtieth of the segments, as if they had just come."""
    with editing(data) as edition:
        counts = edition.tables["counts"]
        edition.tables["counts"] = counts[: -max(1, len(counts) // DAYS)]
        edition.publish()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, nargs="+", default=[1_000_000, 2_000_000])
    parser.add_argument("--scratch", type=Path, help="where the stores lie meanwhile")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = []
    for events in options.events:
        with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
            rows.append(folded(Path(folder) / "data", events))
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"{'events':>12}{'CPU s':>9}{'events / CPU s':>16}{'peak MB':>9}{'start CPU s':>13}{'one more day':>14}")
    for row in rows:
        print(f"{row['events']:>12,}{row['cpu_s']:>9.2f}{row['events_per_cpu_s']:>16,}{row['peak_memory_mb']:>9,}"
              f"{row['start_cpu_s']:>13.2f}{row['one_more_day_cpu_s']:>14.2f}")  # fmt: skip


if __name__ == "__main__":
    main()
