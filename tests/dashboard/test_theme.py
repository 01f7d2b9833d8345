"""Both themes can be read: WCAG 2.2's contrast of 4.5:1 for every text on every ground it stands on."""

from __future__ import annotations

from itertools import product

import pytest

from dashboard.theme import BAD, GOOD, INK, LANES, SEVERITY, Theme

THEMES: tuple[Theme, ...] = ("dark", "light")


def luminance(colour: str) -> float:
    """WCAG's relative luminance of `#rrggbb`."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_measure_itself() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", THEMES)
def test_every_text_stands_out_from_its_ground(theme: Theme) -> None:
    texts = {name: INK[theme][name] for name in ("text", "quiet", "primary")} | SEVERITY[theme]
    texts |= {"good": GOOD[theme], "bad": BAD[theme]}
    faint = {
        f"{name} on {ground}": round(contrast(colour, INK[theme][ground]), 2)
        for (name, colour), ground in product(texts.items(), ("back", "panel"))
        if contrast(colour, INK[theme][ground]) < 4.5
    }
    assert faint == {}


@pytest.mark.parametrize("theme", THEMES)
def test_every_lane_can_be_told_from_the_ribbon(theme: Theme) -> None:
    """A picture needs 3:1 (WCAG 1.4.11); the names beside the lanes say the rest."""
    assert [colour for colour in LANES[theme] if contrast(colour, INK[theme]["panel"]) < 3] == []
