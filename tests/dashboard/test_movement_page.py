"""Movement: the flagged path first, then what is new, then the most telling, and never more than can be read."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from opening import assert_inert, opened, rows_in, said

from dashboard import queries
from dashboard.charts_of_movement import movement_figure
from dashboard.movement import EDGES_DRAWN, drawn
from dashboard.queries_of_movement import edges_of


def edge(number: int, actor: str, target: str, **fields: object) -> dict[str, object]:
    return {
        "agent_id": "a", "actor": actor, "target": target, "steps": 1, "on_path": 0, "place": None, "tools": ["t"],
        "first_at": number, "event_id": f"e{number}", "session_id": "s", "is_new": False, **fields,
    }  # fmt: skip


def test_the_path_is_drawn_in_its_order_and_from_left_to_right(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(queries.DATA, str(filled))
    shown = drawn(edges_of("case-0001"), "flagged path")
    assert [e["tools"] for e in shown.edges] == [
        ["secrets.read"], ["iam.assume_role"], ["ec2.authorize_security_group_ingress"], ["ssh.exec"], ["http.post"],
    ]  # fmt: skip
    layers = {name: node.layer for name, node in shown.nodes.items()}
    assert layers["role/soc-triage"] == 0
    assert layers["vault/prod/deployer"] == 1
    assert layers["role/deployer"] == 2
    assert layers["db-03.prod"] == 3


def test_views_choose_and_count_what_is_left_out() -> None:
    edges = pl.DataFrame([edge(n, "role", f"host-{n}", is_new=n % 2 == 0, steps=n) for n in range(100)])
    edges = edges.with_columns(pl.when(pl.col("target") == "host-3").then(1).alias("place"))
    assert [e["target"] for e in drawn(edges, "flagged path").edges] == ["host-3"]
    new = drawn(edges, "new")
    assert (len(new.edges), new.more) == (EDGES_DRAWN, 10)
    most = drawn(edges, "most used")
    assert [e["target"] for e in most.edges[:3]] == ["host-3", "host-98", "host-96"]
    assert most.more == 60
    assert drawn(edges, "most used") == most


def test_who_is_handed_work_and_then_acts_is_one_node() -> None:
    shown = drawn(pl.DataFrame([edge(1, "boss", "helper"), edge(2, "helper", "db")]), "most used")
    assert {name: node.layer for name, node in shown.nodes.items()} == {"boss": 0, "helper": 1, "db": 2}
    same = drawn(pl.DataFrame([edge(1, "x", "x")]), "most used")
    assert len(same.nodes) == 1


def test_the_page_draws_and_lists_the_same(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = opened(filled, monkeypatch, "movement", case="case-0001")
    assert rows_in(at) == 5
    assert "5 edges drawn; 3 of the 8 edges of these sessions are not." in said(at)
    assert len(at.get("plotly_chart")) == 1
    assert rows_in(opened(filled, monkeypatch, "movement", view="most used")) == 8


@pytest.mark.parametrize("case", ["gone", "-1", "9" * 5000, "[x](http://evil.example)"])
def test_an_unknown_case_is_told(case: str, filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = opened(filled, monkeypatch, "movement", case=case)
    assert "Case not found" in said(at)
    assert_inert(at)


def test_an_empty_picture_says_why(
    empty: Path, quiet: Path, filled: Path, hostile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for data in (empty, quiet):
        assert "No case to follow" in said(opened(data, monkeypatch, "movement"))
    for view in ("flagged path", "new", "most used", "none such"):
        assert_inert(opened(hostile, monkeypatch, "movement", view=view))
    assert rows_in(opened(filled, monkeypatch, "movement", view="-1")) == 5


def test_the_figure_escapes_and_numbers_its_edges() -> None:
    text = "<a href='http://evil.example'>x</a>"
    shown = drawn(pl.DataFrame([edge(1, text, f"{text}2", tools=[text], place=1)]), "flagged path")
    figure = movement_figure(shown, "light").to_plotly_json()
    assert "<a" not in str(figure)
    middles = next(trace for trace in figure["data"] if "customdata" in trace)
    assert (list(middles["customdata"]), list(middles["text"])) == ([0], ["1"])
    movement_figure(drawn(pl.DataFrame([edge(1, "a", "b")]).clear(), "new"), "dark")
