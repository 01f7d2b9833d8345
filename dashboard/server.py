"""Starts the investigator on this machine: `custodiet dashboard`."""

from __future__ import annotations

import ipaddress
import os
import socket
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import streamlit as st
from starlette.middleware import Middleware
from streamlit.runtime.pages_manager import PagesManager

from dashboard import theme
from dashboard.headers import NAMES, Guard
from dashboard.queries import DATA
from dashboard.stepper_routes import ROUTES
from dashboard.warming import warm
from ingest.errors import Trouble
from ingest.published import published

_SETTINGS: Final[dict[str, object]] = {
    "server.headless": True,
    "server.allowedHosts": list(NAMES),
    "server.enableCORS": True,
    "server.enableXsrfProtection": True,
    "server.fileWatcherType": "none",
    "server.runOnSave": False,
    "server.enableStaticServing": False,
    "server.enableAgentApi": False,
    "server.maxUploadSize": 1,
    "browser.gatherUsageStats": False,
    "client.showErrorDetails": "none",
    "client.showErrorLinks": False,
    "client.toolbarMode": "minimal",
    "client.disableDataExport": True,
    "runner.magicEnabled": False,
    "global.developmentMode": False,
}


def serve(data: Path, port: int = 8501, address: str = "127.0.0.1", open_browser: bool = False, start: str = "") -> int:
    """Serve the dashboard over the data directory until it is interrupted; the exit code.

    `start` is the page to open, as `url` writes it behind the host; its address is printed when the server is ready,
    after `warm`. Port 0 takes a free one.

    Raises `Trouble` where the address is not this machine's own (there is no sign-in yet), where the port
    is taken, or where the published data cannot be read.
    """
    _refuse_others(address)
    port = _refuse_taken(port, address)
    published(data)
    page = url(port, address) + (start or "cases")
    os.environ[DATA] = str(data.resolve())

    @asynccontextmanager
    async def lifespan(_: st.App) -> AsyncIterator[dict[str, object]]:
        warm()
        print(f"custodiet: the investigator is at {page} (Ctrl-C ends it)", flush=True)
        if open_browser:
            webbrowser.open(page)
        yield {}

    # Without this a link opened first after a start runs its page alone, as Streamlit's older multi-page apps
    # did with a folder of that name: without the frame and the handling of trouble in app.py.
    PagesManager.uses_pages_directory = False
    script = Path(str(files("dashboard").joinpath("app.py")))
    app = st.App(script, routes=ROUTES, middleware=[Middleware(Guard)], lifespan=lifespan)
    settings = _SETTINGS | theme.options() | {"server.address": address, "server.port": port}
    app.run(config=settings)
    return 0


def url(port: int = 8501, address: str = "127.0.0.1", page: str = "", **parameters: str | int) -> str:
    """The link to a page, as it stands in an alert: `url(page="replay", session="s1", step=7)`."""
    host = f"[{address}]" if ":" in address else address
    query = f"?{urlencode(parameters)}" if parameters else ""
    return f"http://{host}:{port}/{page}{query}"


def _refuse_others(address: str) -> None:
    if address == "localhost":
        return
    try:
        if ipaddress.ip_address(address).is_loopback:
            return
    except ValueError:
        pass
    raise Trouble(
        f"--address {address}: the dashboard has no sign-in, so it answers on this machine only; "
        "use 127.0.0.1, and reach it from elsewhere through an SSH tunnel"
    )


def _refuse_taken(port: int, address: str) -> int:
    """The port, or a free one for 0."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        if os.name != "nt":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
            return int(probe.getsockname()[1])
        except OSError as error:
            raise Trouble(f"port {port} on {address} cannot be used ({error.strerror}); name another --port") from error
