"""The live benches in their short form: what they print is not timed here, what they lose is nothing."""

from __future__ import annotations

from pathlib import Path

from bench.hostile import measure as hostile
from bench.latency import measure
from bench.soak import soak


def test_everything_that_was_acknowledged_is_stored_and_every_attack_is_told_once(tmp_path: Path) -> None:
    row = measure(tmp_path, seconds=6, rate=200, history=30_000, attacks=1)
    assert row["sent"]
    assert row["refused_requests"] == 0
    assert row["lost_events"] == 0
    assert row["attacks"] == 6
    assert (row["alerts_missing"], row["alerts_doubled"], row["revisions"]) == (0, 0, 0)


def test_a_simulated_hour_loses_nothing(tmp_path: Path) -> None:
    told = soak(tmp_path, hours=1, rate=1)
    assert (told["lost_events"], told["cases_missing"]) == (0, 0)


def test_hostile_clients_cost_an_honest_one_nothing(tmp_path: Path) -> None:
    told = hostile(tmp_path, times=3)
    assert told["accepted"]
    assert (told["lost"], told["stored_of_hostile"], told["is_alive"]) == (0, 0, True)


def test_a_kept_history_is_made_once(tmp_path: Path) -> None:
    for run in ("first", "second"):
        (tmp_path / run).mkdir()
        row = measure(tmp_path / run, seconds=2, rate=200, history=30_000, attacks=1, kept=tmp_path / "kept")
        assert (row["lost_events"], row["alerts_missing"]) == (0, 0)
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["30000"]
