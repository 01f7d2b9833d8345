"""Movement: how a case ran from identity to target, the flagged path first."""

from __future__ import annotations

from functools import partial

import polars as pl
import streamlit as st

from dashboard import listing, parts, queries, theme, words
from dashboard.charts_of_movement import movement_figure
from dashboard.links import link
from dashboard.movement import EDGES_DRAWN, VIEWS, drawn
from dashboard.queries_of_movement import edges_of
from ingest.visible import visible

FIGURE, CHOSEN = "movement_figure", "chosen_edge"


def open_drawn(shown: list[str]) -> None:
    """Go to the step of the edge that was chosen in the figure."""
    points = st.session_state[FIGURE].selection.points
    number = points[0].get("customdata") if points else None
    if isinstance(number, list):
        number = number[0]
    if isinstance(number, int) and 0 <= number < len(shown):
        st.session_state[CHOSEN] = shown[number]


heading, choice = st.columns([4, 5], vertical_alignment="bottom")
heading.title("Movement", anchor=False)
view = choice.segmented_control("Edges", VIEWS, default="flagged path", required=True, key="view", bind="query-params")
wanted = st.query_params.get("case", "")
listed = queries.cases()
found = queries.case(wanted) if wanted else queries.case(listed["case_id"][0]) if listed.height else None
if found is None:
    parts.nothing(
        "Case not found" if wanted else "No case to follow",
        f"No case has the id {visible(wanted, 120)}. It may belong to another data directory, or a later run "
        "has withdrawn it."
        if wanted
        else "Movement is drawn for a case. None was raised, or nothing has been ingested yet.",
    )
    st.page_link("pages/cases.py", label="All cases")
    st.stop()

parts.block(f"{words.severity(found['severity'])}  {visible(found['title'])}")
st.page_link("pages/case.py", label=":primary[To the case]", query_params={"case": found["case_id"]})
edges = edges_of(found["case_id"])
shown = drawn(edges, view or "flagged path")
if edges.height == 0:
    parts.nothing(
        "Nothing to draw",
        "No step of this case's sessions names what it acted on, or the steps are not in the store any more.",
        "Where a log of yours does name targets, a mapped reader can say so: see the README.",
    )
    st.stop()
if not shown.edges:
    parts.nothing(
        "No such edge in this case",
        f"{words.count(edges.height, 'edge is', 'edges are')} of another kind; choose another view.",
    )
    st.stop()

to_steps = [link("replay", session=edge["session_id"], event=edge["event_id"]) for edge in shown.edges]
st.plotly_chart(
    movement_figure(shown, theme.chosen()), theme=None, config={"displayModeBar": False}, key=FIGURE,
    on_select=partial(open_drawn, to_steps), selection_mode="points",
    alt="Identities and targets from left to right as time went, with an arrow for each use. The table below says "
    "the same.",
)  # fmt: skip
rest = edges.height - len(shown.edges)
st.text(
    f"{words.count(len(shown.edges), 'edge', 'edges')} drawn"
    + (f" and {shown.more:,} more of this view (at most {EDGES_DRAWN} are drawn)" if shown.more else "")
    + f"; {rest:,} of the {edges.height:,} edges of these sessions are not. An edge, or a row, leads to its step."
)
frame = pl.DataFrame(shown.edges, schema=edges.schema).with_row_index("number", offset=1)
listing.table(
    frame.with_columns(
        words.when_column("first_at"),
        pl.when(pl.col("place").is_not_null()).then(pl.lit("◆ on the path"))
        .when(pl.col("is_new")).then(pl.lit("new for the agent")).otherwise(pl.lit("known")).alias("is"),
    ),
    {
        "number": listing.number("no.", 44),
        "is": listing.text("what it is", 116),
        "first_at": listing.when("first (UTC)", 170),
        "agent_id": listing.text("agent", 150),
        "actor": listing.text("acting as", 190),
        "tools": listing.text("tools", 220),
        "target": listing.text("target", 230),
        "steps": listing.number("steps", 60),
    },
    key="movement_edges", alt="The edges that are drawn, by their number. A row leads to the step.",
    links={"target": to_steps}, go=st.session_state.pop(CHOSEN, None),
)  # fmt: skip
