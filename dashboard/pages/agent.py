"""Agent: what is normal for one agent, on how much that rests, and how one session departs from it."""

from __future__ import annotations

import polars as pl
import streamlit as st

from dashboard import listing, parts, queries
from dashboard.agent_beside import session_beside
from dashboard.agent_facts import facts_of
from dashboard.links import link
from dashboard.queries_of_agent import agents, profile_of
from ingest.visible import visible

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
    listing.table(
        listed.with_columns(
            pl.when("is_enough").then(pl.lit("enough")).otherwise(pl.lit("not enough")).alias("is_enough")
        ),
        {
            "agent_id": listing.text("agent", 300),
            "sessions": listing.number("sessions"),
            "tool_calls": listing.number("tool calls"),
            "is_enough": listing.text("history", 110),
            "tools": listing.number("tools"),
            "targets": listing.number("targets"),
            "versions": listing.number("versions"),
            "drift": listing.text("drift", 380),
        },
        key="agents",
        alt="The agents, with how much is known of each. A row leads to the agent.",
        links={"agent_id": [link("agent", agent=agent) for agent in listed["agent_id"]]},
        rows=16,
    )
    st.text("A row leads to what is normal for the agent.")
