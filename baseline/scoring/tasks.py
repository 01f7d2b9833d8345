"""Which sessions were asked the same: a task and its paraphrases are fitted, and held out, together."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Final

from baseline.scoring.sessions import Session

ALIKE: Final = 0.7
"""Share of the shorter request's weight that two requests of one task have in common."""
_RAREST: Final = 8
_MOST_COMPARED: Final = 64
_LEAST_TASKS: Final = 4


def groups_of(sessions: Sequence[Session]) -> dict[str, str]:
    """`asked_key` -> the task that the request belongs to: the first request that it is like.

    Leader clustering over distinct requests, the longest first; only requests that share one of their rarest words
    are compared, so that the cost stays in proportion to their number.
    """
    asked = {s.asked_key: (s.agent_id, s.asked) for s in sessions}
    count: Counter[str] = Counter()
    for _, stems in asked.values():
        count.update(stems)
    weights = {w: math.log((len(asked) + 1) / (n + 0.5)) + 0.1 for w, n in count.items()}
    total = {key: math.fsum(weights[w] for w in stems) for key, (_, stems) in asked.items()}
    leaders: dict[tuple[str, str], list[str]] = defaultdict(list)
    found: dict[str, str] = {}
    for key in sorted(asked, key=lambda k: (-len(asked[k][1]), k)):
        agent, stems = asked[key]
        rarest = sorted(stems, key=lambda w: (count[w], w))
        # A word that this request alone has finds no other one.
        shared = [w for w in rarest if count[w] > 1][:_RAREST]
        near = dict.fromkeys(leader for w in shared for leader in leaders[agent, w][:_MOST_COMPARED])
        likeness = {n: math.fsum(weights[w] for w in stems & asked[n][1]) / max(1e-9, total[key]) for n in near}
        best = max(likeness, key=lambda n: (likeness[n], n), default=None)
        if best is not None and likeness[best] >= ALIKE:
            found[key] = best
            continue
        found[key] = key
        for word in shared:
            leaders[agent, word].append(key)
    tasks = Counter(asked[leader][0] for leader in set(found.values()))
    # An agent that is always asked nearly the same: each wording is a task, or nothing of it could be held out.
    return {key: leader if tasks[asked[key][0]] >= _LEAST_TASKS else key for key, leader in found.items()}
