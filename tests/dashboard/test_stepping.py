"""Stepping in a real browser: what AppTest cannot see of the component."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from browsing import Server, Watched

LONG = "sess-long-0500"
INCIDENT = "sess-incident-0042"


def at(watched: Watched, number: int, last: int = 12) -> None:
    """On this step: in the heading, on the card's place in the list, and in the URL."""
    watched.page.get_by_role("heading", name=f"Step {number} of {last}", exact=True).wait_for()
    watched.page.wait_for_function("n => new URLSearchParams(location.search).get('step') === n", arg=str(number))
    assert watched.page.locator("[aria-current=step] .n").inner_text() == str(number)


def opened(watched: Watched, server: Server, number: int | str, session: str = INCIDENT, **more: str) -> None:
    watched.page.goto(server.url("replay", session=session, step=number, **more))
    watched.page.locator(".card dd").first.wait_for()


def test_a_step_by_key_by_button_to_a_finding_and_to_a_decision(server: Server, watched: Watched) -> None:
    opened(watched, server, 1)
    page = watched.page
    page.keyboard.press("ArrowRight")
    at(watched, 2)
    page.get_by_role("button", name="Next →").click()
    at(watched, 3)
    page.keyboard.press("n")
    at(watched, 6)
    page.keyboard.press("a")
    at(watched, 7)
    page.keyboard.press("p")
    at(watched, 6)
    page.keyboard.press("End")
    at(watched, 12)
    page.keyboard.press("ArrowRight")
    at(watched, 12)
    page.keyboard.press("Home")
    at(watched, 1)
    watched.clean()


def test_the_card_says_who_with_what_key_with_whose_leave_and_where_it_is_written(
    server: Server, watched: Watched
) -> None:
    opened(watched, server, 8)
    for said in (
        "ec2.authorize_security_group_ingress", "sg-0db1 (prod-db)", "role/deployer", "AKIA…DEPLOY", "anna.k",
        "none recorded, though this source can record it", "logs/sess-incident-0042.jsonl:8", '"cidr": "10.2.0.14/32"',
        "Opened a network path with a key it had just read", "not enough history: 0 sessions, 20 needed",
        "reached by this step",
    ):  # fmt: skip
        watched.says(said)
    watched.clean()


def test_three_hundred_held_presses_advance_exactly_three_hundred(long_server: Server, watched: Watched) -> None:
    opened(watched, long_server, 1, LONG)
    for _ in range(300):
        watched.page.keyboard.press("ArrowRight")
    at(watched, 301, 500)
    watched.says("tool.number_301")
    watched.page.reload()
    at(watched, 301, 500)
    watched.clean()


def test_a_far_jump_by_number_and_by_the_ribbon_and_back_again(long_server: Server, watched: Watched) -> None:
    opened(watched, long_server, 1, LONG)
    page = watched.page
    page.keyboard.press("g")
    page.keyboard.type("450")
    page.keyboard.press("Enter")
    at(watched, 450, 500)
    watched.says("tool.number_450")
    ribbon = page.get_by_role("slider", name="Place in the session")
    box = ribbon.bounding_box()
    assert box is not None
    ribbon.click(position={"x": 118 + (box["width"] - 118) * 0.5, "y": 24})
    page.wait_for_function("new URLSearchParams(location.search).get('step') !== '450'")
    near = int(ribbon.get_attribute("aria-valuenow") or 0)
    assert 245 <= near <= 255
    page.go_back()
    at(watched, 450, 500)
    page.go_back()
    at(watched, 1, 500)
    page.go_forward()
    at(watched, 450, 500)
    watched.clean()


def test_next_obeys_the_filter_and_every_view_says_what_it_hides(long_server: Server, watched: Watched) -> None:
    opened(watched, long_server, 1, LONG)
    page = watched.page
    page.get_by_label("Show", exact=True).select_option("failed")
    watched.says("488 of 500 steps are hidden")
    page.get_by_role("heading", level=2).click()
    page.keyboard.press("ArrowRight")
    at(watched, 40, 500)
    page.keyboard.press("ArrowRight")
    at(watched, 80, 500)
    page.get_by_label("Agent", exact=True).select_option("helper")
    page.get_by_role("heading", level=2).click()
    page.keyboard.press("ArrowRight")
    at(watched, 120, 500)
    page.reload()
    at(watched, 120, 500)
    watched.says("496 of 500 steps are hidden")
    page.get_by_label("Show", exact=True).select_option("all")
    page.get_by_label("Agent", exact=True).select_option("")
    page.get_by_label("Find text").fill("number_33")
    page.get_by_label("Find text").press("Enter")
    watched.says("489 of 500 steps are hidden")
    page.get_by_label("Find text").fill("")
    page.get_by_label("Find text").press("Enter")
    page.get_by_role("button", name="compact").click()
    watched.says("compact: 488 of 500 steps are hidden")
    page.get_by_role("button", name="raw").click()
    watched.says("empty columns are hidden")
    watched.says("source_sha256")
    watched.clean()


