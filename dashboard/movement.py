"""What of a case's edges is drawn, and where: from left to right as time went, so that a path reads as a sentence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

import polars as pl

View = Literal["flagged path", "new", "most used"]
VIEWS: Final[tuple[View, ...]] = ("flagged path", "new", "most used")
EDGES_DRAWN: Final = 40
"""More edges than this are a hairball; the rest is counted."""

Key = tuple[Literal["identity", "target"], str]
"""A node. A name that is both an identity and a target is one node: who was handed work then acts."""


@dataclass(frozen=True)
class Node:
    """A node with its layer (from the left) and its row in it."""

    key: Key
    layer: int
    row: float


@dataclass(frozen=True)
class Drawn:
    """The chosen edges, in their order, with the place of every node; `more` edges of the view are not drawn.

    `thens` lead from the target that an agent had reached last to the identity that it took on after it.
    """

    edges: list[dict[str, Any]]
    nodes: dict[str, Node]
    more: int
    thens: list[tuple[str, str]]


def chosen(edges: pl.DataFrame, view: View) -> pl.DataFrame:
    """The edges of a view: the path in its order; the new ones as they came; or all, the most telling first."""
    if view == "flagged path":
        return edges.filter(pl.col("place").is_not_null()).sort("place", maintain_order=True)
    if view == "new":
        return edges.filter(pl.col("is_new"))
    return edges.sort(
        pl.col("place").is_null(), ~pl.col("is_new"), -pl.col("steps").cast(pl.Int64), maintain_order=True
    )


def drawn(edges: pl.DataFrame, view: View) -> Drawn:
    """What is drawn of a view, and where each node stands."""
    wanted = chosen(edges, view)
    kept = wanted.head(EDGES_DRAWN).to_dicts()
    in_time = sorted(kept, key=lambda edge: (edge["first_at"] is not None, edge["first_at"], edge["place"] or 0))
    return Drawn(kept, _placed(in_time), max(0, wanted.height - EDGES_DRAWN), list(_thens(in_time)))


def _thens(edges: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    last: dict[str, str] = {}
    seen: set[str] = set()
    for edge in edges:
        before = last.get(edge["agent_id"])
        if before is not None and edge["actor"] not in seen and before != edge["actor"]:
            yield before, edge["actor"]
        seen |= {edge["actor"], edge["target"]}
        last[edge["agent_id"]] = edge["target"]


def _placed(edges: list[dict[str, Any]]) -> dict[str, Node]:
    """A new target stands right of who reached it; a new identity right of all that its agent had reached by then."""
    layer: dict[str, int] = {}
    kind: dict[str, Key] = {}
    reached: dict[str, int] = defaultdict(lambda: -1)
    for edge in edges:
        agent, actor, target = edge["agent_id"], edge["actor"], edge["target"]
        if actor not in layer:
            layer[actor], kind[actor] = reached[agent] + 1, ("identity", actor)
        if target not in layer:
            layer[target], kind[target] = layer[actor] + 1, ("target", target)
        reached[agent] = max(reached[agent], layer[target])
    rows: dict[int, list[str]] = defaultdict(list)
    for name, at in layer.items():
        rows[at].append(name)
    return {
        name: Node(kind[name], at, place - (len(names) - 1) / 2)
        for at, names in sorted(rows.items())
        for place, name in enumerate(names)
    }
