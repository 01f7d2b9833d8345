"""A session that is unlike its history becomes a case where no detector spoke, and never a loud one."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from fleets import Fleet, call
from typer.testing import CliRunner

import baseline.scoring.score
import custodiet
from baseline.capability import Capabilities
from detect.cases import SEVERITIES
from detect.run import Detected, detect_in
from detect.session_scores import MOST_LEARNT, score_sessions
from detect.verdicts import say
from ingest.database import ask, open_published
from ingest.published import editing, published
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


class Scorer:
    """Stands in for the scorer, which has tests of its own: here is whom it learns from, whom it scores, and when."""

    def __init__(self) -> None:
        self.learnt: list[list[str]] = []
        self.judged: list[list[str]] = []
        self.low = {"low"}

    def fit(self, sessions):
        self.learnt.append([s.session_id for s in sessions])
        return self

    def score_all(self, sessions):
        self.judged.append([s.session_id for s in sessions])
        return [
            baseline.scoring.score.Score(
                session_id=s.session_id, p=0.001 if s.session_id in self.low else 0.5, odds=0.0, sessions=40
            )
            for s in sessions
        ]


@pytest.fixture
def scorer(monkeypatch: pytest.MonkeyPatch) -> Scorer:
    found = Scorer()
    monkeypatch.setattr(baseline.scoring.score, "fit", found.fit)
    return found


def published_scores(fleet: Fleet) -> dict[str, dict[str, object]]:
    return {r["session_id"]: r for r in ask(open_published(fleet.data), "from session_scores").to_dicts()}


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


def test_a_week_is_scored_by_the_weeks_before_it_without_what_was_flagged(fleet: Fleet, scorer: Scorer) -> None:
    fleet.habit("triage", *LOOK, days=5, a_day=8)
    fleet.session("triage", 7, *LOOK, name="low")
    fleet.session("triage", 8, *LOOK, call("delete_bucket", target="b1"), name="flagged")
    fleet.session("triage", 9, *LOOK, name="good")
    fleet.session("triage", 14, *LOOK, name="last")
    fleet.session("new", 14, *LOOK, name="too-new")
    fleet.judge()
    assert score_sessions(fleet.data, Capabilities.load()) == 4
    assert [len(names) for names in scorer.learnt] == [40, 41]
    assert "good" in scorer.learnt[1] and not {"low", "flagged", "last"} & set(scorer.learnt[1])
    rows = published_scores(fleet)
    assert (rows["low"]["p"], rows["low"]["history"]) == (0.001, 40)
    assert rows["too-new"]["p"] is None
    assert rows["too-new"]["why"] == "not enough history: 0 of 20 sessions in the weeks before"
    assert MOST_LEARNT >= 40


def test_only_new_and_changed_sessions_are_scored_and_the_table_is_as_if_all_were(fleet: Fleet, scorer: Scorer) -> None:
    fleet.habit("triage", *LOOK, days=5, a_day=8)
    fleet.session("triage", 7, *LOOK, name="one")
    fleet.judge()
    score_sessions(fleet.data, Capabilities.load())
    first = published(fleet.data)
    assert score_sessions(fleet.data, Capabilities.load()) == 1
    assert scorer.judged == [["one"]] and published(fleet.data) == first
    fleet.session("triage", 8, *LOOK, name="two")
    fleet.judge()
    assert score_sessions(fleet.data, Capabilities.load()) == 2
    assert scorer.judged[1:] == [["two"]] and scorer.learnt[0] == scorer.learnt[1]
    at_once = published_scores(fleet)
    with editing(fleet.data) as edition:
        edition.replace("session_scores")
        edition.publish()
    score_sessions(fleet.data, Capabilities.load())
    assert scorer.judged[2:] == [["one", "two"]] and published_scores(fleet) == at_once
    (step,) = [s for s in fleet.steps if s.session_id == "two" and s.tool == "stop_logging"]
    step.result = "another answer, told late"
    fleet.judge()
    score_sessions(fleet.data, Capabilities.load())
    assert scorer.judged[3:] == [["two"]]


def test_a_session_that_learns_from_another_past_is_scored_again(fleet: Fleet, scorer: Scorer) -> None:
    fleet.habit("triage", *LOOK, days=5, a_day=8)
    fleet.session("triage", 7, *LOOK, name="next")
    fleet.judge()
    score_sessions(fleet.data, Capabilities.load())
    fleet.session("triage", 4, *LOOK, minute=500, name="late-export")
    fleet.judge()
    score_sessions(fleet.data, Capabilities.load())
    assert scorer.judged == [["next"], ["next"]] and set(scorer.learnt[1]) - set(scorer.learnt[0]) == {"late-export"}


def test_what_people_called_benign_is_learnt_from(fleet: Fleet, scorer: Scorer) -> None:
    fleet.habit("triage", *LOOK, days=5, a_day=8)
    fleet.session("triage", 8, *LOOK, call("delete_bucket", target="b1"), name="flagged")
    fleet.session("triage", 14, *LOOK, name="last")
    (case,) = fleet.judge().cases
    score_sessions(fleet.data, Capabilities.load())
    assert "flagged" not in scorer.learnt[-1]
    say(fleet.data, open_published(fleet.data), case.case_id, "false_positive", by="ana", at=1.0)
    score_sessions(fleet.data, Capabilities.load())
    assert "flagged" in scorer.learnt[-1] and len(scorer.learnt) == 3


@pytest.mark.parametrize("on", [True, False])
def test_a_run_scores_sessions_where_the_settings_say_so(
    fleet: Fleet, scorer: Scorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on: bool
) -> None:
    fleet.habit("triage", *LOOK, days=5, a_day=8)
    fleet.session("triage", 7, *LOOK, name="low")
    fleet.session("triage", 8, *LOOK, call("delete_bucket", target="b1"), name="flagged")
    fleet.session("triage", 14, *LOOK, name="last")
    fleet.store()
    monkeypatch.setenv("CUSTODIET_DETECT__SCORE_SESSIONS", str(on).lower())
    logs = tmp_path / "logs"
    logs.mkdir()
    told = CliRunner().invoke(custodiet.app, ["run", str(logs), "--data", str(fleet.data)])
    assert told.exit_code == 0, told.output
    assert ("low" in published_scores(fleet)) is on
    if on:
        assert "flagged" not in scorer.learnt[-1]
