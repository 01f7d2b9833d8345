"""Sessions: every run that was read, the newest first."""

from __future__ import annotations

from functools import partial

import streamlit as st

from dashboard import parts, queries, words

TABLE = "sessions"


def open_session(shown: list[str]) -> None:
    """Go to the replay of the chosen row of what was shown, once the callback is over."""
    row = parts.chosen_row(TABLE)
    if row is not None:
        st.session_state["opened_session"] = shown[row]


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
    parts.table(
        found.with_columns(words.when_column("first_at"), words.when_column("last_at")),
        {
            "first_at": parts.text("first step (UTC)", 172),
            "last_at": parts.text("last step (UTC)", 172),
            "agents": parts.text("agents", 170),
            "session_id": parts.text("session", 190),
            "steps": parts.number("steps", 70),
            "tool_calls": parts.number("tool calls", 86),
            "errors": parts.number("errors", 70),
            "input_tokens": parts.number("tokens in", 84),
            "output_tokens": parts.number("tokens out", 88),
        },
        key=TABLE,
        alt="The sessions, the newest first. Choosing a row opens its replay.",
        on_row=partial(open_session, found["session_id"].to_list()),
        rows=20,
    )
    matching = found["matching"][0]
    st.text(
        f"The newest {found.height:,} of {words.count(matching, 'session', 'sessions')}. Choose a row to replay it."
    )
    opened = st.session_state.pop("opened_session", None)
    if opened is not None:
        st.switch_page("pages/replay.py", query_params={"session": opened, "step": 1})
