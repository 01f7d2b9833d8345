"""Links from page to page, as they stand in the tables: the page's name and its parameters, nothing else."""

from __future__ import annotations

from urllib.parse import urlencode


def link(page: str, **parameters: str | int | None) -> str:
    """`link("replay", session="s 1", event=None)` is `replay?session=s+1`: what is None or empty is left out."""
    given = {name: value for name, value in parameters.items() if value not in (None, "")}
    return f"{page}?{urlencode(given)}" if given else page
