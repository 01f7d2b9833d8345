"""A real browser on the pages around the replay: a verdict that stays, a file that can be checked, edges that lead."""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import pytest
from browsing import Server, Watched, follow_row, nothing_rendered, walk

from detect.verdicts import history

INCIDENT = "sess-incident-0042"


@pytest.fixture(scope="module")
def own(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server over a store that these tests may write verdicts to, in the light theme."""
    data = shutil.copytree(filled, tmp_path_factory.mktemp("own") / "data")
    started = Server(Path(data), theme="light")
    yield started
    started.stop()


CONTRAST = """line => {
    const light = colour => {
        const [red, green, blue] = colour.match(/[0-9.]+/g).slice(0, 3)
            .map(part => part / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
    let ground = line
    while (/rgba\\(.*, 0\\)|transparent/.test(getComputedStyle(ground).backgroundColor)) ground = ground.parentElement
    const [low, high] = [light(getComputedStyle(line).color), light(getComputedStyle(ground).backgroundColor)]
        .sort((a, b) => a - b)
    return [(high + 0.05) / (low + 0.05), light(getComputedStyle(ground).backgroundColor)]
}"""
"""WCAG's contrast of an element's text with the first ground behind it that is not transparent, and how light that is."""


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_a_verdict_survives_a_reload_and_can_be_read(
    filled: Path, tmp_path: Path, watched: Watched, theme: Literal["dark", "light"]
) -> None:
    own = Server(Path(shutil.copytree(filled, tmp_path / "data")), theme)
    try:
        say_and_reload(own, watched, is_light=theme == "light")
    finally:
        own.stop()


def say_and_reload(own: Server, watched: Watched, *, is_light: bool) -> None:
    watched.page.goto(own.url("case", case="case-0002"))
    watched.page.get_by_role("button", name="False positive").or_(
        watched.page.get_by_role("radio", name="False positive")
    ).first.click()
    watched.page.get_by_label("Why").fill("the ticket bot was extended")
    watched.page.get_by_role("button", name="Close the case").click()
    watched.says("◐ false positive")
    assert [entry.verdict for entry in history(own.data, "case-0002")] == ["false_positive"]
    watched.page.reload()
    watched.says("◐ false positive")
    watched.says("the ticket bot was extended")
    for text in ("◐ false positive", "the ticket bot was extended", "Said by", "Classification", "Close the case"):
        contrast, ground = watched.page.get_by_text(text).first.evaluate(CONTRAST)
        assert contrast >= 4.5, text
        assert (ground > 0.5) is is_light, text
    watched.clean()


def test_the_evidence_file_is_downloaded_and_its_hashes_hold(own: Server, watched: Watched, tmp_path: Path) -> None:
    watched.page.goto(own.url("case", case="case-0001"))
    with watched.page.expect_download() as download:
        watched.page.get_by_role("button", name="Evidence file").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    assert file.name == "custodiet-case-case-0001.zip"
    archive = zipfile.ZipFile(file)
    listed = [line.split("  ") for line in archive.read("SHA256SUMS").decode().splitlines()]
    assert len(listed) == len(archive.namelist()) - 1
    for digest, name in listed:
        assert sha256(archive.read(name)).hexdigest() == digest
    watched.clean()


def test_a_step_that_was_searched_is_one_row_away(own: Server, watched: Watched) -> None:
    watched.page.goto(own.url("events", text="pg_dump"))
    watched.says("1 of 1 step that match")
    follow_row(watched, 0)
    watched.says("Step 10 of 12")
    watched.clean()


def test_an_edge_of_the_figure_leads_to_its_step(own: Server, watched: Watched) -> None:
    watched.page.goto(own.url("movement", case="case-0001"))
    watched.says("5 edges drawn")
    number: Any = watched.page.locator(".js-plotly-plot text").filter(has_text=re.compile("^5$")).first
    number.wait_for()
    for _ in range(5):
        box = number.bounding_box()
        watched.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        watched.page.wait_for_timeout(500)
        watched.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        watched.page.wait_for_timeout(1_500)
        if "/replay" in watched.page.url:
            break
    watched.says("Step 11 of 12")
    watched.clean()


def test_the_pages_stand_on_a_phone_without_leaving_its_width(own: Server, browser: Any) -> None:
    phone = Watched(browser, 390, 844)
    paths = (
        "",
        "case?case=case-0001",
        "movement?case=case-0001",
        "events",
        "agent",
        f"compare?session={INCIDENT}",
        "sessions",
        "health",
    )
    for _ in walk(phone, own, paths):
        assert phone.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    phone.clean()
    phone.page.close()


def test_hostile_logs_stay_text_on_these_pages(
    hostile_server: Server, watched: Watched, hostile_texts: list[str]
) -> None:
    case = quote(f"case {hostile_texts[0]}")
    one, other = quote(f"hostile {hostile_texts[0]}"), quote(f"hostile {hostile_texts[2]}")
    paths = (
        f"movement?case={case}&view=most%20used",
        "events?text=evil",
        f"compare?session={one}&with={other}",
        f"agent?agent={quote(hostile_texts[7])}",
        f"movement?case={quote(hostile_texts[0])}",
    )
    for path in walk(watched, hostile_server, paths):
        assert nothing_rendered(watched.page), path
    watched.clean()
