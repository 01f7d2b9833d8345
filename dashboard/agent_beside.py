"""The Agent page's lower half: one session held against what was usual before its day."""

from __future__ import annotations

from typing import Final

import polars as pl
import streamlit as st

from baseline.history import LEAST_SESSIONS
from baseline.profile_parts import Profile
from dashboard import listing, theme, words
from dashboard.charts_of_agent import TOOLS_DRAWN, bits_figure, matrix_figure
from dashboard.links import link
from dashboard.queries_of_agent import against_of, sessions_of
from ingest.visible import visible

NO_CASE: Final = "–"


def session_beside(found: Profile, wanted: str) -> None:
    """The chosen session, else the one of the worst case, beside the days before it; and a table to choose another."""
    st.subheader("One session against this", anchor=False)
    offered = sessions_of(found.agent_id, list(words.SEVERITIES))
    if offered.height == 0:
        st.text("No session of this agent is in the store.")
        return
    chosen = wanted or str(offered["session_id"][0])
    beside = against_of(found.agent_id, chosen)
    if beside is None:
        st.text(f"The agent made no call in a session {visible(chosen, 120)}.")
    else:
        st.text(f"Session {visible(chosen, 120)}, beside {words.count(beside.sessions, 'session', 'sessions')} before")
        if not beside.is_enough:
            st.text(
                f"Not enough history: {beside.sessions:,} of {LEAST_SESSIONS} sessions before that day. "
                "What follows says little."
            )
        _drawn(found, chosen)
    _choose(found, offered)


def _drawn(found: Profile, chosen: str) -> None:
    beside = against_of(found.agent_id, chosen)
    assert beside is not None
    left, right = st.columns([2, 3], gap="medium")
    with left:
        st.caption("Surprise by tool: bits, from how likely each call was after the one before")
        st.plotly_chart(
            bits_figure(beside.bits, theme.chosen()), theme=None, config={"displayModeBar": False}, key="bits",
            alt="What each tool adds to the session's surprise; the table of transitions says it by pair.",
        )  # fmt: skip
        st.caption("Links that are new")
        for kind, values in beside.new:
            st.text(f"{visible(kind).replace('_', ' to ')}: {visible(', '.join(values), 600)}")
        if not beside.new:
            st.text("none: every principal, credential, target and path was known")
    with right:
        st.caption("Transitions: log2 of the session's share over the usual one; a dot beyond 4 times")
        st.plotly_chart(
            matrix_figure(beside.pairs, theme.chosen()), theme=None, config={"displayModeBar": False}, key="matrix",
            alt="The session's transitions as log ratio to the usual ones; the table below says the same.",
        )  # fmt: skip
        tools = {pair.tool for pair in beside.pairs}
        if len(tools) > TOOLS_DRAWN:
            st.text(f"{TOOLS_DRAWN} of {len(tools):,} tools are drawn; the table has them all.")
    pairs = pl.DataFrame([pair.__dict__ for pair in beside.pairs])
    listing.table(
        pairs,
        {
            "before": listing.text("after", 250),
            "tool": listing.text("tool", 250),
            "steps": listing.number("here"),
            "of": listing.number("of"),
            "usual_steps": listing.number("before"),
            "usual_of": listing.number("of "),
            "ratio": listing.decimal("log2", 70),
            "bits": listing.decimal("bits"),
        },
        key="agent_pairs", alt="The session's transitions, the most surprising first. A row leads to its first step.",
        links={
            "tool": [
                link("replay", session=chosen, by=found.agent_id, tool=pair.tool, after=pair.before)
                for pair in beside.pairs
            ]
        },
        rows=8,
    )  # fmt: skip
    st.page_link(
        "pages/compare.py", label=":primary[Compare with the nearest quiet session]", query_params={"session": chosen}
    )


def _choose(found: Profile, offered: pl.DataFrame) -> None:
    st.caption("Sessions of this agent: those of cases first, then the newest")
    listing.table(
        offered.with_columns(
            pl.col("severity").fill_null(NO_CASE),
            words.when_column("first_at"),
        ),
        {
            "severity": listing.severity(),
            "first_at": listing.when("first step (UTC)", 180),
            "session_id": listing.text("session", 500),
            "tool_calls": listing.number("tool calls"),
        },
        key="agent_sessions", alt="Sessions of the agent. A row leads to the same page with that session.", rows=6,
        links={"session_id": [link("agent", agent=found.agent_id, session=s) for s in offered["session_id"]]},
    )  # fmt: skip
