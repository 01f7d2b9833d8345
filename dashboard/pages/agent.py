"""Agent: what is normal for one agent, on how much that rests, and how one session departs from it."""

from __future__ import annotations

from functools import partial

import streamlit as st

from dashboard import parts, queries
from dashboard.agent_beside import session_beside
from dashboard.agent_facts import facts_of
from dashboard.queries_of_agent import agents, profile_of
from ingest.visible import visible

TABLE = "agents"


def open_agent(shown: list[str]) -> None:
    """Go to the agent of the chosen row of what was shown, once the callback is over."""
    row = parts.chosen_row(TABLE)
    if row is not None:
        st.session_state["opened_agent"] = shown[row]


wanted = st.query_params.get("agent", "")
found = profile_of(wanted) if wanted else None
if found is not None:
    facts_of(found)
    session_beside(found, st.query_params.get("session", ""))
    st.stop()

st.title("Agents", anchor=False)
if wanted:
    parts.nothing(
        "Agent not found",
        f"Nothing was counted of an agent {visible(wanted, 120)}. It may be of another data directory, or its "
        "sessions are all part of cases: nothing is learnt from those.",
    )
listed = agents()
if listed.height == 0:
    ingested = queries.totals()["sessions"]
    parts.nothing(
        "No baseline yet" if ingested else "Nothing has been ingested yet",
        "Count what is normal:   custodiet baseline   or   custodiet detect"
        if ingested
        else "Point custodiet at your agents' logs:   custodiet ingest LOGS   and then   custodiet detect",
    )
else:
    parts.table(
        listed,
        {
            "agent_id": parts.text("agent", 300),
            "sessions": parts.number("sessions"),
            "tool_calls": parts.number("tool calls"),
            "is_enough": st.column_config.CheckboxColumn("enough history", width=110),
            "tools": parts.number("tools"),
            "targets": parts.number("targets"),
            "versions": parts.number("versions"),
            "drift": parts.text("drift", 380),
        },
        key=TABLE,
        alt="The agents, with how much is known of each. Choosing a row opens the agent.",
        on_row=partial(open_agent, listed["agent_id"].to_list()),
        rows=16,
    )
    st.text("Choose a row to see what is normal for the agent.")
    opened = st.session_state.pop("opened_agent", None)
    if opened is not None:
        st.switch_page("pages/agent.py", query_params={"agent": opened})