def test_a_megabyte_stays_on_the_server_until_it_is_asked_for(long_server: Server, watched: Watched) -> None:
    opened(watched, long_server, 200, LONG)
    assert len(watched.page.get_by_label("Result", exact=True).inner_text()) < 5_000
    watched.page.get_by_role("button", name="Show all 1,000,011 characters").click()
    watched.page.locator(".payloads button").wait_for(state="detached")
    assert len(watched.page.get_by_label("Result", exact=True).text_content() or "") > 1_000_000
    watched.page.keyboard.press("ArrowRight")
    at(watched, 201, 500)
    watched.page.keyboard.press("ArrowLeft")
    at(watched, 200, 500)
    assert len(watched.page.get_by_label("Result", exact=True).text_content() or "") > 1_000_000
    watched.clean()


def test_no_key_acts_while_something_is_typed(server: Server, watched: Watched) -> None:
    opened(watched, server, 5)
    watched.page.keyboard.press("/")
    watched.page.keyboard.type("nap b")
    watched.page.keyboard.press("ArrowLeft")
    at(watched, 5)
    watched.page.keyboard.press("Escape")
    watched.page.keyboard.press("?")
    watched.says("worst step of the next and previous case")
    watched.page.get_by_label("Single keys act").uncheck()
    watched.page.get_by_role("heading", level=2).click()
    watched.page.keyboard.press("n")
    watched.page.keyboard.press("ArrowRight")
    at(watched, 6)
    watched.clean()


def test_the_next_case_opens_at_its_worst_step_and_a_finding_opens_its_case(server: Server, watched: Watched) -> None:
    opened(watched, server, 8)
    watched.says("case 1 of 3")
    watched.page.keyboard.press("j")
    at(watched, 7)
    watched.page.get_by_role("link", name="Open the case").first.click()
    watched.says("Critical case")
    watched.page.wait_for_url(re.compile("/case.case=case-0001$"))
    watched.page.go_back()
    at(watched, 7)
    watched.clean()


def test_a_moment_is_kept_with_its_note_and_a_bookmark_outlives_a_reload(server: Server, watched: Watched) -> None:
    opened(watched, server, 8)
    watched.page.get_by_label("Note to keep with this step").fill("the path was opened <here>")
    watched.page.get_by_role("button", name="Keep step 8").click()
    watched.says("the path was opened <here>")
    watched.page.keyboard.press("b")
    watched.says("bookmarks")
    watched.page.reload()
    at(watched, 8)
    watched.says("bookmarks")
    watched.says("the path was opened <here>")
    watched.clean()


def test_playing_steps_on_until_it_is_paused(long_server: Server, watched: Watched) -> None:
    opened(watched, long_server, 10, LONG)
    watched.page.get_by_label("Steps a second").select_option("8")
    watched.page.get_by_role("heading", level=2).click()
    watched.page.keyboard.press(" ")
    watched.page.get_by_role("heading", name=re.compile(r"Step (1[3-9]|[2-9]\d) of 500")).wait_for()
    watched.page.keyboard.press(" ")
    watched.page.get_by_role("button", name="▶ Play").wait_for()
    watched.clean()


@pytest.mark.parametrize(("asked", "number"), [("-5", 1), ("999999", 12), ("abc", 1), ("0", 1), ("1e3", 1)])
def test_a_bad_link_lands_on_the_nearest_step(asked: str, number: int, server: Server, watched: Watched) -> None:
    opened(watched, server, asked)
    watched.page.get_by_role("heading", name=f"Step {number} of 12", exact=True).wait_for()
    watched.clean()


def test_the_keyboard_reaches_everything_and_what_is_read_aloud_says_where_one_is(
    server: Server, watched: Watched
) -> None:
    opened(watched, server, 6)
    watched.page.locator("[role=slider][aria-valuetext='step 6 of 12, finding']").wait_for()
    ribbon = watched.page.get_by_role("slider", name="Place in the session")
    ribbon.focus()
    watched.page.keyboard.press("ArrowRight")
    watched.page.locator("[role=slider][aria-valuetext='step 7 of 12, finding']").wait_for()
    outline = ribbon.evaluate("node => getComputedStyle(node).outlineStyle")
    assert outline == "solid"


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("width", [1280, 390])
def test_both_themes_read_at_a_desks_and_at_a_phones_width(theme: str, width: int, filled: Path, browser: Any) -> None:
    started = Server(filled, theme)
    seen = Watched(browser, width, 800)
    try:
        opened(seen, started, 8)
        back = seen.page.evaluate("getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor")
        assert back == {"dark": "rgb(14, 17, 22)", "light": "rgb(255, 255, 255)"}[theme]
        assert seen.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        card = seen.page.get_by_role("article", name="This step").bounding_box()
        assert card is not None and card["x"] >= 0 and card["x"] + card["width"] <= width
        seen.clean()
    finally:
        seen.page.close()
        started.stop()


def test_hostile_steps_stay_text(hostile_server: Server, watched: Watched, hostile_texts: list[str]) -> None:
    for text in hostile_texts:
        opened(watched, hostile_server, 1, f"hostile {text}")
        for view in ("raw", "compact", "timeline"):
            watched.page.get_by_role("button", name=view).click()
        assert watched.page.locator(".stepper img, .stepper script, .stepper iframe, .stepper svg").count() == 0
        assert watched.page.locator(".stepper a:not([href^='case?case='])").count() == 0
        body = watched.page.locator(".stepper").inner_text()
        assert not re.search("[\u202e\u2066\u200b\u001b\U000e0041]", body)
    watched.clean()
