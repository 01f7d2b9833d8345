"""A day in minutes: a live pipeline over 24 simulated hours, with its memory and its files at every hour.

    python -m bench.soak [--hours 24] [--rate 2] [--json]

A fleet appends `--rate` steps a simulated second to a log that is rotated every hour, over midnight too; one step an
hour must raise a case. The exit code is 1 where an event or a case was lost, or where memory or files grew: the last
hour's resident memory over 1.25 times that of the sixth, or more than 200 files that are part of the published state.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import ingest.published
from baseline.capability import Capabilities
from bench._fleet import Traffic, attack, write_history
from detect.live.service import live
from detect.settings import load_settings
from ingest.database import ask, open_published
from ingest.listen.lines import line_of_protobuf
from ingest.published import published

_TICK_S: Final = 10.0
_PUBLISH_EVERY_S: Final = 300.0
_MOST_FILES: Final = 200
_MOST_GROWTH: Final = 1.25
_SETTLED_HOUR: Final = 6
_BEGINS: Final = datetime(2026, 11, 2, 18, 0, tzinfo=UTC)


class Time:
    """The simulated clock."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def clock(self) -> float:
        return self.now_s

    def today(self) -> datetime:
        return _BEGINS + timedelta(seconds=self.now_s)

    def now_ns(self) -> int:
        return int(self.today().timestamp() * 1e9)


def soak(folder: Path, hours: int, rate: int) -> dict[str, object]:
    """One run; a row an hour, and what was lost."""
    data, logs = folder / "data", folder / "logs"
    logs.mkdir()
    # Files that nothing names any more are swept after an hour, which here passes in seconds.
    ingest.published.KEPT_AFTER_USE_S = 30  # type: ignore[misc]
    write_history(data, 50_000, int(_BEGINS.timestamp() * 1e9))
    history = _events(data)
    simulated, rows, told, sent = Time(), list[dict[str, object]](), set[str](), 0
    traffic = Traffic(max(1, round(rate * _TICK_S / 10)))
    with live(
        data,
        [logs],
        Capabilities.load(),
        load_settings(),
        told=lambda case_id, case: told.add(case_id) if case is not None else None,
        publish_every_s=_PUBLISH_EVERY_S,
        clock=simulated.clock,
        today=simulated.today,
    ) as running:
        for tick in range(int(hours * 3600 / _TICK_S)):
            simulated.now_s = tick * _TICK_S
            body, events = traffic.request(simulated.now_ns()), traffic.events
            if tick % 360 == 180:
                body, events = body + attack(tick // 360, simulated.now_ns()), events + 1
            with (logs / "fleet.otlp.jsonl").open("ab") as file:
                file.write(line_of_protobuf(body, "traces").raw + b"\n")
            sent += events
            running.pipeline.tick()
            while running.pipeline.is_publishing:
                running.pipeline.tick()
                time.sleep(0.01)
            if tick % 360 == 359:
                hour = (tick + 1) // 360
                (logs / "fleet.otlp.jsonl").rename(logs / f"fleet.otlp.jsonl.{hour}")
                rows.append({"hour": hour, "resident_mb": _resident_mb(), **_files(data), "cases": len(told)})
        running.pipeline.finish()
    return {
        "sent": sent,
        "lost_events": sent - (_events(data) - history),
        "cases_missing": hours - len(told),
        "hours": rows,
    }


def _events(data: Path) -> int:
    return int(ask(open_published(data), "select count(*) as n from stored_events").item())


def _files(data: Path) -> dict[str, int]:
    there = sum(1 for path in data.rglob("*") if path.is_file())
    return {"published_files": sum(map(len, published(data).tables.values())), "files": there}


def _resident_mb() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20


def is_flat(told: dict[str, object]) -> bool:
    """Whether memory and files stayed within their bounds."""
    rows = told["hours"]
    assert isinstance(rows, list)
    settled = rows[min(_SETTLED_HOUR, len(rows)) - 1]
    grew = rows[-1]["resident_mb"] / settled["resident_mb"]
    return bool(grew <= _MOST_GROWTH and all(row["published_files"] <= _MOST_FILES for row in rows))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--rate", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        told = soak(Path(folder), options.hours, options.rate)
    if options.json:
        print(json.dumps(told, indent=2))
    else:
        rows = told["hours"]
        assert isinstance(rows, list)
        print("".join(f"{name:>16}" for name in rows[0]))
        for row in rows:
            print("".join(f"{value:>16,}" for value in row.values()))
        print(f"{told['sent']:,} sent, {told['lost_events']} lost, {told['cases_missing']} cases missing")
    return int(bool(told["lost_events"] or told["cases_missing"] or not is_flat(told)))


if __name__ == "__main__":
    raise SystemExit(main())
