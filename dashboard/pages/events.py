"""Events: search over every step that was read."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from baseline.capability_table import CAPABILITIES
from dashboard import listing, parts, queries, words
from dashboard.links import link
from dashboard.queries_of_events import PAGE, Search, how_many, moment, search
from dashboard.words import counted

STATUSES = ("any", "ok", "error", "denied", "pending", "unknown")
APPROVALS = ("any", "approved", "denied", "automatic", "pending", "not_recorded", "cannot_record")
CLASSES = ("any", *CAPABILITIES)
FILTERS = ("agent", "in_session", "tool", "text", "status", "capability", "approval", "first", "last")


def from_the_start() -> None:
    """Another question begins with the newest step again."""
    st.query_params.pop("after", None)


def asked(name: str | None) -> str:
    return "" if name in (None, "any") else str(name)


st.title("Events", anchor=False)
bound: dict[str, Any] = {"bind": "query-params", "on_change": from_the_start}
one, two, three, four = st.columns([3, 2, 2, 2], gap="small")
text = one.text_input("Text anywhere in a step", key="text", max_chars=500, **bound)
agent = two.text_input("Agent contains", key="agent", max_chars=200, **bound)
tool = three.text_input("Tool contains", key="tool", max_chars=200, **bound)
session = four.text_input("Session contains", key="in_session", max_chars=500, **bound)
five, six, seven, eight, nine = st.columns(5, gap="small")
status = five.selectbox("Status", STATUSES, key="status", **bound)
capability = six.selectbox("Capability", CLASSES, key="capability", **bound)
approval = seven.selectbox("Approval", APPROVALS, key="approval", **bound)
first = eight.text_input("From (UTC)", key="first", max_chars=40, placeholder="2026-10-21 09:00", **bound)
last = nine.text_input("To (UTC)", key="last", max_chars=40, placeholder="2026-10-22", **bound)

if queries.totals()["steps"] == 0:
    parts.nothing(
        "Nothing has been ingested yet",
        "Point custodiet at your agents' logs:   custodiet ingest LOGS",
    )
    st.stop()
try:
    wanted = Search(
        agent or "", session or "", tool or "", text or "", asked(status), asked(capability), asked(approval),
        moment(first or ""), moment(last or "", end=True),
    )  # fmt: skip
except ValueError:
    parts.nothing("This is no time", "Write a day or a moment, UTC: 2026-10-21, or 2026-10-21 09:00.")
    st.stop()
found = search(wanted, st.query_params.get("after", ""))
if not found.knows_after:
    st.text("The step that this page was to begin after is not in the store; the newest are shown.")
if found.rows.height == 0:
    parts.nothing(
        "No step matches",
        f"{words.count(queries.totals()['steps'], 'step was', 'steps were')} searched. Clear a filter, or shorten the "
        "text: it is looked for as it is written, without regard to case.",
    )
else:
    listing.table(
        found.rows.with_columns(
            words.when_column("ordered_at"),
            words.end_column("source", 20),
            pl.coalesce("tool", "operation").alias("tool"),
            pl.col("approval").map_elements(words.approval_short, return_dtype=pl.String, skip_nulls=False),
        ),
        {
            "ordered_at": listing.when("when (UTC)", 172),
            "agent_id": listing.text("agent", 120),
            "tool": listing.text("tool", 150),
            "target": listing.text("target", 170),
            "status": listing.text("status", 66),
            "approval": listing.text("approval", 96),
            "principal": listing.text("principal", 100),
            "credential_id": listing.text("credential", 100),
            "source": listing.text("file:line", 150),
        },
        key="events",
        alt="The steps that match, the newest first. A row leads to the step in its replay.",
        links={
            "tool": [
                link("replay", session=session, event=event)
                for session, event in found.rows.select("session_id", "event_id").iter_rows()
            ]
        },
        rows=16,
    )
    said, on = st.columns([6, 2])
    said.text(
        f"{found.rows.height:,} of {words.count(how_many(wanted), 'step', 'steps')} that match, the newest first. "
        "A row leads to the step."
    )
    kept = {name: value for name in FILTERS if (value := st.query_params.get(name))}
    if found.more:
        on.page_link(
            "pages/events.py", label=counted(":primary[The next {n} →]", n=PAGE),
            query_params=kept | {"after": found.rows["event_id"][-1]},
        )  # fmt: skip
    if st.query_params.get("after"):
        on.page_link("pages/events.py", label=":primary[From the newest]", query_params=kept)
