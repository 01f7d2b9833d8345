"""How fast detection is on the generated fleet (`python -m bench.fleet`), where a tenth of the steps is privileged.

Beside it stands a bare pass: the columns that it reads, in the order of time, made into Python values and no more.
Then the fleet's last day comes by itself, with what came late of the day before: what it costs is set beside its share
of the whole.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from bench._stages import measure, table
from bench.fleet import generate, load
from ingest.database import ask, open_published

_STORE: Final = """
import sys; from pathlib import Path
from baseline.capability import Capabilities; from baseline.fold import fold; from ingest.load import ingest_paths
files = [Path(line) for line in Path(sys.argv[2]).read_text().splitlines()]
ingest_paths(files, Path(sys.argv[1])); fold(Path(sys.argv[1]), Capabilities.load())
"""

_PASS: Final = """
import sys; from pathlib import Path
from ingest.database import ask_in_parts, open_published, rows_of
connection = open_published(Path(sys.argv[1]))
sql = "select event_id, session_id, trace_id, kind, tool, agent_id, principal, credential_id, target, status," \\
    " ordered_at, arguments, result from events order by ordered_at nulls first, session_id, event_id"
for part in ask_in_parts(connection, sql, 100_000):
    for row in rows_of(part, part.columns):
        pass
"""

_DETECT: Final = """
import sys; from pathlib import Path
from baseline.capability import Capabilities; from detect.run import detect_in
detect_in(Path(sys.argv[1]), Capabilities.load())
"""

_DATED: Final = re.compile(r"\d{4}-\d\d-\d\d")
_EVENTS: Final = "select count(*) from events"


def fleet_rows(folder: Path, events: int, seed: int = 21) -> list[dict[str, Any]]:
    """A bare pass, detection, and detection of one more day, over a fleet of about so many events."""
    logs, whole, grown = folder / "logs", folder / "whole", folder / "grown"
    generate(logs, load().with_(seed=seed, events=events))
    files = sorted(path for path in logs.rglob("*") if path.is_file() and path.name != "truth.jsonl")
    # The last date holds no more than what came late of the day before it.
    days = sorted({path.name[:10] for path in files if _DATED.match(path.name)})[-2:]
    new = tuple(name for day in days for name in (day, day.replace("-", "")))
    before = [path for path in files if not any(name in path.name for name in new)]
    _store(whole, files)
    stored = _stored(whole)
    rows = table({"a bare pass over the columns": _PASS, "detect": _DETECT}, stored, whole)
    _store(grown, before)
    measure(_DETECT, grown)
    gained = stored - _stored(grown)
    _store(grown, files)
    seconds, megabytes = measure(_DETECT, grown)
    for row in rows:
        row["beside"] = f"{row['times_the_first']:.1f} x the pass"
    share = rows[1]["cpu_s"] * gained / stored
    rows.append(
        {
            "stage": f"detect one more day of {gained:,} events",
            "cpu_s": round(seconds, 2),
            "events_per_cpu_s": round(gained / seconds),
            "times_its_share": round(seconds / share, 2),
            "beside": f"{seconds / share:.1f} x its share",
            "peak_memory_mb": megabytes,
        }
    )
    return [{"fleet_events": stored, **row} for row in rows]


def _store(data: Path, files: list[Path]) -> None:
    """Read the files and count what they hold; those that are known change nothing."""
    named = data.with_suffix(".files")
    named.write_text("".join(f"{path}\n" for path in files))
    measure(_STORE, data, named)


def _stored(data: Path) -> int:
    connection = open_published(data)
    try:
        return int(ask(connection, _EVENTS).item())
    finally:
        connection.close()
