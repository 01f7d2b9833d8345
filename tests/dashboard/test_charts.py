"""The picture of a path."""

from __future__ import annotations

import polars as pl

from dashboard.charts import STEPS_DRAWN, path_figure


def path(agents: list[str], tool: str = "iam.assume_role") -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"place": n, "step": n * 2, "event_id": f"e{n}", "agent_id": agent, "tool": tool, "operation": "x",
             "target": tool, "credential_id": None, "ordered_at": None, "is_finding": n == 2}
            for n, agent in enumerate(agents, start=1)
        ]
    )  # fmt: skip


def test_each_agent_has_a_lane_and_steps_stand_in_causal_order() -> None:
    drawn = path_figure(path(["triage", "triage", "deploy"]), "e2", "critical").to_plotly_json()
    line = drawn["data"][0]
    assert list(line["x"]) == [1, 2, 3]
    assert list(line["y"]) == [1, 1, 0]
    assert [t.strip() for t in drawn["layout"]["yaxis"]["ticktext"]] == ["triage", "deploy"]
    assert {trace.get("name") for trace in drawn["data"]} >= {"step with a finding", "look here first"}


def test_markup_in_a_log_stays_text_in_the_figure() -> None:
    drawn = str(path_figure(path(["<b>x</b>"], "<a href='http://evil.example'>go</a>"), None, None).to_plotly_json())
    assert "<a" not in drawn
    assert "<b>" not in drawn


def test_a_long_path_is_drawn_up_to_what_can_be_read() -> None:
    drawn = path_figure(path(["a", "b"] * 500), None, "low").to_plotly_json()
    assert len(drawn["data"][0]["x"]) == STEPS_DRAWN
    assert len(drawn["data"][-1]["text"]) <= 12


def test_an_empty_path_and_a_missing_event_are_drawn() -> None:
    path_figure(path(["a"]).clear(), None, "high")
    gone = path(["a"]).with_columns(pl.lit(None, pl.String).alias("agent_id"), pl.lit(None).alias("step"))
    path_figure(gone, "e1", "high")
