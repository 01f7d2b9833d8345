"""Write every folder of sample logs; the same bytes each time.

    python sample_logs/generate.py [where]

Nothing depends on the clock, the machine's locale or the order of a set: each session draws from a generator
seeded with its own name, so adding a scenario changes no other.
"""

from __future__ import annotations

import gzip
import json
import shutil
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from _attacks import attacks
from _calls import Log
from _history import four_weeks
from _look_alikes import look_alikes
from _scenario import Scenario

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

HERE = Path(__file__).resolve().parent
PRETTY = 3
"""How many workflow histories stand as documents of their own, as `temporal workflow show` prints one."""


def main(where: Path) -> None:
    history = sorted(four_weeks(), key=lambda log: (log.at, log.agent.name))
    summary = "Four ordinary weeks of six agents of a small SOC: nothing in them is an attack."
    write(where, Scenario("four_weeks", "history", summary, history), history_files(history))
    for scenario in (*attacks(), *look_alikes()):
        write(where, scenario, scenario_files(scenario))


def write(where: Path, scenario: Scenario, files: Iterator[tuple[str, bytes]]) -> None:
    """Replace the scenario's folder."""
    folder = where / scenario.name
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    for name, content in files:
        (folder / name).write_bytes(content)
    (folder / "expect.toml").write_text(scenario.expect(), encoding="utf-8", newline="\n")


def history_files(logs: list[Log]) -> Iterator[tuple[str, bytes]]:
    """A file per format and week. One is Zstandard and one plain, because archives are never uniform."""
    singles = [log for log in logs if log.format == "temporal"][:PRETTY]
    for number, log in enumerate(singles, 1):
        written = log.records[0] if number < PRETTY else as_older_tools_wrote(log.records[0])
        document = json.dumps(written, indent=2, sort_keys=True)
        yield f"temporal.single-{number}.json", (document + "\n").encode()
    weeks: dict[tuple[str, int], list[Log]] = defaultdict(list)
    for log in logs:
        if log not in singles:
            weeks[log.format, log.at.isocalendar().week].append(log)
    for (form, week), of_week in sorted(weeks.items()):
        name, content = f"{form}.2026-W{week}.jsonl", json_lines(of_week)
        if (form, week) == ("chat", 42):
            yield f"{name}.zst", zstd.compress(content, 19)
        elif (form, week) == ("chat", 44):
            yield name, content
        else:
            yield f"{name}.gz", gzip.compress(content, 9, mtime=0)


def as_older_tools_wrote(history: dict[str, Any]) -> dict[str, Any]:
    """The same history with event types as they were spelt until 2023: ActivityTaskScheduled."""
    spelt = [
        event | {"eventType": event["eventType"].removeprefix("EVENT_TYPE_").title().replace("_", "")}
        for event in history["events"]
    ]
    return {"events": spelt}


def scenario_files(scenario: Scenario) -> Iterator[tuple[str, bytes]]:
    """A plain file per agent, to be read by people."""
    by_agent: dict[tuple[str, str], list[Log]] = defaultdict(list)
    for log in sorted(scenario.logs, key=lambda log: log.at):
        by_agent[log.agent.name, log.format].append(log)
    for (agent, form), logs in sorted(by_agent.items()):
        yield f"{agent}.{form}.jsonl", json_lines(logs)


def json_lines(logs: list[Log]) -> bytes:
    lines = [json.dumps(record, separators=(",", ":"), sort_keys=True) for log in logs for record in log.records]
    return ("\n".join(lines) + "\n").encode()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
