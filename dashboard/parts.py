"""The pieces of the pages. Text of a log goes into inert places only: text, code, table cells."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import polars as pl
import streamlit as st

from dashboard import theme
from dashboard.words import share
from ingest.visible import visible

ROW_PIXELS: Final = 30
_HEADER_PIXELS: Final = 34

Fact = tuple[str, str]
"""A constant label, and a value that already is visible text."""


def facts(rows: Iterable[Fact], across: int = 4) -> None:
    """Labelled values in an even grid."""
    listed = list(rows)
    for start in range(0, len(listed), across):
        for place, (label, value) in zip(st.columns(across, gap="small"), listed[start : start + across], strict=False):
            with place.container(gap=None):
                st.caption(label)
                st.text(value)


def nothing(title: str, *lines: str) -> None:
    """An empty state: what it means that there is nothing here, and what to do."""
    with st.container(border=True, gap="xsmall"):
        st.subheader(title, anchor=False)  # inert: every caller gives a constant (see test_inert)
        for line in lines:
            st.text(line)


def block(text: str) -> None:
    """Log text of several lines as it was written."""
    st.code(text, language=None, wrap_lines=True)


def shown(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with every text and list of texts made visible, for a table."""
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


def table(
    frame: pl.DataFrame,
    columns: dict[str, Any],
    *,
    key: str,
    alt: str,
    on_row: Callable[[], None] | None = None,
    rows: int = 12,
    row_pixels: int = ROW_PIXELS,
) -> None:
    """A dense table of these columns. Where rows can be chosen, `on_row` asks `chosen_row` which one was."""
    told = shown(frame.select(list(columns)))
    content: Any = told
    if "severity" in columns:
        colours = theme.SEVERITY[theme.chosen()]
        content = told.to_pandas().style.map(
            lambda cell: f"color: {colours.get(str(cell).split(' ')[-1], 'inherit')}; font-weight: 600",
            subset=["severity"],
        )
    options: dict[str, Any] = {
        "height": _HEADER_PIXELS + row_pixels * max(1, min(rows, frame.height)) + 3,
        "row_height": row_pixels, "hide_index": True, "column_config": columns, "key": key, "alt": alt,
    }  # fmt: skip
    if on_row is None:
        st.dataframe(content, **options)
    else:
        st.dataframe(content, on_select=on_row, selection_mode="single-row", **options)


def chosen_row(key: str) -> int | None:
    """The row that was chosen in the table of this key, in its callback."""
    rows: Sequence[int] = st.session_state[key].selection.rows
    return rows[0] if rows else None


def text(label: str, width: Any = None, help: str | None = None) -> Any:
    """A column of texts. Never a link, an image or markdown."""
    return st.column_config.TextColumn(label, width=width, help=help)


def number(label: str, width: Any = "small") -> Any:
    """A column of whole numbers."""
    return st.column_config.NumberColumn(label, width=width, format="localized")


def axis(label: str, help: str) -> Any:
    """A column for one of the two axes, anomaly and impact: a bar and its number."""
    return st.column_config.ProgressColumn(label, width=84, format="%.2f", min_value=0.0, max_value=1.0, help=help)


def anomaly_and_impact() -> dict[str, Any]:
    """The two axes, shown apart."""
    return {
        "anomaly": axis("anomaly", "How unlikely this was for the agent, from its baseline"),
        "impact": axis("impact", "What harm the steps could do, whoever takes them"),
    }


def finding(row: dict[str, Any]) -> None:
    """What a detector said: the claim, then what was observed beside what was to be expected."""
    st.text(f"◆ {visible(row['title'])}")
    observed, expected = st.columns(2, gap="small")
    with observed.container(gap=None):
        st.caption("Observed")
        st.text(visible(row["observed"], 1_000))
    with expected.container(gap=None):
        st.caption("Expected")
        st.text(visible(row["expected"], 1_000))
    st.text(
        f"anomaly {share(row['anomaly'])} · impact {share(row['impact'])} · "
        + visible(f"{row['detector']} · {', '.join(row['techniques'] or []) or 'no technique'}")
    )
