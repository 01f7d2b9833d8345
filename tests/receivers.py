"""Real receivers on loopback: they check what arrives by their documented rules, and misbehave on request."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ALLOW = 'allow_networks = ["127.0.0.1/32"]'


@dataclass(frozen=True)
class Request:
    """One request, as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """What a receiver answers, or how it fails to."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    hang_s: float = 0.0
    """Wait so long before the answer."""
    drops: bool = False
    """Promise a body, send half of the head, and hang up."""
    trickle_s: float = 0.0
    """Send the body a byte at a time, with so long in between."""


Rule = Callable[[Request], Reply]


@dataclass
class Receiver:
    """`rule` judges what arrives and answers; `script` answers first, in turn (the rule still sees the request)."""

    rule: Rule = lambda request: Reply()
    script: list[Reply] = field(default_factory=list)
    got: list[Request] = field(default_factory=list)
    taken: list[Request] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    """What the rule held against a request."""
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Receiver:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                request = Request(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
                receiver.got.append(request)
                try:
                    ruled = receiver.rule(request)
                except AssertionError as error:
                    receiver.broken.append(str(error) or repr(error))
                    ruled = Reply(400)
                reply = receiver.script.pop(0) if receiver.script else ruled
                if 200 <= reply.status < 300 and not reply.drops:
                    receiver.taken.append(request)
                with contextlib.suppress(OSError):  # the sender hung up first
                    self._answer(reply)
                self.close_connection = True

            def _answer(self, reply: Reply) -> None:
                time.sleep(reply.hang_s)
                if reply.drops:
                    self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-le")
                    self.wfile.flush()
                    return
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(reply.body)))
                self.end_headers()
                if not reply.trickle_s:
                    self.wfile.write(reply.body)
                    return
                for number in range(len(reply.body)):
                    self.wfile.write(reply.body[number : number + 1])
                    self.wfile.flush()
                    time.sleep(reply.trickle_s)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
