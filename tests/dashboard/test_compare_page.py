"""Compare: the nearest quiet session, found the same way every time, and the two aligned."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest
from fleets import Fleet, call
from hypothesis import given
from hypothesis import strategies as st
from opening import assert_inert, links, opened, said, tables

from dashboard.nearest import Candidate, aligned, likeness, nearest
from ingest.published import editing
from ingest.tables import SESSION_SCORES

TOOLS = st.lists(st.sampled_from("abcd"), max_size=12)


@given(TOOLS, TOOLS)
def test_an_alignment_holds_every_call_once_and_in_order(one: list[str], other: list[str]) -> None:
    found = aligned(one, other)
    assert [i for i, _ in found if i is not None] == list(range(len(one)))
    assert [j for _, j in found if j is not None] == list(range(len(other)))
    assert all(one[i] == other[j] for i, j in found if i is not None and j is not None)
    matched = sum(i is not None and j is not None for i, j in found)
    assert matched == _longest_common(one, other)


def _longest_common(one: list[str], other: list[str]) -> int:
    if not one or not other:
        return 0
    rows = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i, a in enumerate(one, 1):
        for j, b in enumerate(other, 1):
            rows[i][j] = rows[i - 1][j - 1] + 1 if a == b else max(rows[i - 1][j], rows[i][j - 1])
    return rows[-1][-1]


@given(TOOLS, TOOLS)
def test_likeness_is_a_share_that_both_sides_agree_on(one: list[str], other: list[str]) -> None:
    assert 0.0 <= likeness(one, other) == likeness(other, one) <= 1.0
    assert likeness(one, one) == 1.0


def test_the_order_of_calls_counts_and_ties_are_broken_by_length_and_id() -> None:
    assert likeness("abc", "abc") > likeness("abc", "cba") > likeness("abc", "xyz")
    found = nearest("ab", [Candidate("z", ("a", "b")), Candidate("m", ("a", "b")), Candidate("a", ("a",))])
    assert found is not None
    assert (found[0].session_id, found[1]) == ("m", 1.0)
    assert nearest("ab", []) is None


def test_the_flagged_session_stands_beside_a_quiet_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = Fleet(tmp_path)
    usual = (call("search_logs", target="siem"), call("get_host", target="h1"), call("close_ticket", target="t1"))
    fleet.habit("triage", *usual, days=3, a_day=2)
    fleet.habit("other", *usual, days=1, a_day=1)
    fleet.session("triage", 4, usual[0], call("delete_backup", target="vault-9"), *usual[1:], name="odd")
    fleet.judge()
    at = opened(tmp_path, monkeypatch, "compare", session="odd")
    table = tables(at)[0]
    assert list(table["is"]) == ["alike", "◆ only here", "alike", "alike"]
    assert list(table["here"]) == ["search_logs", "delete_backup", "get_host", "close_ticket"]
    assert list(table["there"]) == ["search_logs", "–", "get_host", "close_ticket"]
    assert "1 only here, 0 only there" in said(at)
    named = opened(tmp_path, monkeypatch, "compare", **{"session": "odd", "with": "other-0-0"})
    assert "The other one was named in the link." in said(named)
    assert "other-0-0" in said(named)


def test_where_a_score_stands_its_nearest_session_is_laid_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = Fleet(tmp_path)
    usual = (call("search_logs", target="siem"), call("close_ticket", target="t1"))
    fleet.habit("triage", *usual, days=3, a_day=2)
    fleet.session("triage", 2, call("get_host", target="h1"), name="asked-alike")
    fleet.session("triage", 4, *usual, call("delete_backup", target="vault-9"), name="odd")
    fleet.judge()
    for nearest_one, beside in (("asked-alike", "asked-alike"), ("left-the-store", "triage-")):
        row = {"session_id": "odd", "agent_id": "triage", "p": 0.001, "nearest": nearest_one}
        with editing(tmp_path) as edition:
            edition.replace("session_scores", pa.Table.from_pylist([row], schema=SESSION_SCORES))
            edition.publish()
        at = opened(tmp_path, monkeypatch, "compare", session="odd")
        assert beside in str(links(at, "there"))
        assert ("by this session's score" in said(at)) is (nearest_one == beside)


def test_without_a_quiet_session_it_says_so(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = opened(filled, monkeypatch, "compare", session="sess-routine-0001")
    assert "Laid beside it" in said(at)
    assert "Session not found" in said(opened(filled, monkeypatch, "compare", **{"session": "gone"}))
    assert "Session not found" in said(
        opened(filled, monkeypatch, "compare", **{"session": "sess-incident-0042", "with": "gone"})
    )


@pytest.mark.parametrize("session", ["-1", "9" * 5000, "' or 1=1 --", "[x](http://evil.example)"])
def test_bad_links(session: str, filled: Path, empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_inert(opened(filled, monkeypatch, "compare", session=session))
    assert "Session not found" in said(opened(filled, monkeypatch, "compare", session=session))
    assert "No session to compare" in said(opened(empty, monkeypatch, "compare"))


def test_hostile_sessions_stay_text(hostile: Path, hostile_texts: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = [f"hostile {text}" for text in hostile_texts]
    for one, other in pairwise(sessions):
        at = opened(hostile, monkeypatch, "compare", **{"session": one, "with": other})
        assert_inert(at)
        assert tables(at)
