"""Who feeds an agent a little every day is never part of what is normal for it."""

from __future__ import annotations

import pytest
from fleets import Fleet, call

from baseline.profiles import profiles
from detect.learning import Learning
from detect.run import Detected
from ingest.database import open_published

OWN = "AKIAOWN0000000000001"
LOOK = (call("search_logs", target="siem-1"), call("stop_logging", target="h1", credential_id=OWN))
A_DAY = 20
LAST = 21


def fed(fleet: Fleet, *poison: dict[str, object]) -> None:
    """A week of habit, then two weeks in which one session of twenty is the attacker's, and then his day."""
    for day in range(LAST):
        for minute in range(A_DAY):
            is_his = day >= 7 and minute == 11
            fleet.session("triage", day, *LOOK, *(poison if is_his else ()), minute=minute)
    fleet.session("triage", LAST, *LOOK, *poison, name="his-day")


def found_on_his_day(detected: Detected) -> list[str]:
    return sorted(f.detector.name for f in detected.found if f.step.session_id == "his-day" and f.raises_case)


POISONS = {
    "first_privileged_use": (call("delete_bucket", target="b1"),),
    "credential_switch_then_new_reach": (call("stop_logging", target="h9", credential_id="AKIAFOREIGN000000001"),),
}


def poisoned(fleet: Fleet, name: str) -> None:
    fed(fleet, *POISONS[name])


@pytest.mark.parametrize("name", POISONS)
def test_two_weeks_of_one_session_in_twenty_do_not_silence_the_detection(fleet: Fleet, name: str) -> None:
    poisoned(fleet, name)
    assert name in found_on_his_day(fleet.judge())


@pytest.mark.parametrize("name", POISONS)
def test_without_the_protection_they_would(fleet: Fleet, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Learning, "unlearn", lambda *_: None)
    poisoned(fleet, name)
    assert found_on_his_day(fleet.judge()) == []


def test_what_is_too_slight_for_a_case_is_told_as_drift(fleet: Fleet) -> None:
    """A read that takes over, one session more each day: no rule asks about reads, the baseline says it moved."""
    for day in range(24):
        for minute in range(A_DAY):
            extra = (call("list_secrets_metadata"),) if minute < 2 + max(0, day - 8) else ()
            fleet.session("triage", day, *LOOK, *extra, minute=minute)
    assert not fleet.judge().cases
    (row,) = profiles(open_published(fleet.data)).to_dicts()
    assert [text for text in row["drift"] if "list_secrets_metadata" in text]
