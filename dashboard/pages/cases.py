"""Cases: what was found, the worst first."""

from __future__ import annotations

import polars as pl
import streamlit as st

from dashboard import listing, parts, queries, words
from dashboard.blind import say_what_could_not_fire
from dashboard.links import link
from dashboard.queries_of_cases import with_approvals
from dashboard.triage import STATUSES, narrowed, with_people

totals = queries.totals()
heading, least, state = st.columns([3, 4, 2], vertical_alignment="bottom")
heading.title("Cases", anchor=False)
at_least = least.segmented_control(
    "Severity at least", words.SEVERITIES, default="info", required=True, key="severity", bind="query-params"
)
status = state.segmented_control("Status", STATUSES, default="open", required=True, key="status", bind="query-params")
agents, owners = st.columns(2, vertical_alignment="bottom")
name = agents.text_input("Agent contains", key="agent", bind="query-params", max_chars=200)
owner = owners.text_input("Owner contains", key="owner", bind="query-params", max_chars=200)

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
    listing.table(
        with_approvals(found).with_columns(
            pl.lit("open case").alias("case"),
            words.when_column("first_at"),
            words.when_column("last_at"),
        ),
        {
            "severity": listing.severity(),
            "title": listing.text("what happened", 176),
            "why": listing.text("why", 226),
            **listing.anomaly_and_impact(),
            "agents": listing.text("agents", 100),
            "approvals": listing.text("approvals broken", 104),
            "first_at": listing.when("first seen (UTC)", 88),
            "last_at": listing.when("last seen (UTC)", 88),
            "status": listing.text("status", 84),
            "owner": listing.text("owner", 66),
            "case": listing.text("case", 68),
        },
        key="cases",
        alt="The cases, the worst first. A row leads to its worst step; its last cell to the case.",
        links={
            "title": [
                link("replay", session=session, event=event)
                for session, event in found.select("session_id", "event_id").iter_rows()
            ],
            "case": [link("case", case=case) for case in found["case_id"]],
        },
        rows=10,
        lines=3,
    )
    st.text(
        f"{found.height:,} of {words.count(totals['cases'], 'case', 'cases')} shown, from "
        f"{words.count(totals['sessions'], 'session', 'sessions')} of "
        f"{words.count(totals['agents'], 'agent', 'agents')}. A row leads to its worst step."
    )
