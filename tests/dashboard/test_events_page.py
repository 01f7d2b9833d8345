"""The search over every step: what it finds, page by page, and what it makes of bad questions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from opening import assert_inert, opened, rows_in, said, tables

from dashboard import queries, queries_of_events
from dashboard.queries_of_events import PAGE, Search, how_many, moment, search
from dashboard.queries_of_session import matching
from dashboard.stepper_session import open_session


def tools(data: Path, monkeypatch: pytest.MonkeyPatch, **parameters: str) -> list[str]:
    at = opened(data, monkeypatch, "events", **parameters)
    return tables(at)[0]["tool"] if tables(at) else []


def test_every_filter_narrows(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tools(filled, monkeypatch, text="PG_DUMP") == ["ssh.exec"]
    assert tools(filled, monkeypatch, text="rotate") == ["secrets.read"]
    assert tools(filled, monkeypatch, agent="DEPLOY") == ["http.post", "ssh.exec"]
    assert tools(filled, monkeypatch, tool="secrets") == ["secrets.read"]
    assert set(tools(filled, monkeypatch, in_session="routine-0004")) == {"session_start", "chat", "jira.comment"}
    assert tools(filled, monkeypatch, status="error") == ["http.post", "jira.comment"]
    assert tools(filled, monkeypatch, approval="automatic") == ["iam.assume_role"]
    assert tools(filled, monkeypatch, capability="network_path") == ["ec2.authorize_security_group_ingress"]
    assert tools(filled, monkeypatch, first="2026-10-21 09:01", tool="http") == ["http.post"]
    assert tools(filled, monkeypatch, last="2026-10-20") == []


def test_the_newest_step_stands_first(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = opened(filled, monkeypatch, "events")
    times = tables(at)[0]["ordered_at"]
    assert times == sorted(times, reverse=True)
    assert "36 of 36 steps that match" in said(at)


def test_pages_by_key_give_every_step_once(long_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(queries.DATA, str(long_store))
    seen: list[str] = []
    after = ""
    for place in range(5):
        found = search(Search(agent="e"), after)
        assert (found.rows.height, how_many(Search(agent="e")), found.more) == (PAGE, 500, place < 4)
        seen += found.rows["event_id"].to_list()
        after = seen[-1]
    assert len(set(seen)) == 500
    assert search(Search(), after).rows.height == 0


def test_looking_in_the_newest_days_first_changes_no_answer(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(queries.DATA, str(filled))
    whole = search(Search()).rows["event_id"].to_list()
    assert len(whole) == 36
    monkeypatch.setattr(queries_of_events, "PAGE", 7)
    monkeypatch.setattr(queries_of_events, "_WINDOWS_DAYS", (0.0001, 0.0004))
    seen: list[str] = []
    while (found := search(Search(), seen[-1] if seen else "")).rows.height:
        seen += found.rows["event_id"].to_list()
    assert seen == whole


def test_a_text_is_found_in_the_form_in_which_a_log_holds_it(
    tmp_path: Path, written_store: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    written = [
        '{"q":"caf\\u00e9 \\u00c9COLE"}',
        '{"q":"say \\"hello\\" to C:\\\\temp"}',
        '{"q":"café"}',
        '{"q":"cafe"}',
    ]
    data = written_store(tmp_path / "data", written)
    monkeypatch.setenv(queries.DATA, str(data))

    def found(text: str) -> list[int]:
        return sorted(search(Search(text=text)).rows["target"].cast(int).to_list())

    assert found("café") == found("CAFÉ") == [0, 2]
    assert found('"hello"') == found("C:\\temp") == [1]
    assert found("caf.") == found("|") == []
    session = open_session(data, queries.generation(), "written")
    assert session is not None
    assert len(matching(session.connect(), session.files, "written", "café")) == 2


def test_the_next_page_is_a_link_that_keeps_the_question(long_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = opened(long_store, monkeypatch, "events", agent="worker")
    (link,) = at.get("page_link")
    assert "agent=worker" in link.proto.query_string
    assert "after=" in link.proto.query_string


@pytest.mark.parametrize(
    "bad",
    [
        {"after": "gone"}, {"after": "-1"}, {"after": "9" * 5000}, {"status": "evil"}, {"approval": "-1"},
        {"capability": "none such"},
    ],
)  # fmt: skip
def test_a_bad_link_shows_the_newest(bad: dict[str, str], filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert rows_in(opened(filled, monkeypatch, "events", **bad)) == 36


@pytest.mark.parametrize("bad", ["yesterday", "-5", "0001-01-01", "9999-12-31", "2026-13-01"])
def test_what_is_no_time_is_told(bad: str, filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "This is no time" in said(opened(filled, monkeypatch, "events", first=bad))


def test_a_question_is_no_sql_and_no_pattern(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("' or 1=1 --", "%", "_________", "$agent", "a{100000}"):
        assert "No step matches" in said(opened(filled, monkeypatch, "events", text=text))


def test_times_are_read_as_people_write_them() -> None:
    assert moment("2026-10-21T11:00+02:00") == datetime(2026, 10, 21, 9)
    assert moment("2026-10-21", end=True) == datetime(2026, 10, 22)
    assert moment(" ") is None


def test_empty_and_hostile_stores(empty: Path, hostile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Nothing has been ingested yet" in said(opened(empty, monkeypatch, "events"))
    at = opened(hostile, monkeypatch, "events", text="evil.example")
    assert rows_in(at) > 0
    assert_inert(at)
    assert "\u202e" not in str(tables(at))
