"""A webhook receiver on loopback that remembers when it was told of which session."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

SECRET: Final = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Webhook:
    """Runs until it is closed."""

    def __init__(self) -> None:
        self.first_told: dict[str, float] = {}
        """Session -> `time.monotonic()` of the first alert."""
        self.ids: dict[str, str] = {}
        """Alert id -> its case; the same id twice is one alert."""
        self.received = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                now = time.monotonic()
                receiver.hear(json.loads(body), self.headers["webhook-id"], now)
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def hear(self, body: dict[str, object], alert_id: str, now: float) -> None:
        self.received += 1
        data = body.get("data")
        assert isinstance(data, dict)
        self.ids[alert_id] = str(data.get("case_id"))
        for session in data.get("sessions") or []:
            self.first_told.setdefault(str(session), now)

    def settings(self) -> str:
        """A `custodiet.toml` that sends every alert here."""
        return (
            '[alerts]\nseverity = "low"\nallow_networks = ["127.0.0.1/32"]\n'
            f'[sinks.webhook]\nurl = "{self.url}"\nsecret = "{SECRET}"\nmost_an_hour = 1000000\n'
        )

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
