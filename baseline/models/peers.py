"""Peer groups: agents with a like set of tools."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Final

ALIKE: Final = 0.5
"""Of the tools of either, both have at least half."""


def likeness(a: Set[str], b: Set[str]) -> float:
    """Jaccard: tools of both over tools of either."""
    return len(a & b) / len(a | b) if a or b else 0.0


def peer_groups(tools: Mapping[str, Set[str]]) -> dict[str, tuple[str, ...]]:
    """Agent -> all agents of its group, itself among them; the same whatever order they come in.

    Leaders are taken from the largest tool set down (ties by id); each agent joins the leader it is most like, if it
    is like one at all, else it leads. So nothing chains: everyone is like their leader.
    """
    leaders: dict[str, list[str]] = {}
    for agent in sorted(tools, key=lambda a: (-len(tools[a]), a)):
        best = max(leaders, key=lambda leader: likeness(tools[leader], tools[agent]), default=None)
        if best is not None and likeness(tools[best], tools[agent]) >= ALIKE:
            leaders[best].append(agent)
        else:
            leaders[agent] = [agent]
    return {agent: tuple(sorted(group)) for group in leaders.values() for agent in group}
