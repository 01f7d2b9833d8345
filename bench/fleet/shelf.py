"""The log files: one a day and source, some sessions late by a day or two, CloudTrail by account in pieces."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from random import Random
from types import TracebackType
from typing import IO

from bench.fleet.clock import whole_second
from bench.fleet.settings import DAY_NS, Settings

_RECORDS_A_FILE = 4000
_OPEN_FILES = 40


class Shelf:
    """Takes lines as they come and puts each into the file of its day; closes what is behind."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder, self.settings = folder, settings
        self.late = settings.raw["time"]["late_files"]
        self.open: dict[Path, IO[bytes]] = {}
        self.trails: dict[tuple[str, int], list[tuple[int, bytes]]] = defaultdict(list)
        self.pieces: dict[tuple[str, int], int] = defaultdict(int)
        self.bytes = 0
        for source in ("otlp", "temporal", "cloudtrail"):
            (folder / source).mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Shelf:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for key in sorted(self.trails):
            self._deliver(key)
        for file in self.open.values():
            file.close()

    def line(self, source: str, at_ns: int, line: bytes, name: str) -> None:
        """A line of the day on which its session ended; now and then delivered late, with a day after it."""
        day = (at_ns - self.settings.start_ns) // DAY_NS
        luck = Random(f"late/{name}").random()
        mark = ""
        if luck < self.late:
            mark, day = ".late", day + 1 + int(luck * 1000) % 2
        date = whole_second(self.settings.start_ns + day * DAY_NS)[:10]
        path = self.folder / source / f"{date}{mark}.{source}.jsonl"
        file = self.open.get(path)
        if file is None:
            if len(self.open) >= _OPEN_FILES:
                self.open.pop(min(self.open)).close()
            file = self.open[path] = path.open("ab")
        file.write(line + b"\n")
        self.bytes += len(line) + 1

    def trail(self, account: str, at_ns: int, record: bytes) -> None:
        """A CloudTrail record for its account's delivery of that quarter of a day."""
        key = account, at_ns // (DAY_NS // 4)
        held = self.trails[key]
        held.append((at_ns, record))
        self.bytes += len(record) + 1
        if len(held) >= _RECORDS_A_FILE:
            self._deliver(key)

    def day_is_over(self, day: int) -> None:
        """Deliver what lies two days back; the rest may still grow."""
        before = (self.settings.start_ns + (day - 1) * DAY_NS) // (DAY_NS // 4)
        for key in sorted(key for key in self.trails if key[1] < before):
            self._deliver(key)

    def _deliver(self, key: tuple[str, int]) -> None:
        """S3's files hold records in no strict order."""
        account, quarter = key
        held = self.trails.pop(key)
        Random(f"{account}/{quarter}/{len(held)}").shuffle(held)
        number = self.pieces[key] = self.pieces[key] + 1
        stamp = whole_second(quarter * (DAY_NS // 4))[:16].replace(":", "").replace("-", "")
        path = self.folder / "cloudtrail" / f"{account}_CloudTrail_eu-west-1_{stamp}Z_{number:02d}.json"
        path.write_bytes(b'{"Records":[' + b",".join(record for _, record in held) + b"]}")
