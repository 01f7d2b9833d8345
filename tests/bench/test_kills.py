"""The bench of kills in its short form, and that it would notice."""

from __future__ import annotations

from pathlib import Path

from bench.kills import End, Shooting
from ingest.published import editing, empty


def test_some_kills_change_nothing_and_a_lost_case_would_be_noticed(tmp_path: Path) -> None:
    shooting = Shooting(tmp_path, seed=7)
    assert shooting.undisturbed.alerts
    told = shooting.shoot(8)
    assert told.wrong == []
    assert told.kills.total() == 8
    with editing(tmp_path / "undisturbed") as edition:
        edition.replace("cases", empty("cases"))
        edition.publish()
    broken = shooting._end(tmp_path / "undisturbed")
    assert broken.differs_from(shooting.undisturbed)[0] == "cases"


def test_an_alert_that_is_lost_or_new_is_a_difference() -> None:
    assert End({"a": "1"}, ["x"]).differs_from(End({"a": "1"}, ["x", "y"])) == ["alert y lost"]
    assert End({"a": "1"}, ["x", "y"]).differs_from(End({"a": "1"}, ["x"])) == ["alert y is new"]
