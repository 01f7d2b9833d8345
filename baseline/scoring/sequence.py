"""How unusual a call is after the two calls before it."""

from __future__ import annotations

import math

from baseline.scoring.past import Past

_MOST_REMEMBERED = 1 << 16


def surprisal(past: Past, agent: str, before: tuple[str, ...], tool: str) -> float:
    """-log P(tool | the last states), a state being a tool and whether it failed.

    Witten-Bell with back-off from two states to one, to none, to any tool (method C of Witten and Bell, IEEE
    Transactions on Information Theory 37(4), 1991).
    """
    key = (agent, before, tool)
    found = past.surprisals.get(key)
    if found is None:
        if len(past.surprisals) >= _MOST_REMEMBERED:
            past.surprisals.clear()
        found = past.surprisals[key] = _surprisal(past, agent, before, tool)
    return found


def _surprisal(past: Past, agent: str, before: tuple[str, ...], tool: str) -> float:
    p = 1.0 / (len(past.tool_tasks) + 1)
    for length in range(len(before) + 1):
        counts = past.follows.get((agent, *before[len(before) - length :]))
        if not counts:
            break
        total, distinct = counts.total(), len(counts)
        p = (counts.get(tool, 0) + distinct * p) / (total + distinct)
    return -math.log(p)
