"""Whole sessions scored by day, and the cases of those that are unlike their agent's history.

A week is scored by a model of the sessions before it; sessions of a case, or with a low score that nobody reviewed, are
no part of that model. A score raises a case only where no detector did. A session is scored once: a score stands as
long as the session and all that its model learnt from are the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from datetime import timedelta
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb
import polars as pl

from baseline.capability import Capabilities
from baseline.fold import classify_tools
from baseline.history import LEAST_SESSIONS
from detect.cases import Found
from detect.continuing import code_version
from detect.detectors import Detector, Finding
from detect.step import Step, steps_of
from detect.told_sessions import Key, Told, each_held, told_sessions
from detect.verdicts import tuning_of
from ingest.database import ask, open_published
from ingest.event import identify
from ingest.published import editing
from ingest.tables import SESSION_SCORES

if TYPE_CHECKING:
    from baseline.scoring.score import Score

MOST_OFFERED: Final = 0.01
"""The largest p that becomes a case; which of those are raised is the budget's. Also what is not learnt from."""
MOST_LEARNT: Final = 300
"""Sessions of an agent that a model is made of, the latest: more cost without telling more of what is normal now."""
_SCORED_AT_ONCE: Final = 1000
"""Sessions: enough that what a batch costs is spread thin."""
_CLAIMED: Final = 0.5
"""Being unlike its history is one property of an attack: half of the evidence, as for every novelty."""
_LITTLE: Final = 0.25
"""The impact of a session in which nothing privileged was done: low at most."""

_FLAGGED: Final = "select distinct unnest(sessions) as session_id from cases order by session_id"

_LOW: Final = """
select session_id, p, event_id, reasons, history
from session_scores
where p <= $most and event_id is not null
order by p, session_id, agent_id
"""

_Row = Mapping[str, Any]
"""A row of `session_scores`."""


def score_sessions(data: Path, capabilities: Capabilities) -> int:
    """Score every dated session by those of earlier weeks, and publish `session_scores`. Returns how many have a p.

    Only what is new or rests on another history is scored; the others keep their row.
    """
    tuning = tuning_of(data)
    with editing(data) as edition:
        connection = open_published(data)
        classify_tools(connection, capabilities)
        flagged = {row[0] for row in ask(connection, _FLAGGED).iter_rows() if not tuning.learnable(row[0])}
        before = {
            (row["session_id"], row["agent_id"]): row for row in ask(connection, "from session_scores").to_dicts()
        }

        def may_learn(told: Told, p: float | None) -> bool:
            is_low = p is not None and p <= MOST_OFFERED
            return told.session_id not in flagged and (not is_low or tuning.learnable(told.session_id))

        rows = list(_scored(connection, before, may_learn))
        connection.close()
        if {(r["session_id"], r["agent_id"]): r["rests_on"] for r in rows} != {
            k: r["rests_on"] for k, r in before.items()
        }:
            table = pl.DataFrame(rows, schema=dict.fromkeys(SESSION_SCORES.names), infer_schema_length=None)
            edition.replace("session_scores", table.to_arrow().cast(SESSION_SCORES))
            edition.publish()
        return sum(row["p"] is not None for row in rows)


def _scored(
    connection: duckdb.DuckDBPyConnection, before: Mapping[Key, _Row], may_learn: Callable[[Told, float | None], bool]
) -> Iterator[_Row]:
    """The row of each session, a week at a time; what scores low is not learnt from in later weeks."""
    learnt: dict[str, list[Told]] = {}
    for _, of_week in groupby(told_sessions(connection), key=lambda t: t.day - timedelta(days=t.day.weekday())):
        week = list(of_week)
        known = [t for agent in sorted(learnt) for t in learnt[agent][-MOST_LEARNT:] if _is_enough(learnt[agent])]
        rows = _rows_of(connection, week, known, {a: len(mine) for a, mine in learnt.items()}, before)
        yield from rows
        for told, row in zip(week, rows, strict=True):
            if may_learn(told, row["p"]):
                learnt.setdefault(told.agent_id, []).append(told)


def _is_enough(sessions: Sequence[Told]) -> bool:
    return len(sessions) >= LEAST_SESSIONS


def _rows_of(
    connection: duckdb.DuckDBPyConnection,
    week: Sequence[Told],
    known: Sequence[Told],
    seen: Mapping[str, int],
    before: Mapping[Key, _Row],
) -> list[_Row]:
    """The rows of a week's sessions, given what is learnt from."""
    from baseline.scoring.orders import NO_CHANGE
    from baseline.scoring.score import Score

    model = identify("model", code_version(), *(part for t in known for part in (*t.key, t.digest)))
    agents = {t.agent_id for t in known}
    rests_on = {
        t.key: identify(model, t.digest) if t.agent_id in agents else identify(t.digest, seen.get(t.agent_id, 0))
        for t in week
    }
    stale = [t for t in week if t.key not in before or before[t.key]["rests_on"] != rests_on[t.key]]
    found = {t.key: before[t.key] for t in week if t.key in before}
    by_key = {t.key: t for t in stale}
    for key, score in _scores(connection, [t for t in stale if t.agent_id in agents], known):
        found[key] = _row(by_key.pop(key), score, rests_on[key])
    for told in by_key.values():
        history = seen.get(told.agent_id, 0)
        why = f"not enough history: {history} of {LEAST_SESSIONS} sessions in the weeks before"
        unknown = Score(session_id=told.session_id, p=None, odds=NO_CHANGE, sessions=history, why=why)
        found[told.key] = _row(told, unknown, rests_on[told.key])
    return [found[t.key] for t in week]


def _scores(
    connection: duckdb.DuckDBPyConnection, judged: Sequence[Told], known: Sequence[Told]
) -> Iterator[tuple[Key, Score]]:
    """The scores of some sessions by a model of others, by session and agent; some hundred are held at a time."""
    from baseline.scoring.score import fit

    if not judged:
        return
    held = dict(each_held(connection, known))
    model = fit([held[t.key] for t in known])
    held.clear()
    waiting = each_held(connection, judged)
    while some := list(islice(waiting, _SCORED_AT_ONCE)):
        scores = model.score_all([session for _, session in some])
        yield from ((key, score) for (key, _), score in zip(some, scores, strict=True))


def _row(told: Told, score: Score, rests_on: str) -> _Row:
    top = score.top_step if score.p is not None else None
    told_why = score.explain() if score.p is not None and score.p <= MOST_OFFERED else None
    return {
        "session_id": told.session_id,
        "agent_id": told.agent_id,
        "day": told.day,
        "p": score.p,
        "voices": [f"{voice} {p:.3g}" for voice, p in score.p_by_voice.items()],
        "event_id": None if top is None else top.event_id,
        "reasons": [f"{r.observed}: {r.expected}" for r in told_why.reasons] if told_why else [],
        "nearest": told_why.nearest if told_why else None,
        "history": score.sessions,
        "why": score.why,
        "rests_on": rests_on,
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


def found_by_score(connection: duckdb.DuckDBPyConnection, raised: Set[str]) -> list[Found]:
    """A finding for every low score of a session that is not among the `raised`, of which something else speaks."""
    low = [row for row in ask(connection, _LOW, most=MOST_OFFERED).to_dicts() if row["session_id"] not in raised]
    steps = steps_of(connection, [row["event_id"] for row in low]) if low else {}
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
