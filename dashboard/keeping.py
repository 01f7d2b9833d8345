"""Moments kept as evidence, with a note. They last as long as the browser's session."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

LONGEST_NOTE: Final = 4_000
_KEY: Final = "kept_moments"


def keep(session_id: str, step: int, note: str) -> None:
    """Keep one step of a session; a second time replaces its note."""
    moments: dict[tuple[str, int], str] = st.session_state.setdefault(_KEY, {})
    moments[session_id, step] = note[:LONGEST_NOTE]


def kept(session_id: str) -> list[dict[str, Any]]:
    """The kept moments of a session in the order of its steps."""
    moments: dict[tuple[str, int], str] = st.session_state.get(_KEY, {})
    return [{"step": step, "note": note} for (session, step), note in sorted(moments.items()) if session == session_id]
