"""How soon: from an event's arrival over OTLP/HTTP to its alert at a webhook receiver, under steady traffic.

    python -m bench.latency [--seconds 600] [--rate 1000] [--history 5000000 [--history-data DIR]] [--attacks 1]

A store with a history is written first, which is not measured; with `--history-data` it is kept in that folder, and
later runs take it from there. Then `custodiet listen` runs on it; a fleet sends
`--rate` spans a second as protobuf, and `--attacks` times a second one span more, which must raise an alert. After
that everything that was acknowledged is looked up in the store. The exit code is 1 where anything was lost.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench._fleet import Traffic, attack, kept_history, write_history
from bench._webhook import Webhook
from ingest.database import ask, open_published
from ingest.published import published

_HISTORY_ENDS_S: Final = 3600.0
_ROOM: Final = Path(__file__).parents[1]


@dataclass
class Sent:
    """What the fleet sent, and what became of it."""

    events: int = 0
    requests: int = 0
    refused: int = 0
    attacks: dict[str, float] = field(default_factory=dict)
    """Session -> when its request was begun."""
    late_s: float = 0.0
    """How far the fleet itself fell behind its rate, at most."""


@dataclass
class Watched:
    """CPU seconds and peak memory of the processes of one `custodiet listen`."""

    pids: list[int]

    def cpu_s(self) -> float:
        ticks = 0
        for pid in self.pids:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def peak_mb(self) -> int:
        peak = 0
        for pid in self.pids:
            status = Path(f"/proc/{pid}/status").read_text()
            peak += next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
        return peak // 1024


def measure(
    folder: Path, seconds: float, rate: int, history: int, attacks: float, kept: Path | None = None
) -> dict[str, object]:
    """One run; the row of the table."""
    data = folder / "data"
    until_ns = time.time_ns() - int(_HISTORY_ENDS_S * 1e9)
    if kept is not None:
        kept_history(kept, data, history, until_ns)
    elif history:
        write_history(data, history, until_ns)
    webhook = Webhook()
    listening, url, began = start(data, webhook)
    started_s = time.monotonic() - began
    try:
        watched = Watched(tree(listening.pid))
        warm_mb = watched.peak_mb()
        cpu, clock = watched.cpu_s(), time.monotonic()
        sent = send(url, seconds, rate, attacks)
        waited = time.monotonic()
        while len(webhook.first_told) < len(sent.attacks) and time.monotonic() - waited < 30:
            time.sleep(0.05)
        cpu, clock = watched.cpu_s() - cpu, time.monotonic() - clock
        peak_mb = watched.peak_mb()
    finally:
        listening.send_signal(signal.SIGTERM)
        listening.wait(timeout=300)
        webhook.close()
    waits = sorted(webhook.first_told[s] - at for s, at in sent.attacks.items() if s in webhook.first_told)
    stored = ask(open_published(data), "select count(*) as n from stored_events").item() - history
    return {
        "events_a_second": rate,
        "seconds": round(seconds),
        "history_events": history,
        "sent": sent.events,
        "refused_requests": sent.refused,
        "lost_events": sent.events - stored,
        "attacks": len(sent.attacks),
        "alerts_missing": len(sent.attacks) - len(waits),
        "alerts_doubled": webhook.received - len(webhook.ids),
        "revisions": len(webhook.ids) - len(set(webhook.ids.values())),
        "p50_s": quantile(waits, 0.5),
        "p99_s": quantile(waits, 0.99),
        "most_s": quantile(waits, 1.0),
        "sender_late_s": round(sent.late_s, 2),
        "started_s": round(started_s, 1),
        "cpu_share": round(cpu / clock, 2),
        "warm_memory_mb": warm_mb,
        "peak_memory_mb": peak_mb,
        "published_files": sum(map(len, published(data).tables.values())),
    }


def start(data: Path, webhook: Webhook, **environment: str) -> tuple[subprocess.Popen[str], str, float]:
    """`custodiet listen` on a free port; (process, address, when it was begun). Returns once it judges."""
    began = time.monotonic()
    settings = data.parent / "custodiet.toml"
    settings.write_text(webhook.settings())
    environment = {**os.environ, **environment, "CUSTODIET_CONFIG": str(settings)}
    process = subprocess.Popen(
        [sys.executable, "-m", "custodiet", "listen", "--data", str(data), "--port", "0"],
        env=environment, cwd=_ROOM, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    url = ""
    for line in process.stderr:
        if "OTEL_EXPORTER_OTLP_ENDPOINT=" in line:
            url = line.split("OTEL_EXPORTER_OTLP_ENDPOINT=")[1].split()[0]
        if "listening at" in line:
            break
    else:
        raise SystemExit("custodiet listen did not start")
    threading.Thread(target=lambda: [sys.stderr.write(line) for line in process.stderr or ()], daemon=True).start()
    return process, url, began


def send(url: str, seconds: float, rate: int, attacks: float) -> Sent:
    """The fleet: requests of 100 or more spans in their time, each attack inside the request of its moment."""
    traces = max(1, min(50, rate // 100))
    traffic = [Traffic(traces, first_agent=number * traces) for number in range(8)]
    every_s = traffic[0].events / rate
    sent = Sent()
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
    began = time.monotonic()
    next_attack, number, turn = 0.5, 0, 0
    while (due := turn * every_s) < seconds:
        late = time.monotonic() - began - due
        if late < 0:
            time.sleep(-late)
        sent.late_s = max(sent.late_s, late)
        now_ns = time.time_ns()
        body, events, session = traffic[turn % len(traffic)].request(now_ns), traffic[0].events, None
        if attacks and due >= next_attack:
            body, events, session = body + attack(number, now_ns), events + 1, f"attack-{number}"
            number, next_attack = number + 1, next_attack + 1 / attacks
        begun = time.monotonic()
        if post(connection, body):
            sent.events += events
            if session is not None:
                sent.attacks[session] = begun
        else:
            sent.refused += 1
        sent.requests += 1
        turn += 1
    connection.close()
    return sent


def post(connection: http.client.HTTPConnection, body: bytes) -> bool:
    """Whether the request was taken."""
    headers = {"content-type": "application/x-protobuf", "content-encoding": "gzip"}
    connection.request("POST", "/v1/traces", gzip.compress(body, 1), headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status == 200


def tree(pid: int) -> list[int]:
    """A process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


def quantile(waits: list[float], share: float) -> float | None:
    return round(waits[min(len(waits) - 1, int(share * len(waits)))], 3) if waits else None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--history", type=int, default=5_000_000)
    parser.add_argument("--history-data", type=Path, metavar="DIR", help="keep the history in this folder")
    parser.add_argument("--attacks", type=float, default=1.0, help="alerts a second")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.history_data is not None:
        options.history_data.mkdir(parents=True, exist_ok=True)
    kept = options.history_data
    with tempfile.TemporaryDirectory(dir=kept) as folder:
        row = measure(Path(folder), options.seconds, options.rate, options.history, options.attacks, kept)
    if options.json:
        print(json.dumps(row, indent=2))
    else:
        for name, value in row.items():
            print(f"{name:<18}{value:>14,}" if isinstance(value, int) else f"{name:<18}{value!s:>14}")
    return int(bool(row["lost_events"] or row["alerts_missing"]))


if __name__ == "__main__":
    raise SystemExit(main())
