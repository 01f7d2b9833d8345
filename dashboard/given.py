"""What a component of ours is given."""

from __future__ import annotations

from typing import Any


def as_it_is(data: dict[str, Any]) -> list[dict[str, Any]]:
    """The data in a list of one, so that it goes to the browser as JSON.

    Of a dict Streamlit asks whether each value is a data frame, and imports pandas to ask: 0.6 s of CPU at the first
    page, and 40 MB.
    """
    return [data]
