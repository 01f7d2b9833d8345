"""Peer groups: agents with a like set of tools."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Final

ALIKE: Final = 0.5
"""Of the tools of either, both have at least half."""


def peer_groups(tools: Mapping[str, Set[str]], thin: Set[str] = frozenset()) -> dict[str, tuple[str, ...]]:
    """Agent -> all agents of its group, itself among them; the same whatever order they come in.

    Leaders are taken from the largest tool set down (ties by id); each agent joins the leader it is most like, if it
    is like one at all, else it leads. So nothing chains: everyone is like their leader. A `thin` agent has shown a part
    of its tools only: it leads nobody that is not, and joins where at least half of its tools are in use.
    """
    bit = {tool: 1 << place for place, tool in enumerate({tool for mine in tools.values() for tool in mine})}
    leaders: dict[str, list[str]] = {}
    masks: dict[str, int] = {}
    for agent in sorted(tools, key=lambda a: (a in thin, -len(tools[a]), a)):
        mine = masks[agent] = sum(bit[tool] for tool in tools[agent])
        best = max(leaders, key=lambda leader: _likeness(masks[leader], mine), default=None)
        if best is not None and _is_like(masks[best], mine, is_thin=agent in thin):
            leaders[best].append(agent)
        else:
            leaders[agent] = [agent]
    return {agent: tuple(sorted(group)) for group in leaders.values() for agent in group}


def _likeness(one: int, other: int) -> float:
    """Jaccard of sets as bits: tools of both over tools of either."""
    either = (one | other).bit_count()
    return (one & other).bit_count() / either if either else 0.0


def _is_like(leader: int, tools: int, *, is_thin: bool) -> bool:
    if is_thin:
        return bool(tools) and (leader & tools).bit_count() >= ALIKE * tools.bit_count()
    return _likeness(leader, tools) >= ALIKE
