"""The figures. plotly only here; every text of a log is escaped, for plotly reads markup in its labels."""

from __future__ import annotations

from typing import Any, Final

import plotly.graph_objects as go
import polars as pl

from dashboard.theme import INK, SEVERITY, Theme
from dashboard.words import when
from ingest.visible import for_plotly

LANE_PIXELS: Final = 70
STEPS_DRAWN: Final = 60
"""More arrows than this are not read any more; the table below holds all steps and says how many."""


def path_figure(path: pl.DataFrame, worst_event_id: str | None, severity: str | None, theme: Theme = "dark") -> Any:
    """The path of a case: a lane for each agent, steps in causal order, arrows from each to the next."""
    ink, colour = INK[theme], SEVERITY[theme].get(severity or "", SEVERITY[theme]["info"])
    steps = path.head(STEPS_DRAWN).to_dicts()
    agents = list(dict.fromkeys(step["agent_id"] for step in steps))
    lane = {agent: len(agents) - 1 - place for place, agent in enumerate(agents)}
    x = [step["place"] for step in steps]
    y = [lane[step["agent_id"]] for step in steps]
    figure = go.Figure()
    figure.add_trace(
        go.Scatter(
            x=x, y=y, mode="lines+markers", hoverinfo="skip", showlegend=False,
            line={"color": ink["quiet"], "width": 1.6},
            marker={"symbol": "arrow", "size": 13, "angleref": "previous", "color": ink["quiet"],
                    "standoff": 11},
        )
    )  # fmt: skip
    for is_finding, symbol, fill, name in (
        (False, "circle", ink["back"], "step of the path"),
        (True, "diamond", colour, "step with a finding"),
    ):
        these = [place for place, step in enumerate(steps) if bool(step["is_finding"]) is is_finding]
        if these:
            figure.add_trace(
                go.Scatter(
                    x=[x[i] for i in these], y=[y[i] for i in these], mode="markers", name=name,
                    marker={"symbol": symbol, "size": 15, "color": fill, "opacity": 1,
                            "line": {"width": 2, "color": colour if is_finding else ink["primary"]}},
                    hovertext=[_hover(steps[i]) for i in these], hoverinfo="text",
                )
            )  # fmt: skip
    worst = [place for place, step in enumerate(steps) if step["event_id"] == worst_event_id]
    if worst:
        figure.add_trace(
            go.Scatter(
                x=[x[i] for i in worst], y=[y[i] for i in worst], mode="markers", hoverinfo="skip",
                name="look here first",
                marker={"symbol": "circle-open", "size": 28, "color": ink["text"], "line": {"width": 1.5}},
            )
        )  # fmt: skip
    every = max(1, len(steps) // 10)
    figure.add_trace(
        go.Scatter(
            x=x[::every], y=[height + (0.2, 0.42)[n % 2] for n, height in enumerate(y[::every])], mode="text",
            hoverinfo="skip", showlegend=False,
            text=[for_plotly(step["tool"] or step["operation"], 26) for step in steps[::every]],
            textposition="top center", textfont={"size": 12, "color": ink["text"]}, cliponaxis=False,
        )
    )  # fmt: skip
    laid_out(figure, theme, 98 + LANE_PIXELS * max(1, len(agents)))
    figure.update_xaxes(
        tickvals=x[::every], ticktext=[f"step {step['step'] or '?'}" for step in steps[::every]],
        range=[0.3, max(x, default=1) + 0.7], fixedrange=True, showgrid=False, zeroline=False,
        tickfont={"color": ink["quiet"]},
    )  # fmt: skip
    figure.update_yaxes(
        tickvals=[lane[a] for a in agents], ticktext=[f"{for_plotly(a, 28)}  " for a in agents],
        range=[-0.5, len(agents) - 0.45], fixedrange=True, zeroline=False, gridcolor=ink["line"],
        tickfont={"color": ink["text"], "size": 12}, automargin=True,
    )  # fmt: skip
    return figure


def laid_out(figure: Any, theme: Theme, height: int) -> Any:
    """The look that all figures share: no frame, no dragging, the legend above."""
    ink = INK[theme]
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 30, "b": 30}, paper_bgcolor=ink["back"], plot_bgcolor=ink["back"],
        font={"color": ink["quiet"], "size": 12, "family": "Source Sans, sans-serif"},
        dragmode=False, hovermode="closest",
        hoverlabel={"bgcolor": ink["panel"], "bordercolor": ink["line"], "align": "left",
                    "font": {"color": ink["text"], "size": 12}},
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.02, "yanchor": "bottom",
                "font": {"size": 11}},
    )  # fmt: skip
    return figure


def _hover(step: dict[str, Any]) -> str:
    said = [
        f"{step['place']} · {when(step['ordered_at'])}",
        for_plotly(step["tool"] or step["operation"]),
        f"target {for_plotly(step['target'], 60)}",
        f"credential {for_plotly(step['credential_id'], 60)}",
    ]
    return "<br>".join(said)
