"""The pieces of the pages. Text of a log goes into inert places only: text, code, table cells."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import streamlit as st

from dashboard.words import share
from ingest.visible import visible

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
