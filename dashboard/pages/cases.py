"""Cases: what was found, the worst first."""

from __future__ import annotations

from functools import partial

import polars as pl
import streamlit as st

from dashboard import parts, queries, words
from dashboard.blind import say_what_could_not_fire

TABLE = "cases"


def open_case(shown: list[str]) -> None:
    """Go to the case of the chosen row of what was shown, once the callback is over."""
    row = parts.chosen_row(TABLE)
    if row is not None:
        st.session_state["opened_case"] = shown[row]


totals = queries.totals()
heading, least, agent = st.columns([3, 4, 2], vertical_alignment="bottom")
heading.title("Cases", anchor=False)
at_least = least.segmented_control(
    "Severity at least", words.SEVERITIES, default="info", required=True, key="severity", bind="query-params"
)
name = agent.text_input("Agent contains", key="agent", bind="query-params", max_chars=200)

found = queries.cases(at_least or "info", name or "")
if totals["sessions"] == 0:
    parts.nothing(
        "Nothing has been ingested yet",
        "Point custodiet at your agents' logs:   custodiet ingest LOGS   and then   custodiet detect",
        "This page shows the result as soon as it is published; there is no need to restart.",
    )
elif totals["cases"] == 0:
    parts.nothing(
        "No cases were found",
        f"{words.count(totals['sessions'], 'session was', 'sessions were')} read, of "
        f"{words.count(totals['agents'], 'agent', 'agents')}; no case was raised.",
    )
    say_what_could_not_fire()
elif found.height == 0:
    parts.nothing(
        "No case passes these filters",
        f"{words.count(totals['cases'], 'case is', 'cases are')} hidden. Lower the severity or clear the agent.",
    )
else:
    parts.table(
        found.with_columns(
            found["severity"].map_elements(words.severity, return_dtype=pl.String),
            words.when_column("first_at"),
            words.when_column("last_at"),
        ),
        {
            "severity": parts.text("severity", 88),
            "title": parts.text("case", 205),
            **parts.anomaly_and_impact(),
            "why": parts.text("why", 215),
            "agents": parts.text("agents", 110),
            "first_at": parts.text("first seen (UTC)", 162),
            "last_at": parts.text("last seen (UTC)", 162),
        },
        key=TABLE,
        alt="The cases, the worst first. Choosing a row opens the case.",
        on_row=partial(open_case, found["case_id"].to_list()),
        rows=10,
        row_pixels=62,
    )
    st.text(
        f"{found.height:,} of {words.count(totals['cases'], 'case', 'cases')} shown, from "
        f"{words.count(totals['sessions'], 'session', 'sessions')} of "
        f"{words.count(totals['agents'], 'agent', 'agents')}. Choose a row to open it."
    )
    opened = st.session_state.pop("opened_case", None)
    if opened is not None:
        st.switch_page("pages/case.py", query_params={"case": opened})
