"""What hostile clients get of `custodiet listen`, and what an honest one notices of it.

    python -m bench.hostile [--times 200] [--json]

`custodiet listen` runs with a token, and an honest agent sends to it all the while. One after the other come clients
with wrong tokens, oversize bodies, gzip bombs, deep and malformed ones, slow ones, and a thousand connections at once.
A row each: how they were answered, and the honest agent's longest wait meanwhile. Exit code 1 where anything that was
acknowledged is not in the store, or where the honest agent was refused while nobody held all connections.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import http.client
import json
import signal
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from bench._fleet import attack
from bench._webhook import Webhook
from bench.latency import Watched, start, tree
from ingest.database import ask, open_published
from ingest.listen.serve import TOKEN

_TOKEN: Final = "a-token-for-the-bench-of-hostile-clients"
_PROTOBUF: Final = {"content-type": "application/x-protobuf"}
_JSON: Final = {"content-type": "application/json"}
_CONNECTIONS: Final = 1_000
_EVERY_S: Final = 0.05

BODIES: Final[dict[str, tuple[bytes, dict[str, str]]]] = {
    "oversize": (b" " * (17 << 20), _JSON),
    "bomb": (gzip.compress(b"0" * (64 << 20)), {**_PROTOBUF, "content-encoding": "gzip"}),
    "deep JSON": (b'{"resourceSpans":' + b"[" * 50_000 + b"]" * 50_000 + b"}", _JSON),
    "deep protobuf": (b"\x0a\x7f" * 30_000, _PROTOBUF),
    "malformed JSON": (b'{"resourceSpans": [{]}', _JSON),
    "malformed protobuf": (b"\xff" * 1_000, _PROTOBUF),
    "half a gzip": (gzip.compress(b"{}" * 1_000)[:-9], {**_JSON, "content-encoding": "gzip"}),
}


@dataclass
class Honest:
    """An agent that sends one span at a time; what it was told."""

    url: str
    taken: set[str] = field(default_factory=set)
    refused: int = 0
    waits: list[float] = field(default_factory=list)
    ends: bool = False
    _number: int = 0

    def run(self) -> None:
        while not self.ends:
            self._send()
            time.sleep(_EVERY_S)

    def _send(self) -> None:
        body = attack(self._number, time.time_ns())
        session, self._number = f"attack-{self._number}", self._number + 1
        began = time.monotonic()
        status = post(self.url, body, {**_PROTOBUF, "authorization": f"Bearer {_TOKEN}"})
        self.waits.append(time.monotonic() - began)
        if status == 200:
            self.taken.add(session)
        else:
            self.refused += 1


def post(url: str, body: bytes, headers: dict[str, str]) -> int | str:
    """The status, or how the connection ended."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)
    try:
        connection.request("POST", "/v1/traces", body, headers)
        return connection.getresponse().status
    except OSError as error:
        return type(error).__name__
    except http.client.HTTPException:
        return "hung up"
    finally:
        connection.close()


def nobody() -> Counter[int | str]:
    """For three seconds the honest agent is alone."""
    time.sleep(3)
    return Counter()


def wrong_tokens(url: str, times: int) -> Counter[int | str]:
    body = attack(10**9, time.time_ns())
    given = (None, "Bearer wrong", f"Basic {_TOKEN}", "Bearer \xff")
    headers = [_PROTOBUF if said is None else {**_PROTOBUF, "authorization": said} for said in given]
    return Counter(post(url, body, headers[n % len(headers)]) for n in range(times))


def slow(url: str, times: int) -> Counter[int | str]:
    """Half of them never end their headers, half never their body."""
    head = (
        f"POST /v1/traces HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {_TOKEN}\r\ncontent-type: application/json\r\n"
    )
    said = (head.encode(), head.encode() + b"content-length: 9\r\n\r\n{")
    return _answers(url, times, lambda number: said[number % 2])


def connections(url: str, times: int) -> Counter[int | str]:
    """A thousand at once that say nothing."""
    return _answers(url, max(times, _CONNECTIONS), lambda _: b"")


def _answers(url: str, times: int, says: Callable[[int], bytes]) -> Counter[int | str]:
    host, _, port = url.removeprefix("http://").partition(":")
    held = []
    for number in range(times):
        held.append(socket.create_connection((host, int(port)), timeout=60))
        with contextlib.suppress(OSError):
            held[-1].sendall(says(number))
    answers: Counter[int | str] = Counter()
    for one in held:
        try:
            said = one.recv(12)
        except OSError as error:
            answers[type(error).__name__] += 1
        else:
            answers[int(said[9:12]) if said else "hung up"] += 1
        one.close()
    return answers


def measure(folder: Path, times: int) -> dict[str, object]:
    """A row for each kind of client, and what was lost."""
    data, webhook = folder / "data", Webhook()
    listening, url, _ = start(data, webhook, **{TOKEN: _TOKEN})
    watched = Watched(tree(listening.pid))
    honest = Honest(url)
    thread = threading.Thread(target=honest.run)
    thread.start()
    kinds: dict[str, Callable[[], Counter[int | str]]] = {
        "nobody": nobody,
        "wrong token": lambda: wrong_tokens(url, times),
        **{name: partial(posted, url, name, times) for name in BODIES},
        "slow": lambda: slow(url, times),
        f"{_CONNECTIONS:,} connections": lambda: connections(url, times),
    }
    rows: list[dict[str, object]] = []
    for kind, come in kinds.items():
        first, refused = len(honest.waits), honest.refused
        answers = come()
        waits = honest.waits[first:] or [0.0]
        rows.append(
            {
                "clients": kind,
                "answers": {str(answer): count for answer, count in sorted(answers.items(), key=str)},
                "honest_sent": len(waits),
                "honest_refused": honest.refused - refused,
                "honest_longest_wait_s": round(max(waits), 3),
            }
        )
    honest.ends = True
    thread.join()
    peak_mb, is_alive = watched.peak_mb(), listening.poll() is None
    listening.send_signal(signal.SIGTERM)
    listening.wait(timeout=300)
    webhook.close()
    stored = set(ask(open_published(data), "select distinct session_id from events").get_column("session_id"))
    return {
        "rows": rows,
        "accepted": len(honest.taken),
        "lost": len(honest.taken - stored),
        "stored_of_hostile": len(stored - honest.taken),
        "is_alive": is_alive,
        "peak_memory_mb": peak_mb,
    }


def posted(url: str, name: str, times: int) -> Counter[int | str]:
    body, headers = BODIES[name]
    return Counter(post(url, body, {**headers, "authorization": f"Bearer {_TOKEN}"}) for _ in range(times))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=200, help="clients of each kind")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        told = measure(Path(folder), options.times)
    rows = told["rows"]
    assert isinstance(rows, list)
    if options.json:
        print(json.dumps(told, indent=2))
    else:
        for row in rows:
            answers = ", ".join(f"{count} x {answer}" for answer, count in row["answers"].items())
            sent, no, longest = row["honest_sent"], row["honest_refused"], row["honest_longest_wait_s"]
            print(
                f"{row['clients']:<20}{answers:<48} honest: {sent:>4} sent, {no} refused, longest wait {longest:.3f} s"
            )
        print(
            f"{told['accepted']} accepted, {told['lost']} of them lost; {told['stored_of_hostile']} stored of hostile "
            f"clients; peak memory {told['peak_memory_mb']} MB"
        )
    refused = sum(row["honest_refused"] for row in rows if not row["clients"].endswith("connections"))
    return int(bool(told["lost"] or told["stored_of_hostile"] or refused or not told["is_alive"]))


if __name__ == "__main__":
    sys.exit(main())
