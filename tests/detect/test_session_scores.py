"""A session that is unlike its history becomes a case where no detector spoke, and never a loud one."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest
from fleets import Fleet, call

import baseline.scoring.score
from baseline.capability import Capabilities
from detect.cases import SEVERITIES
from detect.run import Detected, detect_in
from detect.session_scores import MOST_LEARNT, score_sessions
from ingest.database import ask, open_published
from ingest.published import editing
from ingest.tables import SESSION_SCORES

LOOK = (call("search_logs", target="siem-1"), call("stop_logging", target="h1"), call("create_ticket"))


def scored(fleet: Fleet, p_of: dict[str, float], tool: str) -> Detected:
    """Detect with these scores published, the step that weighs most being the one of this tool."""
    fleet.judge()
    rows = []
    for session, p in p_of.items():
        (step,) = [s for s in fleet.steps if s.session_id == session and s.tool == tool]
        rows.append(
            {
                "session_id": session, "agent_id": step.agent_id, "day": date(2026, 3, 9), "p": p, "voices": [],
                "event_id": step.event_id, "reasons": ["it did that: 0 of 40 times"], "history": 40, "why": "",
            }
        )  # fmt: skip
    with editing(fleet.data) as edition:
        edition.replace("session_scores", pa.Table.from_pylist(rows, schema=SESSION_SCORES))
        edition.publish()
    return detect_in(fleet.data, Capabilities.load())


@pytest.mark.parametrize(("tool", "most"), [("stop_logging", "medium"), ("create_ticket", "low")])
def test_a_low_score_is_a_case_with_its_reasons_and_no_loud_one(fleet: Fleet, tool: str, most: str) -> None:
    fleet.habit("triage", *LOOK)
    odd = fleet.session("triage", 7, *LOOK)
    (case,) = scored(fleet, {odd: 1e-9}, tool).cases
    assert case.worst.finding.title == "a session unlike its agent's history"
    assert "0 of 40 times" in case.worst.finding.observed and "p = 1e-09" in case.worst.finding.expected
    assert SEVERITIES.index(case.severity) <= SEVERITIES.index(most)
    assert [step.tool for step in case.path] == [tool]


def test_an_ordinary_score_and_an_unknown_one_are_no_case(fleet: Fleet) -> None:
    fleet.habit("triage", *LOOK)
    assert scored(fleet, {"triage-3-0": 0.4}, "stop_logging").cases == []


def test_a_session_with_a_case_of_its_own_gets_no_second_one(fleet: Fleet) -> None:
    fleet.habit("triage", *LOOK)
    odd = fleet.session("triage", 7, *LOOK, call("delete_bucket", target="b1"))
    detected = scored(fleet, {odd: 1e-9}, "delete_bucket")
    assert {f.detector.name for f in detected.found} == {"first_privileged_use"}
    assert len(detected.cases) == 1


def test_a_week_is_scored_by_the_weeks_before_it_without_what_was_flagged(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scorer stands apart (its own tests); here is whom it learns from, and when."""
    learnt: list[list[str]] = []

    class Model:
        def score_all(self, sessions):
            ps = {"low": 0.001}
            return [
                baseline.scoring.score.Score(
                    session_id=s.session_id, p=ps.get(s.session_id, 0.5), odds=0.0, sessions=40
                )
                for s in sessions
            ]

    def fit(sessions):
        learnt.append([s.session_id for s in sessions])
        return Model()

    monkeypatch.setattr(baseline.scoring.score, "fit", fit)
    fleet.habit("triage", *LOOK, days=5, a_day=8)
    fleet.session("triage", 7, *LOOK, name="low")
    fleet.session("triage", 8, *LOOK, call("delete_bucket", target="b1"), name="flagged")
    fleet.session("triage", 9, *LOOK, name="good")
    fleet.session("triage", 14, *LOOK, name="last")
    fleet.session("new", 14, *LOOK, name="too-new")
    fleet.judge()
    assert score_sessions(fleet.data, Capabilities.load()) == 4
    assert [len(names) for names in learnt] == [40, 41]
    assert "good" in learnt[1] and not {"low", "flagged", "last"} & set(learnt[1])
    rows = {r["session_id"]: r for r in ask(open_published(fleet.data), "from session_scores").to_dicts()}
    assert (rows["low"]["p"], rows["low"]["history"]) == (0.001, 40)
    assert rows["too-new"]["p"] is None
    assert rows["too-new"]["why"] == "not enough history: 0 of 20 sessions in the weeks before"
    assert MOST_LEARNT >= 40
