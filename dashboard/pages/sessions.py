"""Sessions: every run that was read, the newest first."""

from __future__ import annotations

import streamlit as st

from dashboard import listing, parts, queries, words
from dashboard.links import link

heading, agent = st.columns([7, 2], vertical_alignment="bottom")
heading.title("Sessions", anchor=False)
name = agent.text_input("Agent contains", key="agent", bind="query-params", max_chars=200)

found = queries.sessions(name or "")
if found.height == 0 and name:
    parts.nothing("No session of such an agent", "Clear the filter to see every session that was read.")
elif found.height == 0:
    parts.nothing(
        "Nothing has been ingested yet",
        "Point custodiet at your agents' logs:   custodiet ingest LOGS",
    )
else:
    listing.table(
        found.with_columns(words.when_column("first_at"), words.when_column("last_at")),
        {
            "first_at": listing.when("first step (UTC)", 172),
            "last_at": listing.when("last step (UTC)", 172),
            "agents": listing.text("agents", 170),
            "session_id": listing.text("session", 190),
            "steps": listing.number("steps", 70),
            "tool_calls": listing.number("tool calls", 86),
            "errors": listing.number("errors", 70),
            "input_tokens": listing.number("tokens in", 84),
            "output_tokens": listing.number("tokens out", 88),
        },
        key="sessions",
        alt="The sessions, the newest first. A row leads to its replay.",
        links={"session_id": [link("replay", session=session, step=1) for session in found["session_id"]]},
        rows=20,
    )
    matching = found["matching"][0]
    st.text(
        f"The newest {found.height:,} of {words.count(matching, 'session', 'sessions')}. A row leads to its replay."
    )
