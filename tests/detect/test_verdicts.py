"""Verdicts: kept for ever, who and when; and what they change afterwards."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import duckdb
import pytest

from detect.notes import assign, note, notes_of, owners_now
from detect.people import people
from detect.verdicts import history, say, tuning_of, verdicts_now

DAY = 86_400


@pytest.fixture
def published() -> duckdb.DuckDBPyConnection:
    """Two cases as a run would have published them."""
    connection = duckdb.connect()
    connection.execute(
        "create table findings as select * from (values"
        " ('c1', 'switch', 'bot', 'e1', 's1'), ('c1', 'first', 'bot', 'e2', 's1'), ('c2', 'switch', 'bot', 'e3', 's2'))"
        " t(case_id, detector, agent_id, event_id, session_id)"
    )
    connection.execute(
        "create table events as select * from (values"
        " ('e1', 'assume_role', 'prod'), ('e2', 'rotate_key', 'k1'), ('e3', 'assume_role', null)) t(event_id, tool, target)"
    )
    return connection


def test_the_last_word_holds_and_every_word_is_kept(tmp_path: Path, published) -> None:
    assert verdicts_now(tmp_path) == {}
    say(tmp_path, published, "c1", "false_positive", by="ana", at=1.0, note="drill")
    say(tmp_path, published, "c1", "open", by="ben", at=2.0)
    say(tmp_path, published, "c1", "true_positive", by="ben", at=3.0)
    assert [(v.said_by, v.verdict, v.said_at) for v in history(tmp_path, "c1")] == [
        ("ana", "false_positive", 1.0),
        ("ben", "open", 2.0),
        ("ben", "true_positive", 3.0),
    ]
    assert verdicts_now(tmp_path)["c1"].verdict == "true_positive"


def test_nothing_said_can_be_changed_or_taken_away(tmp_path: Path, published) -> None:
    say(tmp_path, published, "c1", "false_positive", by="ana", at=1.0)
    note(tmp_path, by="ana", at=1.0, case_id="c1", words="seen")
    assign(tmp_path, "c1", "ana", by="ben", at=1.0)
    for table in ("verdicts", "verdicts_cover", "owners", "notes"):
        for statement in (f"delete from {table}", f"update {table} set rowid = rowid + 1"):
            with people(tmp_path) as store, pytest.raises(sqlite3.IntegrityError, match="append-only"):
                store.execute(statement)


@pytest.mark.parametrize(
    ("verdict", "by", "expires_at", "wrong"),
    [("maybe", "ana", None, "one of"), ("open", " ", None, "author"), ("benign_expected", "ana", None, "until when")],
)
def test_a_verdict_without_author_meaning_or_end_is_refused(
    tmp_path: Path, published, verdict: str, by: str, expires_at: float | None, wrong: str
) -> None:
    with pytest.raises(ValueError, match=wrong):
        say(tmp_path, published, "c1", verdict, by=by, at=1.0, expires_at=expires_at)  # type: ignore[arg-type]


def test_movement_stays_quiet_for_the_same_target_alone_and_novelty_for_the_tool(tmp_path: Path, published) -> None:
    say(tmp_path, published, "c1", "false_positive", by="ana", at=1.0)
    tuning = tuning_of(tmp_path)
    assert "ana" in (tuning.quiet("switch", "movement", "bot", "assume_role", "prod", 5) or "")
    assert tuning.quiet("switch", "movement", "bot", "assume_role", "hr", 5) is None
    assert tuning.quiet("switch", "movement", "bot", "assume_role", None, 5) is None
    assert tuning.quiet("switch", "movement", "other", "assume_role", "prod", 5) is None
    assert tuning.quiet("first", "novelty", "bot", "rotate_key", "another", 5)
    assert tuning.quiet("first", "novelty", "bot", "delete_key", "k1", 5) is None


def test_a_movement_without_a_target_does_not_quiet_those_with_one(tmp_path: Path, published) -> None:
    say(tmp_path, published, "c2", "false_positive", by="ana", at=1.0)
    tuning = tuning_of(tmp_path)
    assert tuning.quiet("switch", "movement", "bot", "assume_role", None, 5)
    assert tuning.quiet("switch", "movement", "bot", "assume_role", "prod", 5) is None


def test_what_was_expected_is_so_until_its_day_in_the_time_of_the_logs(tmp_path: Path, published) -> None:
    say(tmp_path, published, "c1", "benign_expected", by="ana", at=1.0, expires_at=10 * DAY)
    tuning = tuning_of(tmp_path)
    last, after = (10 * DAY - 1) * 10**9, 10 * DAY * 10**9
    assert tuning.quiet("first", "novelty", "bot", "rotate_key", "k1", last)
    assert tuning.quiet("first", "novelty", "bot", "rotate_key", "k1", after) is None
    assert tuning.quiet("first", "novelty", "bot", "rotate_key", "k1", None) is None


def test_only_what_people_called_benign_may_be_learnt_from_and_undo_takes_it_back(tmp_path: Path, published) -> None:
    assert not tuning_of(tmp_path).learnable("s1")
    say(tmp_path, published, "c1", "false_positive", by="ana", at=1.0)
    assert tuning_of(tmp_path).learnable("s1")
    assert not tuning_of(tmp_path).learnable("s2")
    say(tmp_path, published, "c1", "open", by="ana", at=2.0)
    tuning = tuning_of(tmp_path)
    assert not tuning.learnable("s1")
    assert tuning.quiet("first", "novelty", "bot", "rotate_key", "k1", 5) is None


def test_notes_and_owners(tmp_path: Path) -> None:
    note(tmp_path, by="ana", at=1.0, session_id="s", event_id="e", is_evidence=True)
    note(tmp_path, by="ben", at=2.0, case_id="c", words="<b>bold</b>")
    assert [(n.said_by, n.is_evidence, n.event_id) for n in notes_of(tmp_path, session_id="s")] == [("ana", True, "e")]
    assert [n.words for n in notes_of(tmp_path, case_id="c")] == ["<b>bold</b>"]
    assign(tmp_path, "c", "ana", by="ben", at=1.0)
    assert owners_now(tmp_path) == {"c": "ana"}
    assign(tmp_path, "c", None, by="ana", at=2.0)
    assert owners_now(tmp_path) == {}
    with pytest.raises(ValueError, match="about"):
        note(tmp_path, by="ana", at=1.0, words="of nothing")
