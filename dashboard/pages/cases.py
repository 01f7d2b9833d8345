"""Cases: what was found, the worst first."""

from __future__ import annotations

from functools import partial
from typing import Any

import polars as pl
import streamlit as st

from dashboard import parts, queries, words
from dashboard.blind import say_what_could_not_fire
from dashboard.queries_of_cases import with_approvals
from dashboard.triage import STATUSES, narrowed, with_people

TABLE = "cases"
OPENS = ("worst step", "case")
WHY = 64
"""Characters of the reason in a row; the case has it whole."""


def open_row(shown: list[dict[str, Any]]) -> None:
    """Go to the worst step, or the case, of the chosen row of what was shown, once the callback is over."""
    row = parts.chosen_row(TABLE)
    if row is not None:
        st.session_state["opened_case"] = shown[row]


totals = queries.totals()
heading, least, state = st.columns([3, 4, 2], vertical_alignment="bottom")
heading.title("Cases", anchor=False)
at_least = least.segmented_control(
    "Severity at least", words.SEVERITIES, default="info", required=True, key="severity", bind="query-params"
)
status = state.segmented_control("Status", STATUSES, default="open", required=True, key="status", bind="query-params")
agents, owners, opens = st.columns([3, 3, 2], vertical_alignment="bottom")
name = agents.text_input("Agent contains", key="agent", bind="query-params", max_chars=200)
owner = owners.text_input("Owner contains", key="owner", bind="query-params", max_chars=200)
opened_as = opens.segmented_control(
    "A row opens the", OPENS, default="worst step", required=True, key="opens", bind="query-params"
)

found = narrowed(with_people(queries.cases(at_least or "info", name or "")), status or "open", owner or "")
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
        f"{words.count(totals['cases'], 'case is', 'cases are')} hidden. Lower the severity, choose another status, "
        "or clear agent and owner.",
    )
else:
    parts.table(
        with_approvals(found).with_columns(
            found["severity"].map_elements(words.severity, return_dtype=pl.String),
            found["why"].map_elements(partial(words.cut, characters=WHY), return_dtype=pl.String),
            words.when_column("first_at"),
            words.when_column("last_at"),
        ),
        {
            "severity": parts.text("severity", 82),
            "title": parts.text("case", 150),
            **parts.anomaly_and_impact(),
            "why": parts.text("why", 170),
            "agents": parts.text("agents", 100),
            "approvals": parts.text("approvals broken", 96),
            "first_at": parts.text("first seen (UTC)", 86),
            "last_at": parts.text("last seen (UTC)", 86),
            "status": parts.text("status", 86),
            "owner": parts.text("owner", 74),
        },
        key=TABLE,
        alt="The cases, the worst first. Choosing a row opens its worst step, or the case.",
        on_row=partial(open_row, found.select("case_id", "session_id", "event_id").to_dicts()),
        rows=10,
        row_pixels=62,
    )
    st.text(
        f"{found.height:,} of {words.count(totals['cases'], 'case', 'cases')} shown, from "
        f"{words.count(totals['sessions'], 'session', 'sessions')} of "
        f"{words.count(totals['agents'], 'agent', 'agents')}. Choose a row to open it."
    )
    opened = st.session_state.pop("opened_case", None)
    if opened is not None and opened_as == "case":
        st.switch_page("pages/case.py", query_params={"case": opened["case_id"]})
    elif opened is not None:
        st.switch_page("pages/replay.py", query_params={"session": opened["session_id"], "event": opened["event_id"]})
