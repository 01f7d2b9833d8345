"""Silences: what a person does not want to hear of, until when and why. Append-only, and each one ends."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass
from typing import Any, Final

from detect.people import transaction
from ingest.errors import Trouble

_SPAN: Final = re.compile(r"([1-9]\d{0,4})([mhdw])")
_SECONDS: Final = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}

_ALL: Final = """
select s.*, e.said_at as ended_at, e.said_by as ended_by
from silences s
left join silences_ended e using (silence_id)
order by silence_id
"""


@dataclass(frozen=True)
class Silence:
    """It covers a finding that has all of the fields that are given."""

    silence_id: int
    said_by: str
    why: str
    expires_at: float
    agent: str | None = None
    detector: str | None = None
    case_id: str | None = None
    tool: str | None = None

    def covers(self, finding: dict[str, Any], tool: str | None) -> bool:
        """Whether one finding (a row of `findings`), on a step that used this tool, is silenced."""
        return (
            self.agent in (None, finding["agent_id"])
            and self.detector in (None, finding["detector"])
            and self.case_id in (None, finding["case_id"])
            and self.tool in (None, tool)
        )


def silenced_by(silences: list[Silence], findings: list[dict[str, Any]], tools: dict[str, str | None]) -> list[Silence]:
    """The silences that together cover every finding of a case; none where one finding is left over.

    So a silence of one agent does not hide a case in which another took part.
    """
    found: list[Silence] = []
    for finding in findings:
        covering = [s for s in silences if s.covers(finding, tools.get(finding["event_id"]))]
        if not covering:
            return []
        found.append(covering[0])
    return sorted(set(found), key=lambda silence: silence.silence_id)


def add(
    people: sqlite3.Connection, *, said_at: float, said_by: str, why: str, expires_at: float, **of: str | None
) -> int:
    """Write a silence (`agent`, `detector`, `case_id`, `tool`; at least one). Returns its number."""
    if not any(of.values()):
        raise Trouble("a silence without a field would silence everything; give an agent, detector, case or tool")
    if expires_at <= said_at:
        raise Trouble("a silence must end in the future")
    with transaction(people):
        written = people.execute(
            "insert into silences (said_at, said_by, why, expires_at, agent, detector, case_id, tool)"
            " values (:said_at, :said_by, :why, :expires_at, :agent, :detector, :case_id, :tool)",
            {"agent": None, "detector": None, "case_id": None, "tool": None, **of, "said_at": said_at,
             "said_by": said_by, "why": why, "expires_at": expires_at},
        )  # fmt: skip
    return int(written.lastrowid or 0)


def end(people: sqlite3.Connection, silence_id: int, *, said_at: float, said_by: str) -> bool:
    """End a silence early. False where there is none of this number, or it was ended before."""
    with transaction(people):
        known = people.execute("select 1 from silences where silence_id = ?", (silence_id,)).fetchone()
        if known is None:
            return False
        written = people.execute(
            "insert or ignore into silences_ended values (?, ?, ?)", (silence_id, said_at, said_by)
        )
    return written.rowcount == 1


def all_silences(people: sqlite3.Connection) -> list[dict[str, Any]]:
    """Every silence ever said, with who ended it and when."""
    return [dict(row) for row in people.execute(_ALL)]


def in_force(people: sqlite3.Connection, now: float) -> list[Silence]:
    """The silences that hold now."""
    fields = ("silence_id", "said_by", "why", "expires_at", "agent", "detector", "case_id", "tool")
    return [
        Silence(**{name: row[name] for name in fields})
        for row in all_silences(people)
        if row["ended_at"] is None and row["expires_at"] > now
    ]


def span_s(text: str) -> int:
    """'90m', '8h', '7d' or '2w' in seconds. Raises `ValueError`."""
    found = _SPAN.fullmatch(text.strip())
    if found is None:
        raise ValueError("write it as 90m, 8h, 7d or 2w")
    return int(found.group(1)) * _SECONDS[found.group(2)]
