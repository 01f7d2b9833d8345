"""What a person said of a case: kept for ever, and what it changes in the runs that follow.

Closing a case demands a classification. `false_positive` and `benign_expected` allow its sessions to be learnt from
and keep the same findings quiet, the latter until it expires; `true_positive` never does. Undo is a new entry.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

import duckdb
import pyarrow as pa

from detect.detectors import Shows
from detect.people import is_there, people, transaction
from ingest.database import ask
from ingest.event import identify
from ingest.rows import table_of
from ingest.tables import REVIEWED

Word = Literal["true_positive", "false_positive", "benign_expected", "open"]
WORDS: Final[tuple[Word, ...]] = get_args(Word)
_BENIGN: Final = ("false_positive", "benign_expected")

_COVERED: Final = """
select distinct f.detector, f.agent_id, e.tool, e.target, f.session_id
from findings as f
left join events as e using (event_id)
where f.case_id = $case_id
order by all
"""

_LATEST: Final = """
select *
from verdicts
where verdict_id in (select max(verdict_id) from verdicts group by case_id)
order by case_id
"""

_HISTORY: Final = """
select *
from verdicts
where case_id = ?
order by verdict_id
"""

_COVERS: Final = """
select detector, agent_id, tool, target, session_id, case_id, verdict, said_by, expires_at
from verdicts_cover
join verdicts using (verdict_id)
where verdict_id in (select max(verdict_id) from verdicts group by case_id)
order by verdict_id, detector, agent_id, tool, target, session_id
"""


@dataclass(frozen=True)
class Verdict:
    """One entry. Times are seconds since 1970, UTC; `expires_at` is in the time of the logs."""

    case_id: str
    said_at: float
    said_by: str
    verdict: Word
    note: str
    expires_at: float | None


def say(
    data: Path,
    connection: duckdb.DuckDBPyConnection,
    case_id: str,
    verdict: Word,
    *,
    by: str,
    at: float,
    note: str = "",
    expires_at: float | None = None,
) -> Verdict:
    """Add a verdict on a case, with what it covers. Raises `ValueError` for one that cannot be: nobody's, endless."""
    if verdict not in WORDS:
        raise ValueError(f"{verdict!r}; one of {', '.join(WORDS)}")
    if not by.strip():
        raise ValueError("a verdict has an author; say who")
    if verdict == "benign_expected" and expires_at is None:
        raise ValueError("what is expected is so until a day; say until when")
    covered = ask(connection, _COVERED, case_id=case_id).rows()
    with people(data) as store, transaction(store):
        verdict_id = store.execute(
            "insert into verdicts (case_id, said_at, said_by, verdict, note, expires_at) values (?, ?, ?, ?, ?, ?)",
            (case_id, at, by.strip(), verdict, note, expires_at),
        ).lastrowid
        store.executemany(
            "insert into verdicts_cover values (?, ?, ?, ?, ?, ?)", [(verdict_id, *row) for row in covered]
        )
    return Verdict(case_id, at, by.strip(), verdict, note, expires_at)


def closed_now(data: Path) -> dict[str, Verdict]:
    """The cases that a word has closed."""
    return {case_id: said for case_id, said in verdicts_now(data).items() if said.verdict != "open"}


def verdicts_now(data: Path) -> dict[str, Verdict]:
    """The verdict that holds, by case; cases of which nothing was said are not in it."""
    if not is_there(data):
        return {}
    with people(data) as store:
        return {row["case_id"]: _verdict(row) for row in store.execute(_LATEST)}


def history(data: Path, case_id: str) -> list[Verdict]:
    """All that was said of a case, the first first."""
    if not is_there(data):
        return []
    with people(data) as store:
        return [_verdict(row) for row in store.execute(_HISTORY, (case_id,))]


def _verdict(row: sqlite3.Row) -> Verdict:
    return Verdict(*(row[name] for name in Verdict.__dataclass_fields__))


_Covered = tuple[str, str, str | None, str | None, str, str, str, str, float | None]
"""(detector, agent_id, tool, target, session_id, case_id, verdict, said_by, expires_at): a row of `_COVERS`."""


class Tuning:
    """What the verdicts so far change. `quiet` is asked of every finding, `learnable` of every flagged session."""

    def __init__(self, rows: Iterable[_Covered]) -> None:
        self._same_target: dict[tuple[str | None, ...], tuple[float, str]] = {}
        self._any_target: dict[tuple[str | None, ...], tuple[float, str]] = {}
        self._learnable: set[str] = set()
        self._never: set[str] = set()
        for detector, agent_id, tool, target, session_id, case_id, verdict, said_by, expires_at in rows:
            if verdict == "true_positive":
                self._never.add(session_id)
            if verdict not in _BENIGN:
                continue
            self._learnable.add(session_id)
            said = (
                math.inf if expires_at is None else expires_at * 1e9,
                f"{verdict.replace('_', ' ')} by {said_by} (case {case_id[:12]})",
            )
            for held, key in (
                (self._same_target, (detector, agent_id, tool, target)),
                (self._any_target, (detector, agent_id, tool)),
            ):
                held[key] = max(said, held.get(key, said))

    def quiet(
        self, detector: str, shows: Shows, agent_id: str, tool: str | None, target: str | None, at_ns: int | None
    ) -> str | None:
        """Who said that this finding is no news, or None.

        A finding of movement stays quiet for the same target alone: what one person once expected must not open
        every other door. Novelty and support stay quiet for the agent's use of the tool.
        """
        if shows == "movement":
            said = self._same_target.get((detector, agent_id, tool, target))
        else:
            said = self._any_target.get((detector, agent_id, tool))
        if said is None:
            return None
        until, told = said
        return told if until == math.inf or (at_ns is not None and at_ns < until) else None

    def is_told_of(self, session_id: str) -> bool:
        """Whether a benign word was said of this session itself: its case stays where it is, closed."""
        return session_id in self._learnable

    @property
    def never(self) -> frozenset[str]:
        """Sessions of a case that a person called an attack: nothing is learnt from them, whatever is found in them."""
        return frozenset(self._never)

    def reviewed(self) -> pa.Table:
        """The sessions that people reviewed, as the table `reviewed` has them."""
        told = {**dict.fromkeys(self._learnable, True), **dict.fromkeys(self._never, False)}
        rows = [{"session_id": session_id, "is_benign": told[session_id]} for session_id in sorted(told)]
        return table_of(rows, REVIEWED)

    def digest(self) -> str:
        """Equal for tunings that let the same sessions be learnt from."""
        return identify("tuning", *sorted(self._learnable - self._never), "", *sorted(self._never))

    def learnable(self, session_id: str) -> bool:
        """Whether people called every case of this flagged session benign, so that it may be learnt from."""
        return session_id in self._learnable and session_id not in self._never


def tuning_of(data: Path) -> Tuning:
    """The tuning that the verdicts of a data directory make."""
    if not is_there(data):
        return Tuning(())
    with people(data) as store:
        return Tuning([tuple(row) for row in store.execute(_COVERS)])
