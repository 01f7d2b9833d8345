"""`custodiet listen` killed in the middle of traffic: what was acknowledged is there when it runs again."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from otlp_lines import line

from ingest.database import ask, open_published

ROOT = Path(__file__).parents[3]


def start(data: Path) -> tuple[subprocess.Popen[str], int]:
    process = subprocess.Popen(
        [sys.executable, "-m", "custodiet", "listen", "--data", str(data), "--port", "0"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "CUSTODIET_CONFIG": os.devnull},
    )
    assert process.stderr is not None
    for said in process.stderr:
        if "listening at" in said:
            port = int(said.split("http://127.0.0.1:")[1].split(";")[0])
            threading.Thread(target=process.stderr.read, daemon=True).start()
            return process, port
    raise AssertionError("it did not start")


def send(port: int, first: int, count: int) -> list[int]:
    """The numbers that were acknowledged."""
    taken = []
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    for number in range(first, first + count):
        try:
            connection.request("POST", "/v1/traces", line(number).encode(), {"content-type": "application/json"})
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            break
        if answer.status == 200:
            taken.append(number)
    connection.close()
    return taken


def test_nothing_that_was_acknowledged_is_lost_when_it_is_killed(tmp_path: Path) -> None:
    data, taken = tmp_path / "data", []
    for round_ in range(2):
        process, port = start(data)
        killer = threading.Timer(0.3 + round_ / 5, process.kill)
        killer.start()
        taken += send(port, round_ * 10_000, 5_000)
        killer.join()
        assert process.wait(timeout=30) == -signal.SIGKILL
    process, port = start(data)
    taken += send(port, 90_000, 20)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=120) == 0
    assert len(taken) > 60
    stored = set(ask(open_published(data), "select session_id from events").get_column("session_id"))
    assert {f"s-{number}" for number in taken} <= stored
    assert ask(open_published(data), "select count(*) - count(distinct event_id) from stored_events").item() == 0
