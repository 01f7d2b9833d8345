"""A real browser against the real server, for tests and benches that need to see what a person sees."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dashboard.server import url
from dashboard.theme import VARIABLE

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]  # fmt: skip


class Server:
    """The dashboard over one store, as its own process on a free port of this machine."""

    def __init__(self, data: Path, theme: str = "dark") -> None:
        self.data = data
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        code = f"from pathlib import Path; from dashboard.server import serve; serve(Path({str(data)!r}), {self.port})"
        self.process = subprocess.Popen(
            [sys.executable, "-c", code], cwd=data, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, VARIABLE: theme},
        )  # fmt: skip
        until = time.monotonic() + 30
        while True:
            try:
                assert self.ask("/_stcore/health").status == 200
                return
            except OSError:
                assert self.process.poll() is None and time.monotonic() < until, "the server did not start"
                time.sleep(0.1)

    def ask(self, path: str, **headers: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        if answer.status != 101:
            answer.read()
        connection.close()
        return answer

    def url(self, page: str = "", **parameters: str | int) -> str:
        return url(self.port, page=page, **parameters)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)


@contextmanager
def chromium() -> Iterator[Any]:
    """A headless Chromium; `LookupError` says what is missing."""
    if shutil.which(CHROMIUM) is None:
        raise LookupError(f"no Chromium at {CHROMIUM}; set CHROMIUM to its path to run the browser tests")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as missing:
        raise LookupError("playwright is not installed") from missing
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


class Watched:
    """A page that notes what must never happen."""

    def __init__(self, browser: Any, width: int = 1280, height: int = 800) -> None:
        self.page = browser.new_page(viewport={"width": width, "height": height})
        self.page.set_default_timeout(60_000)
        self.outside: list[str] = []
        self.dialogs: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", self._request)
        self.page.on("dialog", self._dialog)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _request(self, request: Any) -> None:
        if not request.url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            self.outside.append(request.url)

    def _dialog(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def _console(self, message: Any) -> None:
        place = message.location.get("url", "")
        if message.type == "error":
            self.errors.append(f"{message.text} {place}")

    def says(self, text: str) -> None:
        self.page.get_by_text(text).first.wait_for()

    def clean(self) -> None:
        assert (self.outside, self.dialogs, self.errors) == ([], [], [])


def follow_row(watched: Watched, row: int) -> None:
    """Click where a row of the page's first table leads."""
    watched.page.locator("tbody tr").nth(row).locator("a.first").click()


def nothing_rendered(page: Any) -> bool:
    """Whether no text of a log became a link, an image, a figure's link or a script on the page that is open."""
    return bool(
        page.evaluate("[...document.links].every(link => link.host === location.host)")
        and page.evaluate("document.querySelectorAll('svg a').length") == 0
        and page.locator("img[src*='evil'], image[href*='evil'], iframe").count() == 0
        and page.locator("script:not([src])").count() <= 1
    )


def walk(watched: Watched, server: Server, paths: Iterable[str]) -> Iterator[str]:
    """Open one address after another, each until it has settled."""
    for path in paths:
        watched.page.goto(server.url(path))
        watched.page.locator("[data-testid=stMain]").locator("h1, h2, h3").first.wait_for()
        watched.page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
        watched.page.wait_for_timeout(300)
        yield path
