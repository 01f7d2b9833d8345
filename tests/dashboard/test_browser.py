"""A real browser against the real server: triage, links, and hostile logs that stay text."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

import pytest
from browsing import Server, Watched, follow_row, nothing_rendered, walk

from dashboard.server import serve
from ingest.errors import Trouble

INCIDENT = "sess-incident-0042"


def at_step(watched: Watched, step: int) -> None:
    watched.says(f"Step {step} of 12")
    watched.page.wait_for_url(re.compile(rf"[?&]step={step}(&|$)"))


def test_a_link_opened_first_of_all_has_the_whole_frame_and_the_exact_step(server: Server, watched: Watched) -> None:
    watched.page.goto(server.url("replay", session=INCIDENT, step=8))
    at_step(watched, 8)
    watched.says("Sessions")
    watched.says("Opened a network path with a key it had just read")
    watched.page.reload()
    at_step(watched, 8)
    watched.clean()


def test_a_row_of_the_cases_opens_the_worst_step_at_once(server: Server, watched: Watched) -> None:
    watched.page.goto(server.url())
    follow_row(watched, 0)
    at_step(watched, 8)
    watched.clean()


def test_the_last_cell_of_a_row_opens_the_case(server: Server, watched: Watched) -> None:
    watched.page.goto(server.url())
    watched.page.get_by_role("link", name="open case").first.click()
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


@pytest.mark.parametrize(
    ("page", "step"), [("cases?severity=medium&agent=soc", 8), ("events?tool=secrets", 6), ("sessions?agent=deploy", 1)]
)
def test_back_from_a_step_shows_the_page_with_its_filters_and_its_row(
    page: str, step: int, server: Server, watched: Watched
) -> None:
    watched.page.goto(server.url(page))
    follow_row(watched, 0)
    at_step(watched, step)
    watched.page.go_back()
    watched.page.wait_for_url(server.url(page))
    row = watched.page.locator("tbody a.first:focus")
    row.wait_for()
    value = page.rsplit("=", 1)[1]
    assert value in [box.input_value() for box in watched.page.locator("input[type=text]").all()]
    watched.page.keyboard.press("Enter")
    at_step(watched, step)
    watched.clean()


def test_rows_are_walked_with_the_keyboard_and_sorted_by_their_headings(server: Server, watched: Watched) -> None:
    watched.page.goto(server.url())
    links = watched.page.locator("tbody a.first")
    links.first.focus()
    watched.page.keyboard.press("ArrowDown")
    assert links.nth(1).evaluate("node => node.getRootNode().activeElement === node")
    watched.page.get_by_role("button", name="impact").click()
    assert watched.page.locator("tbody tr").first.locator("td").nth(4).inner_text() == "0.20"
    watched.page.get_by_role("button", name="impact").click()
    assert watched.page.locator("tbody tr").first.locator("td").nth(4).inner_text() == "0.93"
    watched.clean()


def test_the_address_without_a_page_is_the_cases(server: Server, watched: Watched) -> None:
    watched.page.goto(server.url("?severity=high"))
    watched.says("1 of 3 cases shown")
    assert watched.page.url == server.url("cases?severity=high")
    watched.clean()


def test_a_session_row_opens_its_replay_and_a_bad_link_is_told(server: Server, watched: Watched) -> None:
    watched.page.goto(server.url("sessions"))
    follow_row(watched, 0)
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
    paths = (
        "",
        f"case?case={case}",
        f"replay?session={session}",
        "sessions",
        "health",
        f"replay?session={quote(hostile_texts[2])}",
    )
    for path in walk(watched, hostile_server, paths):
        assert nothing_rendered(watched.page), path
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
