"""The Agent page's upper half: what the baseline rests on, what drifted, and what is usual."""

from __future__ import annotations

from typing import Final

import polars as pl
import streamlit as st

from baseline.models.drift import REFERENCE_DAYS
from baseline.profile_parts import Profile
from dashboard import listing, parts, theme
from dashboard.charts_of_agent import days_figure
from dashboard.queries_of_agent import series_of
from ingest.visible import visible

SERIES_DRAWN: Final = 3
_ALWAYS: Final = ("calls a session", "share of failures")


def facts_of(found: Profile) -> None:
    """Everything that is known of the agent without looking at one session."""
    rest = found.rests_on
    st.title("Agent", anchor=False)
    parts.block(visible(found.agent_id))
    newest = found.versions[-1] if found.versions else None
    parts.facts(
        [
            ("Sessions", f"{rest.sessions:,}"),
            ("Calls", f"{rest.calls:,}"),
            ("Days", f"{rest.days:,}: {rest.first_day} to {rest.last_day}" if rest.first_day else "no times"),
            ("History", "enough to judge" if rest.is_enough else "not enough history"),
            ("Versions", f"{len(found.versions):,}, worth {rest.worth:,.0f} sessions"),
            ("Newest version", visible(newest.version or "unnamed", 60) if newest else "–"),
            ("Change window", f"open until {found.change_window.until}" if found.change_window else "closed"),
            ("Judged by", visible(found.peers.said, 200)),
        ]
    )
    if found.change_window:
        st.text("While the change window is open, pure novelty says little; credentials, paths and approvals count.")
    if found.not_enough:
        with st.container(border=True, gap=None):
            st.caption("Not enough history for")
            for lacking in found.not_enough:
                st.text(f"· {visible(lacking)}")
    _drift(found)
    tools, others = st.columns(2, gap="medium")
    with tools:
        _tools(found)
    with others:
        _approvals(found)
    _links(found)


def _drift(found: Profile) -> None:
    st.subheader("Day by day", anchor=False)
    days = series_of(found.agent_id).days
    drifted = {drift.what: drift for drift in found.drift}
    drawn = [what for what in dict.fromkeys([*drifted, *_ALWAYS]) if len(days.get(what, ())) > 1][:SERIES_DRAWN]
    if not drawn:
        st.text(f"Too few days to draw; drift is told from {REFERENCE_DAYS + 1} days on.")
        return
    for number, what in enumerate(drawn):
        moved = drifted.get(what)
        st.text(
            f"{visible(what)}: "
            + (
                f"drift since {moved.since:%Y-%m-%d}, before {moved.before:.3g}, now {moved.now:.3g}"
                if moved
                else "no drift"
            )
        )
        st.plotly_chart(
            days_figure(days[what], found.versions, moved, theme.chosen()), theme=None,
            config={"displayModeBar": False}, key=f"days_{number}",
            alt="One value by day with the band of nine days in ten, and the first days of versions; the line above "
            "and the table below say the same.",
        )  # fmt: skip
    with st.expander("The same as a table"):
        rows = [(what, str(day.day), day.value, int(day.of)) for what in drawn for day in days[what]]
        listing.table(
            pl.DataFrame(rows, schema=["what", "day", "value", "of"], orient="row"),
            {"what": listing.text("what", 300), "day": listing.text("day", 110), "value": listing.text("value", 110),
             "of": listing.number("of")},
            key="days", alt="The values of the figures above, day by day.",
        )  # fmt: skip


def _tools(found: Profile) -> None:
    st.subheader("Tools", anchor=False)
    rows = [
        {"tool": use.tool, "capability": use.capability or "unclassed", "share": use.share,
         "interval": f"{use.low:.0%} to {use.high:.0%}", "peers_share": "–" if use.peers_share is None
         else f"{use.peers_share:.0%}"}
        for use in found.tools
    ]  # fmt: skip
    listing.table(
        pl.DataFrame(rows),
        {
            "tool": listing.text("tool", 190),
            "capability": listing.text("capability", 110),
            "share": listing.axis("of sessions", "The share of the agent's sessions that used it"),
            "interval": listing.text("95 % interval", 100),
            "peers_share": listing.text("peers", 60),
        },
        key="tools", alt="The agent's tools with the share of its sessions that used them, and the peers' share.",
    )  # fmt: skip


def _approvals(found: Profile) -> None:
    st.subheader("Approvals and peers", anchor=False)
    seen = found.approvals
    if not seen.privileged_calls:
        st.text("No privileged call, so no approval to speak of.")
    else:
        st.text(
            f"{seen.share:.0%} of {seen.privileged_calls:,} privileged calls approved "
            f"({seen.low:.0%} to {seen.high:.0%}; {seen.expected:.0%} to be expected)"
        )
        parts.block(
            "\n".join(
                [f"{n:>8,}  {visible(state).replace('_', ' ')}" for state, n in seen.by_state.items()]
                + [f"{n:>8,}  by {visible(name, 80)}" for name, n in seen.by_whom.items()]
                + [f"{n:>8,}  within {visible(within)}" for within, n in seen.latency.items()]
            )
        )
    peers = found.peers
    st.caption("Peers, by like sets of tools")
    st.text(visible(", ".join(peers.agents), 600) if peers.agents else "none")


def _links(found: Profile) -> None:
    rows = [
        {"kind": linked.kind.replace("_", " to "), "distinct": linked.distinct, "of": linked.of,
         "p_new": f"{linked.p_new:.2g}", "usual": ", ".join(f"{name} ({n:,})" for name, n in linked.usual)}
        for linked in found.links
    ]  # fmt: skip
    if not rows:
        return
    st.subheader("Links", anchor=False)
    listing.table(
        pl.DataFrame(rows),
        {
            "kind": listing.text("kind", 120),
            "distinct": listing.number("distinct"),
            "of": listing.number("in calls"),
            "p_new": listing.text("p of a new one", 110),
            "usual": listing.text("the usual ones", 720),
        },
        key="links", alt="Each kind of link: how many there are, how likely the next is new, and the usual ones.",
        lines=3,
    )  # fmt: skip
