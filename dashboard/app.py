"""The Streamlit script: the frame around every page. Started by `dashboard.server`."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from dashboard.parts import nothing
from ingest.errors import Trouble
from ingest.visible import visible

FAVICON = Path(__file__).with_name("favicon.png")

st.set_page_config(page_title="custodiet", page_icon=str(FAVICON), layout="wide", initial_sidebar_state="collapsed")
page = st.navigation(
    [
        st.Page("pages/start.py", title="custodiet", default=True, visibility="hidden"),
        st.Page("pages/cases.py", title="Cases", url_path="cases"),
        st.Page("pages/case.py", title="Case", url_path="case"),
        st.Page("pages/replay.py", title="Replay", url_path="replay"),
        st.Page("pages/agent.py", title="Agent", url_path="agent"),
        st.Page("pages/movement.py", title="Movement", url_path="movement"),
        st.Page("pages/events.py", title="Events", url_path="events"),
        st.Page("pages/compare.py", title="Compare", url_path="compare"),
        st.Page("pages/sessions.py", title="Sessions", url_path="sessions"),
        st.Page("pages/health.py", title="Health", url_path="health"),
    ],
    position="top",
)
try:
    page.run()
except Trouble as trouble:
    nothing("The published data cannot be read", visible(trouble, 2_000))
