"""A real browser against the real server: triage, replay, links, and hostile logs that stay text."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from dashboard.server import serve, url
from ingest.errors import Trouble

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]  # fmt: skip
INCIDENT = "sess-incident-0042"
PROBES = re.compile(r"/_stcore/(health|host-config)$")
"""Streamlit looks for its base path below a deep link first; these two answers are 404 by design."""


class Server:
    """The dashboard over one store, as its own process on a free port of this machine."""

    def __init__(self, data: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        code = f"from pathlib import Path; from dashboard.server import serve; serve(Path({str(data)!r}), {self.port})"
        self.process = subprocess.Popen(
            [sys.executable, "-c", code], cwd=data, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
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


@pytest.fixture(scope="module")
def server(filled: Path) -> Iterator[Server]:
    started = Server(filled)
    yield started
    started.stop()


@pytest.fixture(scope="module")
def hostile_server(hostile: Path) -> Iterator[Server]:
    started = Server(hostile)
    yield started
    started.stop()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    if shutil.which(CHROMIUM) is None:
        pytest.skip(f"no Chromium at {CHROMIUM}; set CHROMIUM to its path to run the browser tests")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


class Watched:
    """A page that notes what must never happen."""

    def __init__(self, browser: Any) -> None:
        self.page = browser.new_page(viewport={"width": 1280, "height": 800})
        self.page.set_default_timeout(15_000)
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
        if message.type == "error" and not PROBES.search(place):
            self.errors.append(f"{message.text} {place}")

    def says(self, text: str) -> None:
        self.page.get_by_text(text).first.wait_for()

    def clean(self) -> None:
        assert (self.outside, self.dialogs, self.errors) == ([], [], [])


@pytest.fixture
def watched(chromium: Any) -> Iterator[Watched]:
    opened = Watched(chromium)
    yield opened
    opened.page.close()


def at_step(watched: Watched, step: int) -> None:
    watched.says(f"Step {step} of 12")
    watched.page.wait_for_url(re.compile(rf"[?&]step={step}(&|$)"))


def choose_row(watched: Watched, row: int, row_pixels: int) -> None:
    """Tick a row's box; the grid draws on a canvas and takes no clicks until it has settled."""
    grid = watched.page.get_by_test_id("stDataFrame").first
    grid.locator("canvas").first.wait_for()
    before = watched.page.url
    for _ in range(8):
        watched.page.wait_for_timeout(400)
        grid.click(position={"x": 17, "y": 34 + row * row_pixels + row_pixels // 2})
        for _ in range(20):
            watched.page.wait_for_timeout(100)
            if watched.page.url != before:
                return
    pytest.fail("choosing the row opened nothing")


def test_a_link_opened_first_of_all_has_the_whole_frame_and_the_exact_step(server: Server, watched: Watched) -> None:
    watched.page.goto(server.url("replay", session=INCIDENT, step=8))
    at_step(watched, 8)
    watched.says("Sessions")
    watched.says("Opened a network path with a key it had just read")
    watched.page.reload()
    at_step(watched, 8)
    watched.clean()


def test_from_the_cases_to_the_worst_step_in_two_actions(server: Server, watched: Watched) -> None:
    watched.page.goto(server.url())
    choose_row(watched, 0, 62)
    watched.says("Critical case")
    watched.page.wait_for_url(re.compile("/case.case=case-0001$"))
    watched.page.locator(".js-plotly-plot").wait_for()
    watched.page.get_by_role("link", name="Replay from the worst step").click()
    at_step(watched, 8)
    watched.page.go_back()
    watched.says("Critical case")
    watched.page.get_by_role("link", name="step 11").click()
    at_step(watched, 11)
    watched.clean()


def test_stepping_by_button_by_key_by_number_and_by_neighbour(server: Server, watched: Watched) -> None:
    page = watched.page
    page.goto(server.url("replay", session=INCIDENT, step=1))
    at_step(watched, 1)
    page.get_by_role("button", name="Next", exact=False).first.click()
    at_step(watched, 2)
    page.keyboard.press("ArrowRight")
    at_step(watched, 3)
    page.keyboard.press("n")
    at_step(watched, 6)
    page.keyboard.press("ArrowLeft")
    at_step(watched, 5)
    page.get_by_label("Go to step").fill("12")
    page.get_by_label("Go to step").press("Enter")
    at_step(watched, 12)
    page.get_by_role("heading", name="Step 12 of 12").click()
    page.keyboard.press("p")
    at_step(watched, 11)
    choose_row(watched, 0, 30)
    at_step(watched, 6)
    page.reload()
    at_step(watched, 6)
    watched.clean()


def test_a_session_row_opens_its_replay_and_a_bad_link_is_told(server: Server, watched: Watched) -> None:
    watched.page.goto(server.url("sessions"))
    choose_row(watched, 0, 30)
    at_step(watched, 1)
    watched.page.goto(server.url("replay", session="nobody-knows"))
    watched.says("Session not found")
    watched.page.get_by_role("link", name="All sessions").click()
    watched.says("The newest 9 of 9 sessions.")
    watched.clean()


def test_hostile_logs_fetch_nothing_run_nothing_and_link_nowhere(
    hostile_server: Server, watched: Watched, hostile_texts: list[str]
) -> None:
    case = quote(f"case {hostile_texts[0]}")
    session = quote(f"hostile {hostile_texts[7]}")
    for path in (
        "",
        f"case?case={case}",
        f"replay?session={session}",
        "sessions",
        "health",
        f"replay?session={quote(hostile_texts[2])}",
    ):
        watched.page.goto(hostile_server.url(path))
        watched.page.get_by_role("heading").first.wait_for()
        watched.page.wait_for_timeout(1_200)
        assert watched.page.evaluate("[...document.links].every(link => link.host === location.host)")
        assert watched.page.evaluate("document.querySelectorAll('svg a').length") == 0
        assert watched.page.locator("img[src*='evil'], image[href*='evil']").count() == 0
        assert watched.page.locator("script:not([src])").count() <= 1
    watched.clean()


def test_every_answer_carries_the_policy(server: Server) -> None:
    for path in ("/", "/replay", "/_stcore/health", "/nothing/here"):
        answer = server.ask(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "'unsafe-eval'" not in policy
        assert "script-src 'self' 'sha256-" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"


def test_what_nobody_needs_is_closed(server: Server) -> None:
    for path in ("/_stcore/metrics", "/_stcore/agent/openapi.json", "/_stcore/agent"):
        assert server.ask(path).status == 404


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("127.0.0.1:{port}", "http://127.0.0.1:{port}", 101),
        ("evil.example", "http://evil.example", 403),
        ("evil.example:{port}", None, 403),
        ("127.0.0.1:{port}", "http://evil.example", 403),
        ("127.0.0.1.evil.example:{port}", None, 403),
    ],
)
def test_a_socket_opens_for_this_machines_own_names_only(
    host: str, origin: str | None, status: int, server: Server
) -> None:
    headers = {
        "Host": host.format(port=server.port), "Connection": "Upgrade", "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }  # fmt: skip
    if origin:
        headers["Origin"] = origin.format(port=server.port)
    assert server.ask("/_stcore/stream", **headers).status == status


def test_a_page_called_by_a_foreign_name_is_refused(server: Server) -> None:
    assert server.ask("/", Host="evil.example").status == 421
    assert server.ask("/", Host=f"localhost:{server.port}").status == 200


@pytest.mark.parametrize("address", ["0.0.0.0", "192.168.1.5", "::", "example.com", ""])
def test_an_address_that_others_reach_is_refused(address: str, tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="no sign-in"):
        serve(tmp_path, address=address)


def test_a_port_that_is_taken_is_told(server: Server, tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="name another --port"):
        serve(tmp_path, port=server.port)
