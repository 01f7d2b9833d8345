"""Health: what was read, what was not, and which detectors could see."""

from __future__ import annotations

import streamlit as st

from dashboard import listing, parts, queries, words
from dashboard.blind import could_fire_table

st.title("Health", anchor=False)
totals, broken, judged = queries.totals(), queries.failed(), queries.could_fire()
parts.facts(
    [
        ("Published state", f"generation {queries.generation():,}"),
        ("Files read", f"{totals['files']:,}"),
        ("Sessions", f"{totals['sessions']:,}"),
        ("Agents", f"{totals['agents']:,}"),
        ("Steps", f"{totals['steps']:,}"),
        ("Findings", f"{totals['findings']:,}"),
        ("Cases", f"{totals['cases']:,}"),
    ],
    across=7,
)

if broken.height:
    st.subheader("Plug-ins that failed", anchor=False)
    st.text("What these would have found is not known. The last run ended with a non-zero exit.")
    listing.table(
        broken, {"plugin": listing.text("plug-in", 300), "reason": listing.text("reason", 900)},
        key="failed", alt="The plug-ins that broke in the last run, and why.",
    )  # fmt: skip

st.subheader("What each detector could judge", anchor=False)
if judged.height:
    could_fire_table(judged)
else:
    st.text("No detector has run yet.")

files = queries.files_read()
st.subheader("Files", anchor=False)
if files.height:
    listing.table(
        files.with_columns(words.adds_up(), words.end_column("path", 46)),
        {
            "path": listing.text("file", 330),
            "reader": listing.text("reader", 120),
            "records": listing.number("records", 84),
            "events": listing.number("= events", 84),
            "folded": listing.number("+ folded", 84),
            "rejected": listing.number("+ rejected", 90),
            "duplicates": listing.number("+ duplicates", 100),
            "adds_up": listing.text("adds up", 76),
            "sha256": listing.text("sha-256", 200),
        },
        key="files", alt="The files that were read, and what became of their records.",
    )  # fmt: skip
else:
    st.text("No file has been read yet.")

refused = queries.rejected()
st.subheader("Records that could not be read", anchor=False)
if refused.height:
    listing.table(
        words.with_place(refused),
        {"place": listing.text("file:line", 330), "reason": listing.text("reason", 860)},
        key="rejected", alt="Records that could not be read, with their place and the reason.",
    )  # fmt: skip
    if refused.height == queries.ROWS_SHOWN:
        st.text(f"The first {queries.ROWS_SHOWN:,} are shown.")
else:
    st.text("None: every record of every file was read.")

unknown = queries.unmatched()
st.subheader("Tools that the capability table does not know", anchor=False)
if unknown.height:
    listing.table(
        unknown,
        {
            "tool": listing.text("tool", 270),
            "agent_id": listing.text("agent", 220),
            "steps": listing.number("steps", 84),
            "classed_as": listing.text("classed as", 170),
            "shown_by": listing.text("shown by", 416),
        },
        key="unmatched", alt="Tools without a capability, who used them how often, and what shows a class.",
    )  # fmt: skip
    st.text("Where no call shows a class, detectors are silent. Your own table (--capabilities) goes before.")
else:
    st.text("None.")
