"""The receiver: `POST /v1/traces` and `/v1/logs`, each request on disk before its 200, or refused."""

from __future__ import annotations

import asyncio
import hmac
import logging
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from ingest.listen.answers import JSON, PROTOBUF, Answer, refused, taken
from ingest.listen.lines import Line, Malformed, Signal, line_of_json, line_of_protobuf
from ingest.listen.spool import Refused, Spool

log = logging.getLogger(__name__)

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_PATHS: Final[dict[str, tuple[Signal, str]]] = {
    "/v1/traces": ("traces", "Spans"),
    "/v1/logs": ("logs", "LogRecords"),
}
_IN_A_THREAD_BYTES: Final = 1 << 16
"""A body larger than this is decoded beside the loop, so that the others are answered meanwhile."""


@dataclass(frozen=True)
class Limits:
    """What one sender, and all of them together, may take."""

    body_bytes: int = 16 << 20
    """Of one request, as sent and again after decompression. SDKs send batches of 512 spans: about 1 MB."""
    in_flight_bytes: int = 96 << 20
    """Of all requests that are being read, decoded or stored."""
    body_s: float = 15.0
    header_s: float = 5.0
    connections: int = 512


class _Answered(Exception):
    """The request ends here."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class Receiver:
    """The ASGI application. `answered` counts by status."""

    def __init__(self, spool: Spool, token: str | None, limits: Limits) -> None:
        self._spool, self._limits = spool, limits
        self._token = token.encode() if token else None
        self._in_flight = 0
        self.answered: Counter[int] = Counter()
        self.stored_records = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            return
        try:
            answer = await self._answer(scope, receive)
        except _Answered as early:
            answer = early.answer
        self.answered[answer.status] += 1
        headers = [
            (b"content-type", answer.content_type.encode()),
            (b"content-length", str(len(answer.body)).encode()),
            (b"cache-control", b"no-store"),
            *answer.headers,
        ]
        if answer.closes:
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        headers = {bytes(name).lower(): bytes(value) for name, value in scope["headers"]}
        content_type = headers.get(b"content-type", b"").partition(b";")[0].strip().lower().decode("latin-1")
        told_as = content_type if content_type in (PROTOBUF, JSON) else JSON
        self._refuse_strangers(headers, told_as)
        known = _PATHS.get(scope["path"].rstrip("/"))
        if known is None:
            why = "custodiet takes POST /v1/traces and /v1/logs; metrics hold no steps (OTEL_METRICS_EXPORTER=none)"
            raise _Answered(refused(404, why, told_as, closes=True))
        if scope["method"] != "POST":
            raise _Answered(refused(405, "send telemetry with POST", told_as, closes=True))
        if content_type not in (PROTOBUF, JSON):
            why = f"content-type must be {PROTOBUF} or {JSON}"
            raise _Answered(refused(415, why, told_as, closes=True))
        held = [0]
        try:
            line = await self._line(headers, receive, known[0], told_as, held)
            if line.records:
                await self._store(line, told_as)
        finally:
            self._in_flight -= held[0]
        why = "spans without a trace id or a span id make no step; they are stored all the same"
        return taken(told_as, line.without_ids, why, known[1])

    def _refuse_strangers(self, headers: dict[bytes, bytes], told_as: str) -> None:
        if self._token is None:
            return
        scheme, _, given = headers.get(b"authorization", b"").partition(b" ")
        if scheme.lower() != b"bearer" or not hmac.compare_digest(given.strip(), self._token):
            why = "a bearer token is required: OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20TOKEN"
            raise _Answered(refused(401, why, told_as, closes=True))

    async def _line(
        self, headers: dict[bytes, bytes], receive: Receive, signal: Signal, told_as: str, held: list[int]
    ) -> Line:
        try:
            async with asyncio.timeout(self._limits.body_s):
                body = await self._body(headers, receive, told_as, held)
        except TimeoutError:
            why = f"the body did not come within {self._limits.body_s:g} s"
            raise _Answered(refused(408, why, told_as, closes=True)) from None
        read = line_of_json if told_as == JSON else line_of_protobuf
        try:
            if len(body) > _IN_A_THREAD_BYTES:
                return await asyncio.to_thread(read, body, signal)
            return read(body, signal)
        except Malformed as error:
            raise _Answered(refused(400, str(error), told_as)) from None

    async def _body(self, headers: dict[bytes, bytes], receive: Receive, told_as: str, held: list[int]) -> bytes:
        most = self._limits.body_bytes
        coding = headers.get(b"content-encoding", b"identity").strip().lower()
        if coding not in (b"identity", b"gzip", b""):
            raise _Answered(refused(415, "content-encoding must be gzip or none", told_as, closes=True))
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > most:
            raise _Answered(refused(413, f"the body is larger than {most >> 20} MiB", told_as, closes=True))
        inflate = zlib.decompressobj(wbits=31) if coding == b"gzip" else None
        pieces: list[bytes] = []
        sent = plain = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _Answered(refused(400, "the connection ended within the body", told_as, closes=True))
            piece = message.get("body", b"")
            sent += len(piece)
            if inflate is not None and piece:
                piece = self._inflated(inflate, piece, most - plain, told_as)
            plain += len(piece)
            if sent > most or plain > most:
                raise _Answered(refused(413, f"the body is larger than {most >> 20} MiB", told_as, closes=True))
            self._hold(len(piece), held, told_as)
            pieces.append(piece)
            if not message.get("more_body"):
                break
        if inflate is not None and sent and not inflate.eof:
            raise _Answered(refused(400, "the gzip data ends early", told_as))
        return b"".join(pieces)

    def _inflated(self, inflate: zlib._Decompress, piece: bytes, room: int, told_as: str) -> bytes:
        try:
            plain = inflate.decompress(piece, room + 1)
        except zlib.error as error:
            raise _Answered(refused(400, f"broken gzip data ({error})", told_as, closes=True)) from None
        if inflate.unused_data:
            raise _Answered(refused(400, "something stands behind the gzip data", told_as, closes=True))
        return plain

    def _hold(self, size: int, held: list[int], told_as: str) -> None:
        if self._in_flight + size > self._limits.in_flight_bytes:
            raise _Answered(refused(429, "more requests are under way than are kept in memory", told_as, closes=True))
        self._in_flight += size
        held[0] += size

    async def _store(self, line: Line, told_as: str) -> None:
        try:
            await self._spool.put(line.raw)
        except Refused as error:
            raise _Answered(refused(503, f"{error}; nothing was stored", told_as)) from None
        self.stored_records += line.records
