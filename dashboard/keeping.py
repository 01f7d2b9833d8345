"""Moments kept as evidence: append-only, with who and when, beside the verdicts."""

from __future__ import annotations

import getpass
import os
import time
from typing import Final

from dashboard import queries
from dashboard.stepper_session import Opened, opened
from detect.notes import note, notes_of

ANALYST: Final = "CUSTODIET_ANALYST"
LONGEST_NOTE: Final = 4_000


def analyst() -> str:
    """Who is at the keyboard: `CUSTODIET_ANALYST`, else this machine's own name for the account."""
    named = os.environ.get(ANALYST, "").strip()
    if named:
        return named
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def keep(session_id: str, step: int, words: str) -> bool:
    """Keep a step of a session with a note; False where there is no such step."""
    session = opened(session_id)
    if session is None or not 1 <= step <= session.last:
        return False
    note(
        queries.data(), by=analyst(), at=time.time(), session_id=session_id,
        event_id=session.steps["event_id"][step - 1], words=words.strip()[:LONGEST_NOTE], is_evidence=True,
    )  # fmt: skip
    return True


def kept(session: Opened) -> list[tuple[int, str]]:
    """The kept steps of a session with their notes, in the order in which they were kept."""
    notes = [said for said in notes_of(queries.data(), session_id=session.session_id) if said.is_evidence]
    places = session.places(said.event_id for said in notes if said.event_id is not None)
    return [(places[said.event_id], said.words) for said in notes if said.event_id in places]
