"""The Agent page's lower half: one session held against what was usual before its day."""

from __future__ import annotations

from functools import partial

import polars as pl
import streamlit as st

from baseline.history import LEAST_SESSIONS
from baseline.profile_parts import Profile
from dashboard import parts, queries, theme, words
from dashboard.charts_of_agent import TOOLS_DRAWN, bits_figure, matrix_figure
from dashboard.queries_of_agent import against_of, sessions_of
from dashboard.queries_of_session import files_of, steps_of
from ingest.visible import visible

SESSIONS, PAIRS = "agent_sessions", "agent_pairs"


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
    pairs = pl.DataFrame([{**pair.__dict__, "ratio": f"{pair.ratio:+.1f}"} for pair in beside.pairs])
    parts.table(
        pairs,
        {
            "before": parts.text("after", 250),
            "tool": parts.text("tool", 250),
            "steps": parts.number("here"),
            "of": parts.number("of"),
            "usual_steps": parts.number("before"),
            "usual_of": parts.number("of "),
            "ratio": parts.text("log2", 70),
            "bits": st.column_config.NumberColumn("bits", width="small", format="%.1f"),
        },
        key=PAIRS, alt="The session's transitions, the most surprising first. Choosing a row opens its first step.",
        on_row=partial(_open_pair, [(pair.before, pair.tool) for pair in beside.pairs], chosen, found.agent_id),
        rows=8,
    )  # fmt: skip
    st.page_link(
        "pages/compare.py", label=":primary[Compare with the nearest quiet session]", query_params={"session": chosen}
    )
    opened = st.session_state.pop("opened_pair", None)
    if opened is not None:
        st.switch_page("pages/replay.py", query_params={"session": chosen, "event": opened})


def _open_pair(shown: list[tuple[str, str]], session: str, agent: str) -> None:
    row = parts.chosen_row(PAIRS)
    if row is None:
        return
    cursor = queries.connection()
    steps = steps_of(cursor, files_of(cursor, queries.data(), session), session)
    calls = steps.filter(pl.col("kind") == "tool_call", pl.col("agent_id") == agent).select(
        "trace_id", "tool", "event_id"
    )
    last: dict[str, str] = {}
    for trace, tool, event in calls.select("trace_id", "tool", "event_id").iter_rows():
        if (last.get(trace, ""), tool) == shown[row]:
            st.session_state["opened_pair"] = event
            return
        last[trace] = tool


def _choose(found: Profile, offered: pl.DataFrame) -> None:
    st.caption("Sessions of this agent: those of cases first, then the newest")
    parts.table(
        offered.with_columns(
            offered["severity"].map_elements(
                lambda word: "–" if word is None else words.severity(word), return_dtype=pl.String, skip_nulls=False
            ),
            words.when_column("first_at"),
        ),
        {
            "severity": parts.text("severity", 90),
            "first_at": parts.text("first step (UTC)", 180),
            "session_id": parts.text("session", 500),
            "tool_calls": parts.number("tool calls"),
        },
        key=SESSIONS, alt="Sessions of the agent. Choosing a row holds it against the baseline.", rows=6,
        on_row=partial(_choose_session, offered["session_id"].to_list()),
    )  # fmt: skip
    opened = st.session_state.pop("opened_beside", None)
    if opened is not None:
        st.switch_page("pages/agent.py", query_params={"agent": found.agent_id, "session": opened})


def _choose_session(shown: list[str]) -> None:
    row = parts.chosen_row(SESSIONS)
    if row is not None:
        st.session_state["opened_beside"] = shown[row]
