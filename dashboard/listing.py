"""Tables: rows of text and numbers, each a plain link where it leads somewhere. Drawn by a component, as text nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final, Literal

import polars as pl
import streamlit as st

from dashboard import theme
from dashboard.given import as_it_is
from ingest.visible import visible

Kind = Literal["text", "number", "decimal", "bar", "severity", "when"]

_ROW_PIXELS: Final = 18
"""A line of text; a row adds its padding."""
_PADDING_PIXELS: Final = 11
_HEADER_PIXELS: Final = 34

_mount: Final = st.components.v2.component("custodiet.rows", js="rows.js", css="rows.css")


@dataclass(frozen=True)
class Column:
    """A column by its heading; `width` is its share of the table, in the pixels of a table 1,200 wide."""

    label: str
    kind: Kind = "text"
    width: int = 120
    help: str | None = None


def text(label: str, width: int = 120, help: str | None = None) -> Column:
    """A column of texts."""
    return Column(label, "text", width, help)


def when(label: str, width: int = 88) -> Column:
    """A column of moments, as `words.when_column` writes them."""
    return Column(label, "when", width)


def number(label: str, width: int = 80) -> Column:
    """A column of whole numbers."""
    return Column(label, "number", width)


def decimal(label: str, width: int = 60) -> Column:
    """A column of numbers with a sign and one decimal."""
    return Column(label, "decimal", width)


def axis(label: str, help: str) -> Column:
    """A column of shares from 0 to 1: a bar and its number."""
    return Column(label, "bar", 78, help)


def severity() -> Column:
    """The column of severities: a glyph, the word and its colour."""
    return Column("severity", "severity", 86)


def anomaly_and_impact() -> dict[str, Column]:
    """The two axes, shown apart."""
    return {
        "anomaly": axis("anomaly", "How unlikely this was for the agent, from its baseline"),
        "impact": axis("impact", "What harm the steps could do, whoever takes them"),
    }


def table(
    frame: pl.DataFrame,
    columns: dict[str, Column],
    *,
    key: str,
    alt: str,
    links: dict[str, Sequence[str | None]] | None = None,
    rows: int = 12,
    lines: int = 1,
    go: str | None = None,
) -> None:
    """The columns of a frame, `rows` of them in sight, each cell at most `lines` high.

    `links` gives a column's cells somewhere to lead to (see `link`); the first column named there is where the whole
    row leads. `go` goes there at once, once: for what was chosen in a figure beside the table.
    """
    told = shown(frame.select(list(columns)))
    _mount(
        key=key,
        data=as_it_is(
            {
                "key": key,
                "alt": alt,
                "columns": [{"name": name, **asdict(column)} for name, column in columns.items()],
                "rows": [list(row) for row in told.iter_rows()],
                "links": {name: list(places) for name, places in (links or {}).items()},
                "height": _HEADER_PIXELS + rows * (_PADDING_PIXELS + lines * _ROW_PIXELS) if frame.height > rows else 0,
                "lines": lines,
                "go": go,
                "colours": theme.SEVERITY[theme.chosen()] | theme.INK[theme.chosen()],
            }
        ),
    )


def shown(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with every text and list of texts made visible; a text that is not there is `–`."""
    texts = [
        pl.col(name).map_elements(visible, return_dtype=pl.String, skip_nulls=False).alias(name)
        for name, kind in frame.schema.items()
        if kind == pl.String
    ]
    lists = [
        pl.col(name).list.join(", ").map_elements(visible, return_dtype=pl.String, skip_nulls=False).alias(name)
        for name, kind in frame.schema.items()
        if isinstance(kind, pl.List)
    ]
    return frame.with_columns(*texts, *lists)
