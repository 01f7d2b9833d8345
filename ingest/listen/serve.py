"""The receiver's process: uvicorn with the patience of a guard, until its parent ends or says so."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import socket
import sys
import threading
from pathlib import Path
from typing import Any, Final

import msgspec
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from ingest.errors import Trouble
from ingest.listen.answers import JSON, RETRY_AFTER_S, refused
from ingest.listen.app import Limits, Receiver
from ingest.listen.spool import Spool

TOKEN: Final = "CUSTODIET_LISTEN_TOKEN"
_HEAD_BYTES: Final = 32 << 10
_TOO_MANY: Final = refused(503, "too many connections at once", JSON)
_FULL: Final = (
    f"HTTP/1.1 503 Service Unavailable\r\nretry-after: {RETRY_AFTER_S}\r\nconnection: close\r\n"
    f"content-type: {JSON}\r\ncontent-length: {len(_TOO_MANY.body)}\r\n\r\n"
).encode() + _TOO_MANY.body
"""Written before any request is read, as nobody is to hold a place by sending nothing."""


class Told(msgspec.Struct, frozen=True):
    """What the parent hands over: everything but the token, which stands in the environment."""

    folder: str
    descriptor: int
    limits: Limits = Limits()


def bound(address: str, port: int) -> socket.socket:
    """A listening socket. Raises `Trouble` where the port is taken."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((address, port))
        listening.listen(1024)
    except OSError as error:
        listening.close()
        raise Trouble(f"port {port} on {address} cannot be used ({error.strerror}); name another --port") from error
    return listening


def serve(folder: Path, listening: socket.socket, token: str | None, limits: Limits) -> None:
    """Receive until SIGTERM, SIGINT or the end of stdin."""
    _allow_files(limits.connections + 256)
    spool = Spool(folder)
    server = uvicorn.Server(
        uvicorn.Config(
            Receiver(spool, token, limits),
            http=_guarded(limits),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=60,
            timeout_graceful_shutdown=5,
            h11_max_incomplete_event_size=_HEAD_BYTES,
        )
    )
    threading.Thread(target=_end_with_parent, args=(server,), daemon=True).start()
    try:
        asyncio.run(server.serve(sockets=[listening]))
    finally:
        spool.close()


def _end_with_parent(server: uvicorn.Server) -> None:
    sys.stdin.buffer.read()
    server.should_exit = True


def _allow_files(wanted: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if hard < 0 else min(wanted, hard), hard))


def _guarded(limits: Limits) -> type[H11Protocol]:
    class Guarded(H11Protocol):
        """Ends connections that are too many, or whose request line and headers do not come."""

        _patience: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            if len(self.connections) > limits.connections:
                transport.write(_FULL)
                transport.close()
                return
            self._wait_for_headers()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.cycle is not None and not self.cycle.response_complete:
                self._wait_no_longer()
            elif self._patience is None:
                self._wait_for_headers()

        def connection_lost(self, exc: Exception | None) -> None:
            self._wait_no_longer()
            super().connection_lost(exc)

        def on_response_complete(self) -> None:
            self._wait_no_longer()
            super().on_response_complete()

        def _wait_for_headers(self) -> None:
            self._patience = self.loop.call_later(limits.header_s, self._too_slow)

        def _wait_no_longer(self) -> None:
            if self._patience is not None:
                self._patience.cancel()
                self._patience = None

        def _too_slow(self) -> None:
            self._patience = None
            if (self.cycle is None or self.cycle.response_complete) and not self.transport.is_closing():
                self.transport.close()

    return Guarded


def main(arguments: list[str]) -> None:
    """`python -m ingest.listen.serve TOLD`: `TOLD` is JSON, the socket is inherited."""
    told = msgspec.json.decode(arguments[0], type=Told)
    listening: Any = socket.socket(fileno=told.descriptor)
    serve(Path(told.folder), listening, os.environ.pop(TOKEN, None), told.limits)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Trouble as trouble:
        sys.stderr.write(f"custodiet: {trouble}\n")
        raise SystemExit(trouble.exit_code) from None
