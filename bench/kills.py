"""Killed at any moment: `custodiet run` is shot and started again until it is done, and must end as if it never was.

    python -m bench.kills --times 200 [--seed 1] [--json]

Every round begins with an empty data directory, or with one that judged the days before, and real `custodiet run`
processes are killed (SIGKILL) in it: anywhere between start and end, within a step, at a publication (the pointer's
draft was just written), or within 30 ms of an alert's arrival at the receiver. When a run comes to its end, what it
left must equal what one undisturbed run leaves: events, counts, findings, cases, the register, what was rejected, and
the alerts, each once or more under the same id and with the same body. The exit code is 1 where it does not.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

from bench._small_fleet import attack, days, write
from bench._webhook import Webhook
from detect.outbox import account
from detect.people import people
from ingest.at_work import last_at_work
from ingest.database import ask, open_published
from ingest.published import POINTER

ROOT: Final = Path(__file__).parents[1]
STEPS: Final = ("reading", "counting", "judging", "sending", "tidying")
MOST_A_ROUND: Final = 10
"""Kills in one data directory, before a run is let through."""
_AROUND_DELIVERY_S: Final = 0.03
_TABLES: Final = {
    "events": "select * exclude (filename) from stored_events order by event_id, content_key",
    "traces": "select * exclude (segment) from stored_traces order by all",
    "counts": "select day, agent_id, agent_version, aspect, context, value, sum(steps), sum(sessions) from counts"
    " group by all order by all",
    "findings": "from findings order by finding_id",
    "cases": "from cases order by case_id",
    "could_fire": "from could_fire order by all",
    "files": "from files order by sha256",
    "rejected": "from rejected order by all",
}


class Receiver(Webhook):
    """Remembers every body by its id, and tells who asks that one arrived."""

    def __init__(self) -> None:
        super().__init__()
        self.bodies: dict[str, set[str]] = {}
        self.arrived: Callable[[], None] = lambda: None
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a sender that is killed hangs up

    def hear(self, body: dict[str, object], alert_id: str, now: float) -> None:
        super().hear(body, alert_id, now)
        self.bodies.setdefault(alert_id, set()).add(json.dumps(body, sort_keys=True))
        self.arrived()

    def forget(self) -> None:
        self.bodies.clear()
        self.received = 0


@dataclass
class End:
    """What a data directory and the receiver hold in the end."""

    tables: dict[str, str]
    alerts: list[str]

    def differs_from(self, other: End) -> list[str]:
        tables = [name for name, digest in self.tables.items() if other.tables[name] != digest]
        lost = [f"alert {i} lost" for i in sorted(set(other.alerts) - set(self.alerts))]
        return [*tables, *lost, *(f"alert {i} is new" for i in sorted(set(self.alerts) - set(other.alerts)))]


@dataclass
class Told:
    """What was done and what came of it."""

    kills: Counter[str] = field(default_factory=Counter)
    """Step that a kill hit -> how often."""
    aims: Counter[str] = field(default_factory=Counter)
    rounds: int = 0
    runs: int = 0
    alerts: int = 0
    doubles: int = 0
    wrong: list[str] = field(default_factory=list)


class Shooting:
    """The logs, the receiver, and how long each step takes undisturbed."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.chance, self.told = folder, random.Random(seed), Told()
        self.logs, self.history = folder / "logs", folder / "history"
        write(self.logs, days(0, 6), ["no record at all\n"], name="history")
        write(self.logs, attack(6, "a"), attack(7, "b"), days(6, 7), attack(8, "c"), name="later")
        self.receiver = Receiver()
        self.config = folder / "custodiet.toml"
        self.config.write_text(self.receiver.settings())
        self._run(self.history, self.logs / "history.otlp.jsonl")
        self.receiver.forget()
        began = time.monotonic()
        self.steps_s = self._timed(folder / "undisturbed")
        self.whole_s = time.monotonic() - began
        self.undisturbed = self._end(folder / "undisturbed")

    def shoot(self, times: int) -> Told:
        """So many kills, in as many rounds as they take."""
        while self.told.kills.total() < times and not self.told.wrong:
            self._round(min(MOST_A_ROUND, times - self.told.kills.total()))
            if sys.stderr.isatty():
                print(f"\r{self.told.kills.total()} of {times} kills", end="", file=sys.stderr)
        self.receiver.close()
        return self.told

    def _round(self, most: int) -> None:
        data = self.folder / f"round-{self.told.rounds}"
        if self.told.rounds % 2:
            shutil.copytree(self.history, data)
        self.told.rounds += 1
        self.receiver.forget()
        for _ in range(most):
            if not self._is_killed(data):
                break
        else:
            self._run(data, self.logs)
        end = self._end(data)
        self.told.alerts += len(end.alerts)
        self.told.doubles += self.receiver.received - len(end.alerts)
        wrong = end.differs_from(self.undisturbed)
        wrong += [f"alert {i} came with two bodies" for i, bodies in self.receiver.bodies.items() if len(bodies) > 1]
        self.told.wrong += [f"round {self.told.rounds}: {what}" for what in wrong]
        if not wrong:
            shutil.rmtree(data)

    def _is_killed(self, data: Path) -> bool:
        """One run with one shot at it; False where it came to its end before."""
        waiting = () if len(self.receiver.bodies) == len(self.undisturbed.alerts) else ("delivery", "delivery")
        aim = self.chance.choice(("anywhere", *STEPS, "publication", "publication", *waiting))
        child = self._started(data, self.logs)
        shot = threading.Event()
        if aim == "delivery":
            delay_s = self.chance.choice((0.0, self.chance.uniform(0, _AROUND_DELIVERY_S)))
            self.receiver.arrived = lambda: threading.Timer(delay_s, shot.set).start()
        try:
            self._wait(aim, child, data, shot)
        finally:
            self.receiver.arrived = lambda: None
            child.send_signal(signal.SIGKILL)
            child.wait()
        if child.returncode != -signal.SIGKILL:
            if child.returncode:
                self.told.wrong.append(f"a run left with {child.returncode}")
            return False
        left = last_at_work(data)
        hit = left.step if left is not None and left.pid == child.pid else "starting"
        self.told.kills[hit] += 1
        self.told.aims[aim] += 1
        return True

    def _wait(self, aim: str, child: subprocess.Popen[bytes], data: Path, shot: threading.Event) -> None:
        """Until the moment to shoot, or the end of the run."""
        if aim == "delivery":
            while child.poll() is None and not shot.wait(0.002):
                pass
        elif aim == "publication":
            self._until_published(child, data, self.chance.choice((1, 1, 2, 3)))
        elif aim == "anywhere":
            _sleep(child, self.chance.uniform(0, self.whole_s))
        else:
            while child.poll() is None and not _is_at(data, child.pid, aim):
                time.sleep(0.002)
            _sleep(child, self.chance.uniform(0, self.steps_s[aim]))

    def _until_published(self, child: subprocess.Popen[bytes], data: Path, number: int) -> None:
        """The draft of the pointer is there, or has just replaced it, for the `number`th time."""
        draft, pointer = (data / POINTER).with_suffix(".draft"), data / POINTER
        before = _stamp(pointer)
        while child.poll() is None:
            if draft.exists() or _stamp(pointer) != before:
                number -= 1
                if not number:
                    return
                while draft.exists() and child.poll() is None:
                    pass
                before = _stamp(pointer)

    def _started(self, data: Path, logs: Path) -> subprocess.Popen[bytes]:
        self.told.runs += 1
        return subprocess.Popen(
            [sys.executable, "-m", "custodiet", "run", str(logs), "--data", str(data), "--json"],
            cwd=ROOT,
            env=os.environ | {"CUSTODIET_CONFIG": str(self.config)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _run(self, data: Path, logs: Path) -> None:
        code = self._started(data, logs).wait()
        if code:
            self.told.wrong.append(f"a run that nobody killed left with {code}")

    def _timed(self, data: Path) -> dict[str, float]:
        """An undisturbed run, and how long it was in each step."""
        child = self._started(data, self.logs)
        spent = dict.fromkeys(STEPS, 0.0)
        last = time.monotonic()
        while child.poll() is None:
            time.sleep(0.002)
            now, left = time.monotonic(), last_at_work(data)
            if left is not None and left.pid == child.pid and left.step in spent:
                spent[left.step] += now - last
            last = now
        return spent

    def _end(self, data: Path) -> End:
        connection = open_published(data)
        tables = {name: _digest(ask(connection, sql).rows()) for name, sql in _TABLES.items()}
        connection.close()
        with people(data) as outbox:
            standing = account(outbox)
            sent = [row["alert_id"] for row in outbox.execute("select alert_id from alerts order by alert_id")]
        if standing.delivered != standing.raised or sorted(self.receiver.bodies) != sent:
            self.told.wrong.append(f"{data.name}: {standing}, of which {len(self.receiver.bodies)} arrived")
        return End(tables, sorted(self.receiver.bodies))


def _is_at(data: Path, pid: int, step: str) -> bool:
    left = last_at_work(data)
    return left is not None and left.pid == pid and left.step == step


def _sleep(child: subprocess.Popen[bytes], seconds: float) -> None:
    until = time.monotonic() + seconds
    while child.poll() is None and time.monotonic() < until:
        time.sleep(0.002)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        told = path.stat()
    except FileNotFoundError:
        return 0, 0
    return told.st_ino, told.st_mtime_ns


def _digest(rows: list[tuple[object, ...]]) -> str:
    return f"{len(rows)}-{sha256(repr(rows).encode()).hexdigest()[:16]}"


def kills(folder: Path, times: int, seed: int) -> Told:
    """So many kills; what was wrong is in the answer."""
    return Shooting(folder, seed).shoot(times)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        told = kills(Path(folder), options.times, options.seed)
    if options.json:
        print(json.dumps(vars(told), indent=2))
    else:
        print(f"{told.kills.total()} kills in {told.rounds} rounds, {told.runs} runs; by step:")
        for step in ("starting", *STEPS, "done"):
            print(f"  {step:<10} {told.kills[step]:>5}")
        print("aimed at: " + ", ".join(f"{aim} {count}" for aim, count in sorted(told.aims.items())))
        print(f"{told.alerts} alerts, none lost, {told.doubles} came again under the same id" if not told.wrong else "")
    for wrong in told.wrong:
        print(f"WRONG: {wrong}", file=sys.stderr)
    return int(bool(told.wrong))


if __name__ == "__main__":
    raise SystemExit(main())
