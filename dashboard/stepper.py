"""Stepping through a session. The URL is the only memory of where one stands."""

from __future__ import annotations

import polars as pl
import streamlit as st

from dashboard import parts, queries
from dashboard.card import baseline, card, payloads, reason
from dashboard.queries import Record, Session
from dashboard.words import KINDS, counted, when
from ingest.visible import visible

AROUND = 5


def place(session: Session) -> int:
    """The step that the URL asks for: an event's own place, else a number's.

    The URL is not corrected: that would add a page to the browser's history, and "back" would not lead back.
    """
    event = st.query_params.get("event")
    if event is not None:
        found = session.steps.filter(pl.col("event_id") == event)["step"]
        if found.len():
            return int(found[0])
    return asked_step(st.query_params.get("step"), session.steps.height)


def asked_step(text: str | None, last: int) -> int:
    """The step that a link means: the first where it is no number, the nearest where it is out of range."""
    try:
        number = int(text or "1")
    except ValueError:
        return 1
    return min(max(number, 1), last)


def _go(session_id: str, step: int) -> None:
    st.query_params.from_dict({"session": session_id, "step": str(step)})


def _jump(session_id: str) -> None:
    _go(session_id, int(st.session_state["jump"]))


def _choose(session_id: str, key: str, first: int) -> None:
    row = parts.chosen_row(key)
    if row is not None:
        _go(session_id, first + row)


@st.fragment(key="stepper")
def stepper(session_id: str) -> None:
    """The bar, the step with what stands beside it, and its neighbours."""
    session = queries.session(session_id)
    if session is None:
        st.rerun("app")
    last = session.steps.height
    step = place(session)
    shown: Record = session.steps.row(step - 1, named=True)
    _bar(session_id, session, shown, step, last)
    around, what, why = st.columns([24, 45, 31], gap="small")
    with around:
        _neighbours(session_id, session, step, last)
    with what:
        card(shown)
        payloads(shown)
    with why:
        reason(session, shown)
        baseline(session, shown)


def _bar(session_id: str, session: Session, shown: Record, step: int, last: int) -> None:
    flagged = session.flagged()
    before = [n for n in flagged if n < step]
    after = [n for n in flagged if n > step]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        with st.container(gap=None, width="stretch"):
            st.subheader(counted("Step {step} of {last}", step=step, last=last), anchor=False)
            st.text(f"session {visible(shown['session_id'], 80)}")
        st.button(
            "Previous",
            key="previous",
            shortcut="Left",
            on_click=_go,
            args=(
                session_id,
                step - 1,
            ),
            disabled=step <= 1,
        )
        st.button(
            "Next",
            key="next",
            shortcut="Right",
            on_click=_go,
            args=(
                session_id,
                step + 1,
            ),
            disabled=step >= last,
        )
        st.button("Previous finding", key="previous_finding", shortcut="P", disabled=not before,
                  on_click=_go, args=(session_id, before[-1] if before else step,))  # fmt: skip
        st.button("Next finding", key="next_finding", shortcut="N", disabled=not after,
                  on_click=_go, args=(session_id, after[0] if after else step,))  # fmt: skip
        st.session_state["jump"] = step
        st.number_input(
            "Go to step",
            min_value=1,
            max_value=last,
            step=1,
            key="jump",
            on_change=_jump,
            args=(session_id,),
            width=120,
        )


def _neighbours(session_id: str, session: Session, step: int, last: int) -> None:
    first = max(1, step - AROUND)
    flagged = set(session.flagged())
    around = session.steps.slice(first - 1, min(last, step + AROUND) - first + 1)
    rows = [
        {
            "mark": ("▶" if row["step"] == step else "") + ("◆" if row["step"] in flagged else ""),
            "step": row["step"],
            "what": visible(row["tool"] or KINDS.get(row["kind"], row["kind"]), 60)
            + ("" if row["status"] in ("ok", "unknown") else f" ({row['status']})"),
            "agent": visible(row["agent_id"], 40),
            "at": when(row["ordered_at"])[11:],
        }
        for row in around.to_dicts()
    ]
    key = f"around-{step}"
    parts.table(
        pl.DataFrame(rows),
        {
            "mark": parts.text("", 36),
            "step": parts.number("step", 44),
            "what": parts.text("what", 150),
            "agent": parts.text("agent", 100),
            "at": parts.text("time", 96),
        },
        key=key,
        alt="The steps before and after this one.",
        on_row=lambda: _choose(session_id, key, first),
        rows=11,
    )
    st.caption("▶ here, ◆ finding. Choose a row to go there.")
