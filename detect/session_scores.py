"""Whole sessions scored by day, and the cases of those that are unlike their agent's history.

A week is scored by a model of the sessions before it; sessions of a case, or with a low score that nobody reviewed, are
no part of that model. A score raises a case only where no detector did.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb
import msgspec
import polars as pl

from baseline.capability import Capabilities
from baseline.fold import classify_tools
from baseline.history import LEAST_SESSIONS
from detect.cases import Found
from detect.detectors import Detector, Finding
from detect.step import Step, steps_of
from ingest.database import ask, ask_in_parts, open_published
from ingest.event import Observation
from ingest.published import editing
from ingest.tables import SESSION_SCORES

if TYPE_CHECKING:
    from baseline.scoring.score import Score
    from baseline.scoring.sessions import Session

MOST_OFFERED: Final = 0.01
"""The largest p that becomes a case; which of those are raised is the budget's. Also what is not learnt from."""
MOST_LEARNT: Final = 300
"""Sessions of an agent that a model is made of, the latest: more cost without telling more of what is normal now."""
_CLAIMED: Final = 0.5
"""Being unlike its history is one property of an attack: half of the evidence, as for every novelty."""
_LITTLE: Final = 0.05
"""The impact of a session in which nothing privileged was done: low at most."""
_ROWS_AT_ONCE: Final = 50_000

_EVENTS: Final = """
select
    session_id, coalesce(agent_id, '') as agent_id,
    cast(min(ordered_at) over (partition by session_id, coalesce(agent_id, '')) as date) as day,
    event_id, trace_id, kind, operation, tool, arguments, result, status, error
from events
where kind in ('message', 'tool_call', 'handoff')
order by day nulls first, session_id, agent_id, ordered_at nulls first, trace_id, sequence nulls first, depth,
    kind_rank, event_id
"""

_FLAGGED: Final = "select distinct unnest(sessions) as session_id from cases order by session_id"

_LOW: Final = """
select session_id, p, event_id, reasons, history
from session_scores
where p <= $most and event_id is not null
order by p, session_id, agent_id
"""


class _Dated(msgspec.Struct):
    """A session with its day."""

    day: date
    session: Any


def score_sessions(data: Path, capabilities: Capabilities) -> int:
    """Score every dated session by those of earlier weeks, and publish `session_scores`. Returns how many have a p."""
    with editing(data) as edition:
        connection = open_published(data)
        classify_tools(connection, capabilities)
        flagged = set(ask(connection, _FLAGGED).get_column("session_id").to_list())
        scores = list(_scored(list(_sessions(connection)), flagged))
        connection.close()
        rows = [_row(dated.day, dated.session.agent_id, score) for dated, score in scores]
        table = pl.DataFrame(rows, schema=dict.fromkeys(SESSION_SCORES.names), infer_schema_length=None)
        edition.replace("session_scores", table.to_arrow().cast(SESSION_SCORES))
        edition.publish()
        return sum(score.p is not None for _, score in scores)


def _sessions(connection: duckdb.DuckDBPyConnection) -> Iterator[_Dated]:
    """The sessions of each agent that have a time, by day."""
    from baseline.scoring.sessions import session_of

    rows = (row for part in ask_in_parts(connection.cursor(), _EVENTS, _ROWS_AT_ONCE) for row in part.iter_rows())
    for (session_id, agent, day), of_session in groupby(rows, key=lambda row: row[:3]):
        events = [
            Observation(
                event_id=row[3], trace_id=row[4], kind=row[5], operation=row[6], tool=row[7], arguments=row[8],
                result=row[9], status=row[10], error=row[11],
            )
            for row in of_session
        ]  # fmt: skip
        if day is not None:
            yield _Dated(day, session_of(session_id, agent, events))


def _scored(dated: Sequence[_Dated], flagged: set[str]) -> Iterator[tuple[_Dated, Score]]:
    """Each session with its score, a week at a time; what scores low is not learnt from in later weeks."""
    from baseline.scoring.orders import NO_CHANGE
    from baseline.scoring.score import Score, fit

    learnt: dict[str, list[Session]] = {}
    for _, of_week in groupby(dated, key=lambda d: d.day - timedelta(days=d.day.weekday())):
        week = list(of_week)
        known = {agent: mine[-MOST_LEARNT:] for agent, mine in learnt.items() if len(mine) >= LEAST_SESSIONS}
        judged = [d for d in week if d.session.agent_id in known]
        by_session: dict[tuple[str, str], Score] = {}
        if judged:
            model = fit([session for agent in sorted(known) for session in known[agent]])
            for d, score in zip(judged, model.score_all([d.session for d in judged]), strict=True):
                by_session[d.session.session_id, d.session.agent_id] = score
        for d in week:
            found = by_session.get((d.session.session_id, d.session.agent_id))
            seen = len(learnt.get(d.session.agent_id, ()))
            why = f"not enough history: {seen} of {LEAST_SESSIONS} sessions in the weeks before"
            unknown = Score(session_id=d.session.session_id, p=None, odds=NO_CHANGE, sessions=seen, why=why)
            yield d, found or unknown
        for d in week:
            found = by_session.get((d.session.session_id, d.session.agent_id))
            is_low = found is not None and found.p is not None and found.p <= MOST_OFFERED
            if d.session.session_id not in flagged and not is_low:
                learnt.setdefault(d.session.agent_id, []).append(d.session)


def _row(day: date, agent: str, score: Score) -> dict[str, object]:
    top = score.top_step if score.p is not None else None
    low = score.p is not None and score.p <= MOST_OFFERED
    return {
        "session_id": score.session_id,
        "agent_id": agent,
        "day": day,
        "p": score.p,
        "voices": [f"{voice} {p:.3g}" for voice, p in score.p_by_voice.items()],
        "event_id": None if top is None else top.event_id,
        "reasons": [f"{r.observed}: {r.expected}" for r in score.reasons] if low else [],
        "history": score.sessions,
        "why": score.why,
    }


UNLIKE_ITS_HISTORY: Final = Detector(
    "unlike_its_history",
    "The session as a whole is unlike the agent's earlier ones.",
    lambda step, facts, history: None,
    needs=(),
    techniques=("AML.T0053",),
    shows="novelty",
)
"""What a low score is as a finding: it is not asked of steps, so it is none of the plug-ins."""


def found_by_score(connection: duckdb.DuckDBPyConnection, found: Sequence[Found]) -> list[Found]:
    """A finding for every low score of a session of which no detector raised anything."""
    raised = {step.session_id for f in found if f.detector.raises_case for step in f.finding.path}
    low = [row for row in ask(connection, _LOW, most=MOST_OFFERED).to_dicts() if row["session_id"] not in raised]
    steps = steps_of(connection, [row["event_id"] for row in low])
    return [_found(row, steps[row["event_id"]]) for row in low if row["event_id"] in steps]


def _found(row: dict[str, Any], step: Step) -> Found:
    finding = Finding(
        title="a session unlike its agent's history",
        observed="; ".join(row["reasons"][:1]) or f"the whole session, most of all {step.tool}",
        expected=f"one session in {1 / row['p']:,.0f} of its history is as odd (p = {row['p']:.2g}; "
        f"{row['history']:,} sessions); " + "; ".join(row["reasons"][1:]),
        anomaly=1 - row["p"],
        path=(step,),
        impact=0.0 if step.is_privileged else _LITTLE,
    )
    return Found(UNLIKE_ITS_HISTORY, step, finding, evidence=-math.log10(row["p"]) * _CLAIMED)
