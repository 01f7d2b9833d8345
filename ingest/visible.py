"""Hostile text made plain: every string of a log passes here before it is shown.

A log line can carry characters that reorder, hide or erase what stands around them. They are shown by
their code point instead, so that what a person reads is what was written.
"""

from __future__ import annotations

import html
import re
from typing import Final

import msgspec

CELL_CHARACTERS: Final = 300
PAYLOAD_CHARACTERS: Final = 20_000
"""More than a person reads; the rest is one click away and its size is said."""

_DECEIVING: Final = re.compile(
    "["
    "\u0000-\u0008\u000b-\u001f\u007f-\u009f"  # controls, ANSI's escape among them; tab and newline stay
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0"  # drawn as nothing
    "\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufff0-\ufffb"  # zero-width, bidi, separators, annotations
    "\ufe00-\ufe0f\ud800-\udfff"  # variation selectors, lone surrogates
    "\U000e0000-\U000e0fff"  # tags and more selectors: whole messages hide in them
    "]"
)


def visible(text: object, cap: int = CELL_CHARACTERS, *, lines: bool = False) -> str:
    """The text with every deceiving character as ⟦U+202E⟧, cut at `cap` with the count of what is left out.

    Without `lines` it is one line: a newline is shown as ⏎. None becomes an en dash.
    """
    if text is None:
        return "–"
    whole = str(text)
    shown = _DECEIVING.sub(_code_point, whole[:cap])
    if not lines:
        shown = shown.replace("\n", "⏎").replace("\t", " ")
    left_out = len(whole) - cap
    return f"{shown} … (+{left_out:,} characters)" if left_out > 0 else shown


def for_plotly(text: object, cap: int = 40) -> str:
    """The text for a figure, where markup is read in titles, ticks and labels. The list beside has it whole."""
    whole = "–" if text is None else str(text)
    return html.escape(visible(whole[:cap])) + ("…" if len(whole) > cap else "")


def payload(text: str, cap: int = PAYLOAD_CHARACTERS) -> str:
    """Arguments or a result for reading: JSON indented, a JSON string as its own text, else as it is.

    It is laid out, not parsed into objects, so that repeated keys and long numbers stay as they were written.
    """
    try:
        if text.lstrip().startswith('"'):
            laid_out = msgspec.json.decode(text, type=str)
        else:
            laid_out = msgspec.json.format(text, indent=2)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        laid_out = text
    return visible(laid_out, cap, lines=True)


def _code_point(found: re.Match[str]) -> str:
    return f"⟦U+{ord(found.group()):04X}⟧"
