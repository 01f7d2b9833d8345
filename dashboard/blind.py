"""What could not have fired: silence is a claim too, and this says how far it carries."""

from __future__ import annotations

import polars as pl
import streamlit as st

from dashboard import listing, queries


def say_what_could_not_fire() -> None:
    """The detectors that lacked what they need, with what they lacked; or that all of them could judge."""
    judged = queries.could_fire()
    blind = judged.filter(pl.col("could_judge") < pl.col("steps"))
    st.subheader("What could not have fired", anchor=False)
    if judged.height == 0:
        st.text("No detector has run over these sessions yet: their silence says nothing.")
    elif blind.height == 0:
        st.text("Nothing: every detector had the fields it needs on every privileged step.")
    else:
        could_fire_table(blind)


def could_fire_table(judged: pl.DataFrame) -> None:
    """Detectors with the share of privileged steps that they could judge."""
    share = (pl.col("could_judge") / pl.max_horizontal(pl.col("steps"), 1)).alias("share")
    listing.table(
        judged.with_columns(share),
        {
            "detector": listing.text("detector", 290),
            "share": listing.axis("could judge", "The share of privileged steps that had the fields it needs"),
            "could_judge": listing.number("steps judged", 110),
            "steps": listing.number("privileged steps", 120),
            "agents": listing.number("agents", 80),
            "missing": listing.text("what the others lacked", 440),
        },
        key="could_fire",
        lines=2,
        alt="For each detector, how many privileged steps it could judge and what the others lacked.",
    )
