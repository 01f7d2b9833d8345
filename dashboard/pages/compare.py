"""Compare: a session beside the quiet one of the same agent that is most like it, step for step."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from dashboard import listing, parts, queries
from dashboard.links import link
from dashboard.nearest import STEPS_COMPARED, Candidate, aligned, likeness, nearest
from dashboard.queries_of_compare import CANDIDATES, agent_of, calls_of, nearest_by_score, quiet_sessions
from ingest.visible import visible

HOW = {
    "named": "The other one was named in the link.",
    "scored": "The other one is the benign session whose request is most like this one's, by this session's score.",
    "alike": f"The other one is the most alike in tools and in their order among the agent's latest {CANDIDATES:,} "
    "sessions that are in no case, or in one that was called benign, and that did not score as unlike its history.",
}
COMPARED = {"target": "target", "credential_id": "credential", "approval": "approval", "status": "status"}


def rows_of(mine: pl.DataFrame, theirs: pl.DataFrame) -> list[dict[str, Any]]:
    """The two lists of calls side by side, each row saying how it differs."""
    left, right = mine.to_dicts(), theirs.to_dicts()
    rows = []
    for here, there in aligned([step["tool"] for step in left], [step["tool"] for step in right]):
        a = left[here] if here is not None else None
        b = right[there] if there is not None else None
        differs = [said for name, said in COMPARED.items() if a and b and a[name] != b[name]]
        rows.append(
            {
                "is": "◆ only here" if b is None else "○ only there" if a is None else "other " + ", ".join(differs)
                if differs else "alike",
                "here": a and a["tool"], "here_target": a and a["target"], "here_as": a and a["credential_id"],
                "there": b and b["tool"], "there_target": b and b["target"], "there_as": b and b["credential_id"],
                "event": a and a["event_id"], "other": b and b["event_id"],
            }
        )  # fmt: skip
    return rows


def chosen_beside(
    tools: tuple[str, ...], agent: str | None, wanted: str, other: str
) -> tuple[Candidate | None, float, str]:
    """The session to lay beside this one, how alike they are, and how it was come by (a key of `HOW`)."""
    by_score = nearest_by_score(agent, wanted) if agent and not other else None
    for session_id, how in ((other, "named"), (by_score, "scored")):
        if session_id and (theirs := calls_of(session_id)).height:
            return Candidate(session_id, tuple(theirs["tool"])), likeness(tools, tuple(theirs["tool"])), how
    found = nearest(tools, quiet_sessions(agent, wanted)) if agent and not other else None
    return (*found, "alike") if found else (None, 0.0, "alike")


st.title("Compare", anchor=False)
wanted, other = st.query_params.get("session", ""), st.query_params.get("with", "")
event = st.query_params.get("event", "")
worst = queries.cases() if not wanted else None
if worst is not None and worst.height:
    wanted, event = str(worst["session_id"][0]), str(worst["event_id"][0])
mine = calls_of(wanted) if wanted else None
if mine is None or mine.height == 0:
    parts.nothing(
        "Session not found" if wanted else "No session to compare",
        f"No session {visible(wanted, 120)} with a tool call is in this data directory."
        if wanted
        else "Nothing was flagged, or nothing has been ingested yet. Open a session of an agent and choose Compare.",
    )
    st.page_link("pages/sessions.py", label="All sessions")
    st.stop()

agent = agent_of(wanted, event)
own = mine.filter(pl.col("agent_id") == agent) if agent else mine
tools = tuple(own["tool"])
beside, score, how = chosen_beside(tools, agent, wanted, other)
if beside is None:
    parts.nothing(
        "Session not found" if other else "No quiet session to lay beside it",
        f"No session {visible(other, 120)} with a tool call is in this data directory."
        if other
        else f"Every session of {visible(agent, 120)} is part of a case or scored as unlike its history.",
    )
    st.stop()

theirs = calls_of(beside.session_id)
theirs = theirs.filter(pl.col("agent_id") == agent) if not other and agent else theirs
rows = rows_of(own, theirs)
only_here = sum(row["there"] is None for row in rows)
only_there = sum(row["here"] is None for row in rows)
parts.facts(
    [
        ("Agent", visible(agent, 120)),
        ("This session", visible(wanted, 120)),
        ("Laid beside it", visible(beside.session_id, 120)),
        ("Alike", f"{score:.0%}: {only_here:,} only here, {only_there:,} only there"),
    ]
)
listing.table(
    pl.DataFrame(rows, infer_schema_length=None),
    {
        "is": listing.text("how it differs", 160),
        "here": listing.text("this session", 160),
        "here_target": listing.text("target", 160),
        "here_as": listing.text("acting with", 100),
        "there": listing.text("the quiet one", 160),
        "there_target": listing.text("target ", 160),
        "there_as": listing.text("acting with ", 100),
    },
    key="compared", alt="The calls of the two sessions, aligned. Each leads to its step.", rows=18,
    links={
        "here": [link("replay", session=wanted, event=row["event"]) if row["event"] else None for row in rows],
        "there": [
            link("replay", session=beside.session_id, event=row["other"]) if row["other"] else None for row in rows
        ],
    },
)  # fmt: skip
if own.height == STEPS_COMPARED or theirs.height == STEPS_COMPARED:
    st.text(f"The first {STEPS_COMPARED:,} calls of each are laid side by side.")
st.text(HOW[how])
st.page_link("pages/replay.py", label=":primary[Replay this session]", query_params={"session": wanted})
st.page_link("pages/replay.py", label=":primary[Replay the other]", query_params={"session": beside.session_id})
