"""Why a call stands out: what was observed of it, and how often benign history showed the same."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from baseline.scoring.past import Past
from baseline.scoring.provenance import origin_of
from baseline.scoring.sessions import Session
from baseline.scoring.words import named, text_of


@dataclass(frozen=True)
class Reason:
    """One sentence with its counts: seen in `count` of `of`."""

    voice: str
    observed: str
    expected: str
    count: float
    of: float
    weight: float


def reasons_of(
    session: Session, number: int, traits: dict[str, float], past: Past, most: int = 3
) -> tuple[Reason, ...]:
    """The strongest reasons first; ties by voice."""
    step, agent = session.steps[number], session.agent_id
    found: list[Reason] = []

    tasks = past.requests.get(agent, [])
    like = [taken for words, taken in tasks if words & session.asked]
    used = sum(step.tool in taken for taken in like)
    words = ", ".join(sorted(named(step.tool) - session.asked)) or "none"
    found.append(Reason(
        "request", f"{step.tool} was called; not in the request: {words}",
        f"{used} of {len(like)} tasks with words in common took it", used, len(like), -traits["relevance"],
    ))  # fmt: skip

    answered: set[str] = set()
    for earlier in session.steps[:number]:
        answered |= text_of(earlier.result).words
    for name in dict.fromkeys(v.name for v in step.values):
        value = next(v for v in step.values if v.name == name)
        origin = origin_of(value.read.words, session.asked_tokens, answered)
        counts = past.origins.get((agent, step.tool, name), {})
        total = sum(counts.values())
        share = (counts.get(origin, 0.0) + 0.5) / (total + 1.0)
        if origin != "request":
            source = {"answer": "only in an earlier answer", "nowhere": "nowhere before"}.get(
                origin, "partly in an answer"
            )
            found.append(Reason(
                "origin", f"{name} of {step.tool} stood {source}",
                f"{counts.get(origin, 0.0):.1f} of {total:.1f} tasks had it so", counts.get(origin, 0.0), total,
                -math.log(share) + traits["answer_over_request"],
            ))  # fmt: skip

    before = tuple(s.tool if s.ok else f"{s.tool} failed" for s in session.steps[max(0, number - 1) : number])
    follows: Mapping[str, int] = past.follows.get((agent, *before), {})
    total_steps = sum(follows.values())
    after = f"after {before[0]}" if before else "as the first call"
    found.append(Reason(
        "sequence", f"{step.tool} came {after}",
        f"{follows.get(step.tool, 0)} of {total_steps} times", follows.get(step.tool, 0), total_steps,
        traits["surprisal"] / 2.0,
    ))  # fmt: skip
    found.sort(key=lambda r: (-r.weight, r.voice, r.observed))
    return tuple(found[:most])
