"""The next tool after the last states: variable order, each order backing off to the shorter one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from baseline.models.answer import Chance

Follows = Mapping[str, float]
"""Next tool -> how often, in one context."""


def next_tool(tool: str, contexts: Sequence[Follows], tools: Follows) -> Chance:
    """P(tool | the states before it), never 0; `contexts` from the longest to the shortest, `tools` without any.

    Interpolated Witten-Bell: with n steps and T distinct tools in a context, (count + T * shorter) / (n + T) (Witten
    and Bell, IEEE Transactions on Information Theory 37(4), 1991, method C). A context that never occurred leaves the
    shorter one alone. `seen` and `of` are those of the longest context that occurred.
    """
    p = 1.0 / (len(tools) + 1)
    rest = Chance(p, 0, 0)
    for follows in (tools, *reversed(contexts)):
        steps, distinct = sum(follows.values()), len(follows)
        if steps:
            p = (follows.get(tool, 0) + distinct * p) / (steps + distinct)
            rest = Chance(p, follows.get(tool, 0), steps)
    return rest
