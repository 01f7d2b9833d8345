"""Verdicts, owners and notes: saved at once, kept for ever, demanded whole."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from opening import opened, rows_in, said, tables

from detect.notes import notes_of, owners_now
from detect.verdicts import history


@pytest.fixture
def mine(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of its own, with a known analyst."""
    monkeypatch.setenv("CUSTODIET_ANALYST", "anna.k")
    return Path(shutil.copytree(filled, tmp_path / "mine"))


def press(at: object, label: str) -> None:
    next(button for button in at.button if button.label == label).click()  # type: ignore[attr-defined]
    at.run()  # type: ignore[attr-defined]


def test_closing_demands_a_classification(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = opened(mine, monkeypatch, "case", case="case-0001")
    press(at, "Close the case")
    assert "Not saved: closing a case demands a classification" in said(at)
    assert history(mine, "case-0001") == []


def test_what_is_expected_is_so_until_a_day(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = opened(mine, monkeypatch, "case", case="case-0001")
    at.segmented_control(key="verdict_word").set_value("benign_expected")
    press(at, "Close the case")
    assert "Not saved: what is expected is so until a day" in said(at)
    at.segmented_control(key="verdict_word").set_value("benign_expected")
    at.date_input(key="verdict_until").set_value(date(2026, 10, 31))
    press(at, "Close the case")
    (kept,) = history(mine, "case-0001")
    assert kept.expires_at == datetime(2026, 11, 1, tzinfo=UTC).timestamp()
    assert "benign, expected until 2026-10-31" in said(at)


def test_a_verdict_survives_a_reload_and_undo_is_a_new_entry(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = opened(mine, monkeypatch, "case", case="case-0001")
    at.segmented_control(key="verdict_word").set_value("true_positive")
    at.text_area(key="verdict_note").set_value("the key was stolen")
    press(at, "Close the case")
    again = opened(mine, monkeypatch, "case", case="case-0001")
    assert "● true positive" in said(again)
    assert "anna.k: ● true positive  the key was stolen" in said(again)
    press(again, "Open the case again")
    assert [entry.verdict for entry in history(mine, "case-0001")] == ["true_positive", "open"]
    assert "○ open" in said(opened(mine, monkeypatch, "case", case="case-0001"))


def test_cases_are_filtered_by_status_and_owner(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = opened(mine, monkeypatch, "case", case="case-0002")
    at.segmented_control(key="verdict_word").set_value("false_positive")
    press(at, "Close the case")
    at = opened(mine, monkeypatch, "case", case="case-0003")
    at.text_input(key="owner_name").set_value("bert.m")
    press(at, "Assign")
    assert owners_now(mine) == {"case-0003": "bert.m"}
    listed = opened(mine, monkeypatch, "cases")
    assert tables(listed)[0]["status"] == ["○ open", "○ open"]
    assert tables(listed)[0]["owner"] == ["–", "bert.m"]
    assert "2 of 3 cases shown" in said(listed)
    closed = opened(mine, monkeypatch, "cases", status="closed")
    assert tables(closed)[0]["status"] == ["◐ false positive"]
    assert rows_in(opened(mine, monkeypatch, "cases", status="all")) == 3
    assert rows_in(opened(mine, monkeypatch, "cases", owner="BERT")) == 1
    assert "No case passes these filters" in said(opened(mine, monkeypatch, "cases", owner="' or 1=1 --"))


@pytest.mark.parametrize("status", ["gone", "-1", "[evil](http://evil.example)"])
def test_a_filter_that_is_none_is_passed_over(status: str, mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = opened(mine, monkeypatch, "cases", status=status, severity=status)
    assert rows_in(at) == 3


def test_broken_approvals_are_told_in_words(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tables(opened(filled, monkeypatch, "cases"))[0]
    assert list(table["approvals"]) == ["3 none recorded, 1 by policy", "1 none recorded, 1 by policy", "–"]


def test_an_owner_is_taken_away_and_a_note_stays(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = opened(mine, monkeypatch, "case", case="case-0001")
    press(at, "Assign")
    assert owners_now(mine) == {"case-0001": "anna.k"}
    press(at, "Take the owner away")
    assert owners_now(mine) == {}
    at.text_area(key="case_note").set_value("asked the platform team\n\u202efor the log")
    press(at, "Add the note")
    (kept,) = notes_of(mine, case_id="case-0001")
    assert (kept.said_by, kept.is_evidence) == ("anna.k", False)
    assert "asked the platform team\n⟦U+202E⟧for the log" in said(opened(mine, monkeypatch, "case", case="case-0001"))
