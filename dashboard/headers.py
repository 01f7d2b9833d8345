"""What every answer of the server carries, and the requests that it refuses.

Streamlit sends no security headers of its own and answers whatever name it is called by, which lets a
hostile page that points its own name at 127.0.0.1 read the logs (DNS rebinding).
"""

from __future__ import annotations

import base64
import hashlib
import re
from importlib.resources import files
from typing import Final
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

NAMES: Final = ("127.0.0.1", "localhost", "::1")
"""The names that this server answers to."""

_CLOSED: Final = ("/_stcore/metrics", "/_stcore/agent")
_INLINE_SCRIPT: Final = re.compile(r"<script>(.*?)</script>", re.DOTALL)


FIRST_PAGE: Final = "/cases"
BASE_SCRIPT: Final = "/base.js"
_BASE: Final = b'window.__streamlit = {BACKEND_BASE_URL: location.origin + "/"}\n'
"""Without this Streamlit looks for itself below every page's address first, which costs a deep link two requests
that end in 404."""


def start_page() -> bytes:
    """Streamlit's own start page, told where its server is before anything else runs."""
    page = files("streamlit").joinpath("static/index.html").read_text(encoding="utf-8")
    told = f'<head><script src="{BASE_SCRIPT}"></script>'
    return page.replace("<head>", told, 1).encode()


def content_security_policy() -> str:
    """Nothing from elsewhere, no inline script but the one that the installed Streamlit starts with."""
    page = files("streamlit").joinpath("static/index.html").read_text(encoding="utf-8")
    hashes = [
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in _INLINE_SCRIPT.findall(page)
    ]
    return "; ".join(
        [
            "default-src 'none'",
            " ".join(["script-src 'self'", *hashes]),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
        ]
    )


class Guard:
    """ASGI middleware: adds the headers, closes what nobody needs, refuses foreign names."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._html = start_page()
        self._headers = [
            (b"content-security-policy", content_security_policy().encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"x-frame-options", b"DENY"),
            (b"referrer-policy", b"no-referrer"),
            (b"cross-origin-opener-policy", b"same-origin"),
            (b"cross-origin-resource-policy", b"same-origin"),
            (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), usb=()"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
        elif not _is_known(scope):
            await self._refuse(scope, send, 421, b"This server answers to 127.0.0.1 and localhost only.\n")
        elif scope["path"].startswith(_CLOSED):
            await self._refuse(scope, send, 404, b"Not found.\n")
        elif scope["type"] == "http" and scope["path"] == BASE_SCRIPT:
            await self._answer(send, 200, b"text/javascript; charset=utf-8", _BASE)
        elif scope["type"] == "http" and _is_page(scope):
            await (self._first_page(scope, send) if scope["path"] == "/" else self._page(send))
        else:
            await self._app(scope, receive, self._with_headers(send))

    async def _page(self, send: Send) -> None:
        await self._answer(send, 200, b"text/html; charset=utf-8", self._html)

    async def _first_page(self, scope: Scope, send: Send) -> None:
        """On to the cases, with the filters of the address."""
        query = scope["query_string"]
        place = FIRST_PAGE.encode() + (b"?" + query if query else b"")
        headers = [(b"location", place), (b"content-length", b"0"), *self._headers]
        await send({"type": "http.response.start", "status": 307, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async def _answer(self, send: Send, status: int, kind: bytes, body: bytes) -> None:
        headers = [(b"content-type", kind), (b"cache-control", b"no-cache"), *self._headers]
        headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _with_headers(self, send: Send) -> Send:
        ours = {name for name, _ in self._headers}

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                theirs = [(n, v) for n, v in message.get("headers", []) if n.lower() not in ours]
                message = {**message, "headers": [*theirs, *self._headers]}
            await send(message)

        return sending

    async def _refuse(self, scope: Scope, send: Send, status: int, reason: bytes) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        await self._answer(send, status, b"text/plain; charset=utf-8", reason)


def _is_page(scope: Scope) -> bool:
    """Whether a browser opens a page, and not one of the files or answers that a page fetches."""
    name = scope["path"][1:]
    accepts = next((value for key, value in scope["headers"] if key == b"accept"), b"")
    return scope["method"] == "GET" and b"text/html" in accepts and not {"/", "."} & set(name)


def _is_known(scope: Scope) -> bool:
    """Whether it calls this server by one of its names; an `Origin`, where there is one, as well."""
    headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
    origin = headers.get(b"origin")
    return _name(f"//{headers.get(b'host', '')}") in NAMES and (origin is None or _name(origin) in NAMES)


def _name(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
