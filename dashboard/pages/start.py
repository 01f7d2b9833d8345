"""The address without a page: the server sends a browser on to the cases, and this does where it did not."""

from __future__ import annotations

import streamlit as st

st.switch_page("pages/cases.py", query_params=st.query_params.to_dict())
