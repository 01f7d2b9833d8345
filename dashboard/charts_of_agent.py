"""The figures of the Agent page: days with their band, what a session adds, and transitions as a log ratio."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import quantiles
from typing import Any, Final

import plotly.graph_objects as go

from baseline.against import Pair
from baseline.models.drift import Day, Drift
from baseline.profile_parts import VersionSeen
from dashboard.charts import laid_out
from dashboard.theme import BAD, INK, Theme
from ingest.visible import for_plotly

TOOLS_DRAWN: Final = 14
"""Rows and columns of the matrix at most: more labels than these are not read."""
BARS_DRAWN: Final = 10
LARGE: Final = 2.0
"""Four times as often as usual, or a quarter as often: marked with a dot."""

_DIVERGING: Final[dict[Theme, list[tuple[float, str]]]] = {
    "dark": [(0.0, "#56b4e9"), (0.5, "#1b222b"), (1.0, "#e69f00")],
    "light": [(0.0, "#0072b2"), (0.5, "#f3f5f8"), (1.0, "#b35900")],
}


def days_figure(days: Sequence[Day], versions: Sequence[VersionSeen], drift: Drift | None, theme: Theme) -> Any:
    """One series by day, the band in which nine days of ten lie, the first days of versions, and a drift."""
    ink = INK[theme]
    ordered = sorted(days, key=lambda day: day.day)
    x, y = [day.day for day in ordered], [day.value for day in ordered]
    figure = go.Figure()
    if len(y) > 1:
        cuts = quantiles(y, n=20, method="inclusive")
        figure.add_hrect(y0=cuts[0], y1=cuts[-1], fillcolor=ink["panel"], line_width=0, layer="below")
    figure.add_trace(
        go.Scatter(
            x=x, y=y, mode="lines+markers", showlegend=False, line={"color": ink["primary"], "width": 1.6},
            marker={"size": 6}, hovertext=[f"{day.day}: {day.value:.3g} of {day.of:,.0f}" for day in ordered],
            hoverinfo="text",
        )
    )  # fmt: skip
    top = max(y, default=1.0) or 1.0
    for seen in versions:
        if seen.first_day is not None and x and x[0] < seen.first_day <= x[-1]:
            _mark(figure, seen.first_day, f"version {for_plotly(seen.version, 14)}", top, ink["quiet"], "middle right")
    if drift is not None:
        _mark(figure, drift.since, "drift", top, BAD[theme], "middle left")
    laid_out(figure, theme, 190)
    figure.update_xaxes(fixedrange=True, showgrid=False, tickfont={"color": ink["quiet"]})
    figure.update_yaxes(
        fixedrange=True, gridcolor=ink["line"], zeroline=False, tickfont={"color": ink["quiet"]}, automargin=True,
        range=[0, top * 1.2],
    )  # fmt: skip
    return figure


def _mark(figure: Any, day: Any, label: str, top: float, colour: str, side: str) -> None:
    figure.add_trace(
        go.Scatter(
            x=[day, day], y=[0, top * 1.12], mode="lines+text", text=["", label], textposition=side,
            hoverinfo="skip", showlegend=False, line={"color": colour, "width": 1.2, "dash": "dot"},
            textfont={"color": colour, "size": 11},
        )
    )  # fmt: skip


def bits_figure(bits: Sequence[tuple[str, float]], theme: Theme) -> Any:
    """What each tool adds to the session's surprise, in bits, the most first."""
    ink = INK[theme]
    drawn = list(bits[:BARS_DRAWN])[::-1]
    figure = go.Figure(
        go.Bar(
            x=[value for _, value in drawn], y=list(range(len(drawn))), orientation="h", hoverinfo="skip",
            marker={"color": ink["primary"]}, text=[f"{value:.1f}" for _, value in drawn], textposition="outside",
            textfont={"color": ink["text"]}, cliponaxis=False,
        )
    )  # fmt: skip
    laid_out(figure, theme, 66 + 26 * max(1, len(drawn)))
    figure.update_xaxes(
        fixedrange=True, gridcolor=ink["line"], zeroline=False, title={"text": "bits", "font": {"size": 11}},
        range=[0, max((value for _, value in drawn), default=1.0) * 1.12 or 1.0],
    )  # fmt: skip
    figure.update_yaxes(
        tickvals=list(range(len(drawn))), ticktext=[f"{for_plotly(tool, 34)}  " for tool, _ in drawn], fixedrange=True,
        showgrid=False, automargin=True, tickfont={"color": ink["text"]},
    )  # fmt: skip
    return figure


def matrix_figure(pairs: Sequence[Pair], theme: Theme) -> Any:
    """Transitions of the session as log2 of its share over the usual one; a dot where that is beyond `LARGE`."""
    ink = INK[theme]
    chosen = sorted(pairs, key=lambda pair: (-abs(pair.ratio) * pair.steps, pair.before, pair.tool))
    rows = sorted(dict.fromkeys(pair.before for pair in chosen[: TOOLS_DRAWN * 2]))[:TOOLS_DRAWN]
    columns = sorted(dict.fromkeys(pair.tool for pair in chosen[: TOOLS_DRAWN * 2]))[:TOOLS_DRAWN]
    at = {(pair.before, pair.tool): pair for pair in chosen}
    drawn = [(c, r, at[before, tool]) for r, before in enumerate(rows) for c, tool in enumerate(columns)
             if (before, tool) in at]  # fmt: skip
    cells: list[list[float | None]] = [[None] * len(columns) for _ in rows]
    for c, r, pair in drawn:
        cells[r][c] = pair.ratio
    figure = go.Figure(
        go.Heatmap(
            z=cells, x=list(range(len(columns))), y=list(range(len(rows))), zmin=-6, zmax=6, xgap=2, ygap=2,
            colorscale=_DIVERGING[theme], hoverongaps=False, hoverinfo="skip",
            colorbar={"title": {"text": "log2", "side": "right"}, "thickness": 10, "outlinewidth": 0},
        )
    )  # fmt: skip
    large = [(c, r) for c, r, pair in drawn if abs(pair.ratio) > LARGE]
    figure.add_trace(
        go.Scatter(
            x=[c for c, _, _ in drawn], y=[r for _, r, _ in drawn], mode="markers", showlegend=False,
            marker={"size": [9 if (c, r) in large else 0.1 for c, r, _ in drawn], "color": ink["text"]},
            hovertext=[_said(pair) for _, _, pair in drawn], hoverinfo="text",
        )
    )  # fmt: skip
    laid_out(figure, theme, 130 + 30 * max(1, len(rows)))
    figure.update_xaxes(
        tickvals=list(range(len(columns))), ticktext=[for_plotly(tool, 20) for tool in columns], tickangle=-35,
        fixedrange=True, showgrid=False, zeroline=False, tickfont={"color": ink["text"]}, automargin=True,
    )  # fmt: skip
    figure.update_yaxes(
        tickvals=list(range(len(rows))), ticktext=[f"{for_plotly(before or '(start)', 28)}  " for before in rows],
        fixedrange=True, showgrid=False, zeroline=False, tickfont={"color": ink["text"]}, automargin=True,
        autorange="reversed",
    )  # fmt: skip
    return figure


def _said(pair: Pair) -> str:
    return (
        f"{for_plotly(pair.before or '(start)')} → {for_plotly(pair.tool)}<br>{pair.steps:,} of {pair.of:,} here, "
        f"{pair.usual_steps:,} of {pair.usual_of:,} before<br>log2 {pair.ratio:+.1f}"
    )
