"""The figure of the Movement page: identities and targets from left to right as time went, arrows between them."""

from __future__ import annotations

from typing import Any, Final

import plotly.graph_objects as go

from dashboard.charts import laid_out
from dashboard.movement import Drawn, Node
from dashboard.telling_names import short_names
from dashboard.theme import BAD, INK, LANES, Theme
from ingest.visible import for_plotly

_ROW_PIXELS: Final = 54
_CHARACTER_PIXELS: Final = 6.2
"""The mean width of a character of the names, at their size."""
_BESIDE_PIXELS: Final = 22


def movement_figure(drawn: Drawn, theme: Theme) -> Any:
    """Arrows by what they are (on the path, new, known), nodes by what they are; each arrow's middle can be chosen."""
    ink = INK[theme]
    nodes = drawn.nodes
    named = short_names(node.key[1] for node in nodes.values())
    layers = max((node.layer for node in nodes.values()), default=1)
    figure = go.Figure()
    figure.add_trace(_thens(drawn, ink["quiet"]))
    for name, colour, width, wanted in (
        ("on the path of the case", BAD[theme], 2.4, lambda e: e["place"] is not None),
        ("new for the agent", ink["primary"], 1.6, lambda e: e["place"] is None and e["is_new"]),
        ("known", ink["quiet"], 1.0, lambda e: e["place"] is None and not e["is_new"]),
    ):
        edges = [edge for edge in drawn.edges if wanted(edge)]
        if edges:
            figure.add_trace(_arrows(edges, nodes, name, colour, width))
    figure.add_trace(_middles(drawn, ink["text"]))
    for kind, symbol, colour in (("identity", "diamond", LANES[theme][0]), ("target", "square", LANES[theme][1])):
        these = [node for node in nodes.values() if node.key[0] == kind]
        if these:
            figure.add_trace(
                go.Scatter(
                    x=[n.layer for n in these], y=[-n.row for n in these], mode="markers+text", name=kind,
                    text=[_label(n, named[n.key[1]], layers) for n in these], 
                    textposition=[_side(n, layers) for n in these],
                    textfont={"size": 12, "color": ink["text"]}, cliponaxis=False,
                    marker={"symbol": symbol, "size": 13, "color": colour, "opacity": 1},
                    hovertext=[for_plotly(n.key[1], 120) for n in these], hoverinfo="text",
                )
            )  # fmt: skip
    rows = [node.row for node in nodes.values()] or [0.0]
    laid_out(figure, theme, round(120 + _ROW_PIXELS * (max(rows) - min(rows) + 1)))
    figure.update_xaxes(visible=False, fixedrange=True, range=[-0.45, layers + 0.1])
    longest = max((len(named[node.key[1]]) for node in nodes.values() if node.layer == layers), default=0)
    figure.update_layout(margin_r=_BESIDE_PIXELS + round(_CHARACTER_PIXELS * longest))
    figure.update_yaxes(visible=False, fixedrange=True, range=[-max(rows) - 0.8, -min(rows) + 0.8])
    return figure


def _side(node: Node, layers: int) -> str:
    """Where the name stands: beside a node of the last layer, from which nothing leads on; to the right of the first,
    so that a narrow figure does not cut it."""
    if node.layer == layers:
        return "middle right"
    return f"{'bottom' if _is_below(node) else 'top'} {'center' if node.layer else 'right'}"


def _is_below(node: Node) -> bool:
    return node.row > 0 or node.key[0] == "identity"


def _label(node: Node, short: str, layers: int) -> str:
    """The node's name; in every other pair of layers a line further off, so that neighbours do not overlap."""
    name = for_plotly(short)
    if node.layer == layers:
        return f"  {name}"
    if node.layer // 2 % 2 == 0:
        return name
    return f"<br>{name}" if _is_below(node) else f"{name}<br> "


def _ends(edge: dict[str, Any], nodes: dict[str, Node]) -> tuple[float, float, float, float]:
    start, end = nodes[edge["actor"]], nodes[edge["target"]]
    return start.layer, -start.row, end.layer, -end.row


def _arrows(edges: list[dict[str, Any]], nodes: dict[str, Node], name: str, colour: str, width: float) -> Any:
    x: list[float | None] = []
    y: list[float | None] = []
    for edge in edges:
        x0, y0, x1, y1 = _ends(edge, nodes)
        x += [x0, x1, None]
        y += [y0, y1, None]
    return go.Scatter(
        x=x, y=y, mode="lines+markers", name=name, hoverinfo="skip", line={"color": colour, "width": width},
        marker={"symbol": "arrow", "angleref": "previous", "color": colour, "standoff": 9, "opacity": 1,
                "size": [0, 12, 0] * len(edges)},
    )  # fmt: skip


def _thens(drawn: Drawn, colour: str) -> Any:
    """Dotted from what an agent had reached to the identity that it took on next."""
    x: list[float | None] = []
    y: list[float | None] = []
    for before, after in drawn.thens:
        start, end = drawn.nodes[before], drawn.nodes[after]
        x += [start.layer, end.layer, None]
        y += [-start.row, -end.row, None]
    return go.Scatter(
        x=x, y=y, mode="lines", name="then acts as", hoverinfo="skip", showlegend=bool(x),
        line={"color": colour, "width": 1.2, "dash": "dot"},
    )  # fmt: skip


def _middles(drawn: Drawn, colour: str) -> Any:
    """A mark in the middle of each edge, numbered as in the table beside it."""
    ends = [_ends(edge, drawn.nodes) for edge in drawn.edges]
    hover = [
        f"{number}. {for_plotly(edge['agent_id'])} as {for_plotly(edge['actor'])}<br>"
        f"{for_plotly(', '.join(edge['tools']), 80)}<br>on {for_plotly(edge['target'], 60)}<br>{edge['steps']:,} steps"
        for number, edge in enumerate(drawn.edges, 1)
    ]
    return go.Scatter(
        x=[(x0 + x1) / 2 for x0, _, x1, _ in ends], y=[(y0 + y1) / 2 for _, y0, _, y1 in ends], mode="markers+text",
        text=[str(number) for number in range(1, len(ends) + 1)], textposition="middle center",
        textfont={"size": 10, "color": colour}, hovertext=hover, hoverinfo="text", showlegend=False,
        customdata=list(range(len(ends))), cliponaxis=False,
        marker={"size": 16, "color": "rgba(127,127,127,0.25)", "opacity": 1},
        unselected={"marker": {"opacity": 1}}, selected={"marker": {"opacity": 1}},
    )  # fmt: skip
