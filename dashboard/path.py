"""The path of a case as a list: what the figure shows, in words, each step with its link into the replay."""

from __future__ import annotations

from typing import Any, Final

import polars as pl
import streamlit as st

from dashboard import listing, words
from dashboard.links import link

REPLAY: Final = "pages/replay.py"
ROWS: Final = 60


def path_list(path: pl.DataFrame, worst_event_id: str) -> None:
    """A row a step, in causal order; the step to look at first is marked, and what a finding points at."""
    steps = path.head(ROWS)
    is_gone = pl.col("session_id").is_null()
    is_worst = pl.col("event_id") == worst_event_id
    number = pl.format("step {}", pl.col("step"))
    told = pl.coalesce("tool", "operation")
    listing.table(
        steps.with_columns(
            words.when_column("ordered_at"),
            words.end_column("source", 22),
            pl.when(is_worst).then(pl.format("▶ {}", number)).otherwise(number).alias("step"),
            pl.when(is_gone).then(pl.lit("This step is not in the store any more."))
            .when("is_finding").then(pl.format("◆ {}", told)).otherwise(told).alias("tool"),
            pl.col("approval").map_elements(words.approval_short, return_dtype=pl.String, skip_nulls=False),
        ),
        {
            "step": listing.text("step", 84),
            "ordered_at": listing.when("when (UTC)", 172),
            "agent_id": listing.text("agent", 130),
            "tool": listing.text("tool", 190),
            "target": listing.text("target", 210),
            "credential_id": listing.text("credential", 130),
            "approval": listing.text("approval", 110),
            "source": listing.text("file:line", 160),
        },
        key="path",
        alt="The steps of the path in causal order. A row leads to the step in its replay.",
        links={"step": [link("replay", **link_to(step)) if step["session_id"] else None for step in steps.to_dicts()]},
        rows=ROWS,
    )  # fmt: skip
    if path.height > ROWS:
        st.text(f"The first {ROWS} of {path.height:,} steps are listed.")


def link_to(step: dict[str, Any]) -> dict[str, str]:
    """The replay's parameters for this step; by its event where its number is not known."""
    if step.get("step") is None:
        return {"session": step["session_id"], "event": step["event_id"]}
    return {"session": step["session_id"], "step": str(step["step"])}
