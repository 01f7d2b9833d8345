"""Replay: one session, step by step, with the reason and the baseline beside every step."""

from __future__ import annotations

import streamlit as st

from dashboard import parts, queries
from dashboard.stepper import stepper
from dashboard.stepper_session import opened
from ingest.visible import visible

wanted = st.query_params.get("session", "")
event = st.query_params.get("event", "")
if event and not wanted:
    wanted = queries.session_of(event) or ""
session = opened(wanted) if wanted else None
if session is None:
    asked = wanted or event
    parts.nothing(
        "Session not found" if asked else "No session is open",
        f"No session {visible(asked, 120)} is in this data directory. The link may come from another one, "
        "or its log has not been ingested."
        if asked
        else "Choose one on the Sessions page, or open a step of a case.",
    )
    st.page_link("pages/sessions.py", label="All sessions")
    st.stop()

stepper(session)
