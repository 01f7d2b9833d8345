"""What people write of cases and steps, and who looks after a case: append-only, who and when."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from detect.people import is_there, people

_OWNERS: Final = """
select case_id, owner
from owners
where owner_id in (select max(owner_id) from owners group by case_id) and owner is not null
order by case_id
"""

_BY_CASE: Final = """
select *
from notes
where case_id = ?
order by note_id
"""

_BY_SESSION: Final = """
select *
from notes
where session_id = ?
order by note_id
"""


@dataclass(frozen=True)
class Note:
    """One entry. `said_at` is in seconds since 1970, UTC; a step that is kept as evidence may have no words."""

    note_id: int
    said_at: float
    said_by: str
    case_id: str | None
    session_id: str | None
    event_id: str | None
    words: str
    is_evidence: bool


def note(
    data: Path,
    *,
    by: str,
    at: float,
    case_id: str | None = None,
    session_id: str | None = None,
    event_id: str | None = None,
    words: str = "",
    is_evidence: bool = False,
) -> int:
    """Add a note; its number. Raises `ValueError` where it has no author, or nothing it is about."""
    if not by.strip():
        raise ValueError("a note has an author; say who")
    if not (case_id or session_id or event_id):
        raise ValueError("a note is about a case, a session or a step")
    with people(data) as store:
        added = store.execute(
            "insert into notes (said_at, said_by, case_id, session_id, event_id, words, is_evidence)"
            " values (?, ?, ?, ?, ?, ?, ?)",
            (at, by.strip(), case_id, session_id, event_id, words, is_evidence),
        )
        return added.lastrowid or 0


def notes_of(data: Path, *, case_id: str | None = None, session_id: str | None = None) -> list[Note]:
    """The notes on a case, or on a session, the first first."""
    if not is_there(data):
        return []
    sql, value = (_BY_CASE, case_id) if case_id is not None else (_BY_SESSION, session_id)
    with people(data) as store:
        rows = store.execute(sql, (value,)).fetchall()
    return [Note(**(dict(row) | {"is_evidence": bool(row["is_evidence"])})) for row in rows]


def assign(data: Path, case_id: str, owner: str | None, *, by: str, at: float) -> None:
    """Say who looks after a case from now on; None: nobody."""
    if not by.strip():
        raise ValueError("say who assigns it")
    with people(data) as store:
        store.execute(
            "insert into owners (case_id, said_at, said_by, owner) values (?, ?, ?, ?)",
            (case_id, at, by.strip(), owner),
        )


def owners_now(data: Path) -> dict[str, str]:
    """Who looks after which case."""
    if not is_there(data):
        return {}
    with people(data) as store:
        return {row["case_id"]: row["owner"] for row in store.execute(_OWNERS)}
