"""Colours and type: the dark palette that is the default, and a light one.

Contrast is at least 4.5:1 for text. The severity colours stay apart (CIE76 ≥ 20) for people who see
fewer colours, and a glyph and a word always stand beside them.
"""

from __future__ import annotations

import os
from typing import Final, Literal

Theme = Literal["dark", "light"]
VARIABLE: Final = "CUSTODIET_THEME"

SEVERITY: Final[dict[Theme, dict[str, str]]] = {
    "dark": {
        "info": "#8a9094", "low": "#a0c8f6", "medium": "#faeb65", "high": "#f0a575", "critical": "#fb3838",
    },
    "light": {
        "info": "#687176", "low": "#0c2f51", "medium": "#4d3a00", "high": "#c3430a", "critical": "#57051e",
    },
}  # fmt: skip

INK: Final[dict[Theme, dict[str, str]]] = {
    "dark": {
        "text": "#e6edf3", "quiet": "#9aa7b4", "line": "#2a3340", "panel": "#171c24",
        "back": "#0e1116", "primary": "#5aa9e6",
    },
    "light": {
        "text": "#1b222b", "quiet": "#55616d", "line": "#d5dbe2", "panel": "#f3f5f8",
        "back": "#ffffff", "primary": "#0b62a8",
    },
}  # fmt: skip

GOOD: Final[dict[Theme, str]] = {"dark": "#5cc48d", "light": "#0b6b3a"}
BAD: Final[dict[Theme, str]] = {"dark": "#f0a575", "light": "#b3261e"}

LANES: Final[dict[Theme, list[str]]] = {
    "dark": ["#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#f0e442", "#9aa7b4"],
    "light": ["#0072b2", "#b35900", "#00785a", "#a64d84", "#6b6100", "#55616d"],
}
"""One colour an agent on the ribbon, the last for all others: Okabe and Ito's, darkened on white."""


def chosen() -> Theme:
    """Dark, unless CUSTODIET_THEME=light."""
    return "light" if os.environ.get(VARIABLE) == "light" else "dark"


def options() -> dict[str, object]:
    """The theme as Streamlit's settings."""
    theme = chosen()
    ink = INK[theme]
    return {
        "theme.base": theme,
        "theme.primaryColor": ink["primary"],
        "theme.backgroundColor": ink["back"],
        "theme.secondaryBackgroundColor": ink["panel"],
        "theme.textColor": ink["text"],
        "theme.linkColor": ink["primary"],
        "theme.borderColor": ink["line"],
        "theme.codeTextColor": ink["text"],
        "theme.codeBackgroundColor": ink["panel"],
        "theme.dataframeBorderColor": ink["line"],
        "theme.dataframeHeaderBackgroundColor": ink["panel"],
        "theme.dataframeHeaderTextColor": ink["quiet"],
        "theme.baseFontSize": 14,
        "theme.codeFontSize": "12.5px",
        "theme.headingFontSizes": ["1.5rem", "1.2rem", "1.0rem", "0.95rem", "0.9rem", "0.85rem"],
        "theme.headingFontWeights": [650, 650, 650, 650, 650, 650],
        "theme.metricValueFontSize": "1.5rem",
        "theme.baseRadius": "4px",
        "theme.buttonRadius": "4px",
        "theme.showWidgetBorder": True,
        "theme.paddingTop": "1.2rem",
        "theme.paddingBottom": "2rem",
    }
