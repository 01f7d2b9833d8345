"""The Agent page: facts, what they rest on, and one session beside them."""

from __future__ import annotations

from pathlib import Path

import pytest
from fleets import Fleet, call
from opening import assert_inert, opened, rows_in, said, tables

from baseline.against import against
from baseline.models.drift import Day, Drift
from baseline.profile_parts import VersionSeen
from dashboard.charts_of_agent import BARS_DRAWN, bits_figure, days_figure, matrix_figure
from ingest.database import open_published

LOOK = (call("search_logs", target="siem-1"), call("get_host", target="h1"))
EVIL = "<a href='http://evil.example'>go</a>"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    """An agent of 24 like sessions, a younger one, and a last session in which the first does something else."""
    made = Fleet(tmp_path_factory.mktemp("fleet"))
    made.habit("triage", *LOOK, days=3, a_day=8)
    made.habit("newcomer", *LOOK, days=1, a_day=3)
    made.session("triage", 4, LOOK[0], call("delete_backup", target="vault-9"), LOOK[1], name="odd")
    made.judge()
    return made


def test_a_session_is_held_against_the_days_before_it(fleet: Fleet) -> None:
    found = against(open_published(fleet.data), "triage", "odd")
    assert found is not None
    assert (found.sessions, found.is_enough) == (24, True)
    worst = found.pairs[0]
    assert (worst.before, worst.tool, worst.steps, worst.of) == ("search_logs", "delete_backup", 1, 1)
    assert (worst.usual_steps, worst.usual_of) == (0, 24)
    assert worst.ratio == pytest.approx(worst.bits)
    assert worst.ratio > 4
    assert found.new[0] == ("target", ("vault-9",))
    assert found.bits[0][0] == "delete_backup"
    usual = next(pair for pair in found.pairs if pair.tool == "search_logs")
    assert abs(usual.ratio) < 1
    assert against(open_published(fleet.data), "newcomer", "odd") is None


def test_the_agents_are_listed_and_one_is_told(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = opened(fleet.data, monkeypatch, "agent")
    assert tables(listed)[0]["agent_id"] == ["newcomer", "triage"]
    at = opened(fleet.data, monkeypatch, "agent", agent="triage", session="odd")
    text = said(at)
    for expected in ("enough to judge", "judged by", "Session odd, beside 24 sessions before", "target: vault-9"):
        assert expected in text
    assert len(at.get("plotly_chart")) == 3
    pairs = next(table for table in tables(at) if "before" in table)
    assert next(iter(pairs["tool"])) == "delete_backup"


def test_too_little_history_is_said_and_not_hidden(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    text = said(opened(fleet.data, monkeypatch, "agent", agent="newcomer"))
    assert "not enough history" in text
    assert "any judgement by its own history: 3 of 20 sessions" in text
    assert "Too few days to draw" in text
    assert "Not enough history: 0 of 20 sessions before that day" in text


@pytest.mark.parametrize("agent", ["gone", "-1", "9" * 5000, "' or 1=1 --"])
def test_an_unknown_agent_is_told(agent: str, fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    at = opened(fleet.data, monkeypatch, "agent", agent=agent)
    assert "Agent not found" in said(at)
    assert rows_in(at) == 2


def test_an_unknown_session_is_told(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    at = opened(fleet.data, monkeypatch, "agent", agent="triage", session="gone")
    assert "The agent made no call in a session gone." in said(at)


def test_stores_without_counts(filled: Path, hostile: Path, empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Nothing has been ingested yet" in said(opened(empty, monkeypatch, "agent"))
    assert "No baseline yet" in said(opened(filled, monkeypatch, "agent"))
    assert_inert(opened(hostile, monkeypatch, "agent", agent=EVIL))


def test_a_hostile_agent_stays_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hostile_texts: list[str]) -> None:
    made = Fleet(tmp_path)
    for text in hostile_texts:
        made.habit(f"agent {text}", call(f"tool {text}", target=text), call(text, target=text, principal=text), days=2)
    made.judge()
    for text in hostile_texts:
        assert_inert(opened(tmp_path, monkeypatch, "agent", agent=f"agent {text}"))
    assert_inert(opened(tmp_path, monkeypatch, "agent"))


def test_figures_escape_and_bound_what_they_draw() -> None:
    from datetime import date

    from baseline.against import Pair

    pairs = [Pair(EVIL, f"{EVIL}{n}", 1, 1, 0, 9, 5.0, 5.0) for n in range(100)]
    drawn = matrix_figure(pairs, "dark").to_plotly_json()
    assert "<a" not in str(drawn)
    assert len(drawn["data"][0]["x"]) <= 14
    bars = bits_figure([(EVIL, 1.0)] * 50, "light").to_plotly_json()
    assert len(bars["data"][0]["x"]) == BARS_DRAWN
    assert "<a" not in str(bars)
    days = [Day(date(2026, 3, n), n / 31, 10) for n in range(1, 20)]
    seen = [VersionSeen(EVIL, 4, date(2026, 3, 9), date(2026, 3, 19))]
    figure = days_figure(days, seen, Drift("x", date(2026, 3, 12), 0.1, 0.4, 9.0), "dark").to_plotly_json()
    assert "<a" not in str(figure)
    version, drift = (trace["text"][1] for trace in figure["data"][1:])
    assert version.startswith("version &lt;a href=&#x27;")
    assert drift == "drift"
    days_figure([], [], None, "dark")
    matrix_figure([], "dark")
    bits_figure([], "dark")
