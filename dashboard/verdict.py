"""Verdict, owner and notes of a case: saved at once, never changed, each with who and when."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from typing import Any

import streamlit as st

from dashboard import parts, queries
from dashboard.keeping import LONGEST_NOTE, analyst
from dashboard.triage import CLASSIFICATIONS, STATUS, WORDS, day_and_minute, limit
from detect.notes import assign, note, notes_of, owners_now
from detect.verdicts import history, say
from ingest.visible import visible

REFUSED = "verdict_refused"
WORD, UNTIL, NOTE, OWNER, REMARK = "verdict_word", "verdict_until", "verdict_note", "owner_name", "case_note"
EARLIEST, LATEST = date(2000, 1, 1), date(2200, 1, 1)


def verdict_panel(case: dict[str, Any]) -> None:
    """What was said of the case so far, and the forms that add to it."""
    case_id = case["case_id"]
    said = history(queries.data(), case_id)
    now = said[-1].verdict if said else "open"
    owner = owners_now(queries.data()).get(case_id)
    st.subheader("Verdict", anchor=False)
    parts.facts(
        [
            ("Status", STATUS[now]),
            ("Said by", visible(said[-1].said_by) if said else "nobody yet"),
            ("Said at (UTC)", day_and_minute(said[-1].said_at) if said else "–"),
            ("Owner", visible(owner) if owner else "nobody"),
        ]
    )
    closing, owning = st.columns([7, 3], gap="medium")
    with closing.form("verdict_form", clear_on_submit=True):
        word, until = st.columns([2, 1], gap="small")
        word.segmented_control("Classification", CLASSIFICATIONS, format_func=lambda word: WORDS[word], key=WORD)
        until.date_input(
            "Expected until (last day, UTC)", value=None, min_value=EARLIEST, max_value=LATEST, key=UNTIL,
            help="In the time of the logs. Only for what is benign and expected.",
        )  # fmt: skip
        st.text_area("Why", key=NOTE, max_chars=LONGEST_NOTE, height=68)
        st.form_submit_button("Close the case", on_click=_close, args=(case_id,))
    with owning.form("owner_form", clear_on_submit=True):
        st.text_input("New owner", key=OWNER, max_chars=200, help="Empty: you, by the name this session runs under.")
        st.form_submit_button("Assign", on_click=_assign, args=(case_id,))
    if now != "open":
        owning.button("Open the case again", on_click=_reopen, args=(case_id,), key="reopen")
    if owner:
        owning.button("Take the owner away", on_click=_disown, args=(case_id,), key="disown")
    refused = st.session_state.pop(REFUSED, None)
    if refused:
        st.text(f"✖ Not saved: {visible(refused)}")
    if said:
        st.caption("All that was said, the first first")
        parts.block("\n".join(_line(each) for each in said))


def notes_panel(case: dict[str, Any]) -> None:
    """The notes on the case, the moments kept of its sessions, and a place for another note."""
    st.subheader("Notes and evidence", anchor=False)
    entries = notes_of(queries.data(), case_id=case["case_id"])
    for session in sorted(case["sessions"] or []):
        entries += notes_of(queries.data(), session_id=session)
    for each in sorted({entry.note_id: entry for entry in entries}.values(), key=lambda entry: entry.note_id):
        with st.container(border=True, gap=None):
            st.text(
                f"{day_and_minute(each.said_at)} UTC · {visible(each.said_by)} · "
                + ("kept as evidence" if each.is_evidence else "note")
            )
            if each.words:
                st.text(visible(each.words, LONGEST_NOTE, lines=True))
            if each.event_id:
                where = {"event": each.event_id} | ({"session": each.session_id} if each.session_id else {})
                st.page_link("pages/replay.py", label=":primary[To the step]", query_params=where)
    if not entries:
        st.text("None yet. A step is kept as evidence in the replay; a note on the whole case is written here.")
    with st.form("note_form", clear_on_submit=True):
        st.text_area("A note on the case", key=REMARK, max_chars=LONGEST_NOTE, height=68)
        st.form_submit_button("Add the note", on_click=_remark, args=(case["case_id"],))


def _line(said: Any) -> str:
    told = f"{day_and_minute(said.said_at)}  {visible(said.said_by)}: {STATUS[said.verdict]}{limit(said)}"
    return f"{told}  {visible(said.note, LONGEST_NOTE)}" if said.note else told


def _close(case_id: str) -> None:
    word, until = st.session_state[WORD], st.session_state[UNTIL]
    if word not in CLASSIFICATIONS:
        st.session_state[REFUSED] = "closing a case demands a classification; choose one."
        return
    if word == "benign_expected" and until is None:
        st.session_state[REFUSED] = "what is expected is so until a day; choose the last one."
        return
    expires_at = _end_of(until) if word == "benign_expected" else None
    words = st.session_state[NOTE].strip()[:LONGEST_NOTE]
    say(
        queries.data(), queries.connection(), case_id, word, by=analyst(), at=time.time(), note=words,
        expires_at=expires_at,
    )  # fmt: skip


def _reopen(case_id: str) -> None:
    say(queries.data(), queries.connection(), case_id, "open", by=analyst(), at=time.time())


def _assign(case_id: str) -> None:
    assign(queries.data(), case_id, st.session_state[OWNER].strip() or analyst(), by=analyst(), at=time.time())


def _disown(case_id: str) -> None:
    assign(queries.data(), case_id, None, by=analyst(), at=time.time())


def _remark(case_id: str) -> None:
    words = st.session_state[REMARK].strip()[:LONGEST_NOTE]
    if words:
        note(queries.data(), by=analyst(), at=time.time(), case_id=case_id, words=words)


def _end_of(day: date) -> float:
    return (datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)).timestamp()
