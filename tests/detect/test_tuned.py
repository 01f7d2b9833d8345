"""Rules in the cases of a run, and what people's words change in the runs after."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from fleets import Fleet, call

from baseline.capability import Capabilities
from baseline.fold import fold
from detect.live.warm import warm
from detect.run import Detected, detect_in
from detect.sigma.rules import SHIPPED, Rule, load_rules
from detect.verdicts import say
from ingest.database import open_published

LOOK = (call("search_logs"), call("get_host", target="h1"))


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    fleet = Fleet(tmp_path / "data")
    fleet.habit("triage", *LOOK, days=5, a_day=8)
    return fleet


def judged(fleet: Fleet, rules: list[Rule] | None = None) -> Detected:
    fleet.store()
    capabilities = Capabilities.load()
    fold(fleet.data, capabilities)
    return detect_in(fleet.data, capabilities, rules=rules or ())


def rule(name: str) -> list[Rule]:
    return load_rules([SHIPPED / f"{name}.yml"])


def test_a_rule_alone_makes_a_case_of_its_own_level(fleet: Fleet) -> None:
    fleet.session("triage", 6, *LOOK, call("http_get", target="http://169.254.169.254/latest"), name="odd")
    assert not judged(fleet).cases
    (case,) = judged(fleet, rule("metadata_service_asked")).cases
    assert case.severity == "high"
    assert case.worst.finding.title == "An agent asked the metadata service for credentials"
    assert "T1552.005" in case.worst.detector.techniques
    assert [step.tool for step in case.path] == ["http_get"]


def test_a_rule_joins_the_case_that_a_detector_makes(fleet: Fleet) -> None:
    fleet.session("triage", 6, *LOOK, call("stop_logging", target="trail-1"), name="odd")
    (alone,) = judged(fleet).cases
    (joined,) = judged(fleet, rule("audit_log_switched_off")).cases
    assert joined.case_id == alone.case_id
    assert {f.detector.name for f in joined.found} > {f.detector.name for f in alone.found}


def test_a_rule_that_speaks_every_day_weighs_less_every_day(fleet: Fleet) -> None:
    for day in range(6, 14, 2):
        fleet.session("triage", day, call("http_get", target="http://169.254.169.254/latest"))
    cases = judged(fleet, rule("metadata_service_asked")).cases
    weights = [case.anomaly for case in sorted(cases, key=lambda case: case.path[0].at_ns or 0)]
    assert len(weights) == 4
    assert weights == sorted(weights, reverse=True)
    assert weights[3] < weights[0] / 1.5


def said(fleet: Fleet, case_id: str, word: str, expires_at: float | None = None) -> None:
    say(fleet.data, open_published(fleet.data), case_id, word, by="ana", at=1.0, expires_at=expires_at)  # type: ignore[arg-type]


def test_what_a_person_called_benign_is_no_news_the_next_time_and_its_own_case_stays(fleet: Fleet) -> None:
    fleet.session("triage", 6, *LOOK, call("delete_bucket", target="b1"), name="first")
    (case,) = judged(fleet).cases
    fleet.session("triage", 7, *LOOK, call("delete_bucket", target="b2"), name="second")
    assert {s for c in judged(fleet).cases for s in {f.step.session_id for f in c.found}} == {"first", "second"}
    said(fleet, case.case_id, "false_positive")
    after = judged(fleet)
    assert [c.case_id for c in after.cases] == [case.case_id]
    said(fleet, case.case_id, "open")
    assert len({f.step.session_id for c in judged(fleet).cases for f in c.found}) == 2


def test_a_true_positive_quiets_nothing(fleet: Fleet) -> None:
    fleet.session("triage", 6, *LOOK, call("delete_bucket", target="b1"), name="first")
    (case,) = judged(fleet).cases
    said(fleet, case.case_id, "true_positive")
    fleet.session("triage", 7, *LOOK, call("delete_bucket", target="b2"), name="second")
    assert {f.step.session_id for c in judged(fleet).cases for f in c.found} == {"first", "second"}


def test_what_was_called_benign_is_learnt_from(fleet: Fleet) -> None:
    """Another agent that does the same weeks later is told that a peer does it, once the first was cleared."""
    fleet.session("triage", 6, *LOOK, call("delete_bucket", target="b1"), name="first")
    (case,) = judged(fleet).cases

    def history_of_the_later_day() -> str:
        fleet.session("triage", 9, *LOOK, call("delete_bucket", target="b9"), minute=5, name="later")
        found = [f for f in judged(fleet).found if f.step.session_id == "later"]
        return "; ".join(f.finding.expected for f in found if f.detector.name == "first_privileged_use")

    assert "0 of" in history_of_the_later_day()
    said(fleet, case.case_id, "false_positive")
    assert history_of_the_later_day() == ""


def test_a_live_pipeline_keeps_to_what_was_said(fleet: Fleet) -> None:
    fleet.session("triage", 6, *LOOK, call("delete_bucket", target="b1"), name="first")
    (case,) = judged(fleet).cases
    said(fleet, case.case_id, "false_positive")
    fleet.session("triage", 7, *LOOK, call("delete_bucket", target="b2"), name="second")
    judged(fleet)
    judge, cases = warm(fleet.data, Capabilities.load(), datetime(2026, 3, 20, tzinfo=UTC))
    assert [case_id for case_id, _ in cases.items()] == [case.case_id]
    assert not any(f.step.session_id == "second" for told in judge.found.values() for f in told)
    said(fleet, case.case_id, "open")
    judged(fleet)
    _, cases = warm(fleet.data, Capabilities.load(), datetime(2026, 3, 20, tzinfo=UTC))
    assert len({f.step.session_id for _, one in cases.items() for f in one.found}) == 2
