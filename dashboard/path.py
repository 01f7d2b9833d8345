"""The path of a case as a list: what the figure shows, in words, each step with its link into the replay."""

from __future__ import annotations

from typing import Any, Final

import polars as pl
import streamlit as st

from dashboard.words import approval_short, counted, when
from ingest.visible import visible

REPLAY: Final = "pages/replay.py"
ROWS: Final = 60
_WIDTHS: Final = [1.0, 2.1, 1.3, 2.7, 2.3, 1.6, 1.4, 1.9]
HEADINGS: Final = ("step", "when (UTC)", "agent", "tool", "target", "credential", "approval", "source")


def path_list(path: pl.DataFrame, worst_event_id: str) -> None:
    """A row a step, in causal order; the step to look at first is marked."""
    with st.container(border=True, gap="xxsmall"):
        for place, heading in enumerate(st.columns(_WIDTHS, gap="small")):
            heading.caption(HEADINGS[place])
        for step in path.head(ROWS).to_dicts():
            _row(step, is_worst=step["event_id"] == worst_event_id)
    if path.height > ROWS:
        st.text(f"The first {ROWS} of {path.height:,} steps are listed.")


def _row(step: dict[str, Any], *, is_worst: bool) -> None:
    cells = st.columns(_WIDTHS, gap="small", vertical_alignment="center")
    if step["session_id"] is None:
        cells[0].text(f"{step['place']:,} ·")
        cells[1].text("This step is not in the store any more.")
        return
    link = link_to(step)
    number = step["step"]
    if is_worst:
        cells[0].page_link(REPLAY, label=counted(":primary[▶ step {n}]", n=number), query_params=link)
    else:
        cells[0].page_link(REPLAY, label=counted(":primary[step {n}]", n=number), query_params=link)
    texts = [
        when(step["ordered_at"]),
        visible(step["agent_id"], 60),
        ("◆ " if step["is_finding"] else "") + visible(step["tool"] or step["operation"], 60),
        visible(step["target"], 80),
        visible(step["credential_id"], 60),
        approval_short(step["approval"]),
        _end(visible(step["source"])),
    ]
    for cell, text in zip(cells[1:], texts, strict=True):
        cell.text(text, wrap=False)


def link_to(step: dict[str, Any]) -> dict[str, str]:
    """The replay's parameters for this step; by its event where its number is not known."""
    if step.get("step") is None:
        return {"session": step["session_id"], "event": step["event_id"]}
    return {"session": step["session_id"], "step": str(step["step"])}


def _end(source: str, characters: int = 19) -> str:
    """The end of a place, where the line number is; the replay shows it whole."""
    return source if len(source) <= characters else f"…{source[-characters:]}"
