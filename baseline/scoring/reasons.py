"""Why a session stands out: what was seen, how often benign history showed the same, and what would make it quiet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from baseline.scoring.past import Past
from baseline.scoring.provenance import origin_of
from baseline.scoring.traits import TRAITS, Rows
from baseline.scoring.words import named, text_of

if TYPE_CHECKING:
    from baseline.scoring.sessions import Session

_ORIGIN: Final = (
    "key_request", "key_answer", "key_nowhere", "prose_request", "prose_answer", "prose_nowhere", "origin_surprisal",
    "request_covers", "answer_covers", "answer_over_request", "values_known", "rarest_answer_word", "new_words",
    "identifiers_answered", "no_values", "other_covered",
)  # fmt: skip
_ORDER: Final = (
    "answer_tool_words", "answer_asks", "answer_lift", "order_asks", "order_covers", "order_tool_words", "order_lift",
    "most_asks", "source_asked", "steps_since_source",
)  # fmt: skip
VOICES: Final[dict[str, tuple[str, ...]]] = {
    "request": ("tool_words_asked", "relevance", "relevance_behind", "near_like", "lift_over_request",
                "other_relevance"),
    "origin": _ORIGIN,
    "order": _ORDER,
    "sequence": ("tool_tasks", "surprisal", "changes_before", "again"),
}  # fmt: skip
"""What each voice of an explanation rests on: does the request explain the call, where do its values come from,
does an answer order it, is it usual at this place?"""


@dataclass(frozen=True)
class Reason:
    """One sentence with its counts: seen in `count` of `of`. `weight` is by how much the log-odds fall without it."""

    voice: str
    observed: str
    expected: str
    count: float
    of: float
    weight: float


@dataclass(frozen=True)
class Explanation:
    """Why a session is where it is."""

    step: int
    """The number of the call that weighs most."""
    reasons: tuple[Reason, ...]
    """At most three, the strongest first."""
    nearest: str | None
    """A benign session of the task whose request is most like this one's."""
    likeness: float
    nearest_tools: tuple[str, ...]
    """The changing tools that this task took."""
    p_without: Mapping[str, float]
    """The session's probability were one voice as in a usual benign call: {voice: p}."""
    quiet_without: tuple[str, ...]
    """The fewest of the voices, strongest first, without which the session would not be over the bar; empty where
    all of them together do not suffice."""


def without(rows: Rows, usual: Rows, voices: tuple[str, ...]) -> Rows:
    """These rows, with the traits of some voices as in a usual benign call."""
    names = list(TRAITS)
    at = [names.index(t) for v in voices for t in VOICES[v]]
    found = rows.copy()
    found[:, at] = usual[at]
    return found


def reasons_of(session: Session, number: int, drops: Mapping[str, float], past: Past) -> tuple[Reason, ...]:
    """One reason for each voice that adds to the odds, the strongest first, three at most; ties by voice."""
    speak = {"request": _request, "origin": _origin, "order": _order, "sequence": _sequence}
    strongest = sorted(drops, key=lambda v: (-drops[v], v))
    return tuple(
        Reason(v, *speak[v](session, number, past), round(drops[v], 4)) for v in strongest[:3] if drops[v] > 0.0
    )


_Told = tuple[str, str, float, float]


def _request(session: Session, number: int, past: Past) -> _Told:
    tool = session.steps[number].tool
    like = [taken for words, taken in past.requests.get(session.agent_id, ()) if words & session.asked]
    used = sum(tool in taken for taken in like)
    words = ", ".join(sorted(named(tool) - session.asked)) or "none of its name's words"
    return (f"{tool} was called; not in the request: {words}",
            f"{used} of {len(like)} tasks with words in common took it", used, len(like))  # fmt: skip


def _origin(session: Session, number: int, past: Past) -> _Told:
    """The argument whose source is the rarest."""
    step = session.steps[number]
    answered = frozenset().union(*(text_of(s.result).words for s in session.steps[:number]))
    found: list[tuple[float, str, str, float, float]] = []
    for name in dict.fromkeys(v.name for v in step.values):
        value = next(v for v in step.values if v.name == name)
        origin = origin_of(value.read.words, session.asked_tokens, answered)
        counts = past.origins.get((session.agent_id, step.tool, name), {})
        total, count = sum(counts.values()), counts.get(origin, 0.0)
        where = {"answer": "only in an earlier answer", "nowhere": "nowhere before", "request": "in the request"}
        said = f"{name} of {step.tool} stood {where.get(origin, 'partly in an answer')}"
        found.append(((origin == "request") + (count + 0.5) / (total + 1.0), name, said, count, total))
    if not found:
        return f"{step.tool} was called without arguments", "no argument names the request", 0.0, 0.0
    _, _, said, count, total = min(found)
    return said, f"{count:.1f} of {total:.1f} tasks had it so", round(count, 3), round(total, 3)


def _order(session: Session, number: int, past: Past) -> _Told:
    """The answer before the call that asks most."""
    asks = [
        (passages[0].asks if (passages := past.asking.passages(s.result)) else 0.0, -n)
        for n, s in enumerate(session.steps[:number])
    ]
    most, at = max(asks, default=(0.0, 0))
    tool = session.steps[number].tool
    if not asks:
        return f"{tool} was called before any answer", "no answer could have asked for it", 0.0, 0.0
    source = session.steps[-at].tool
    tasks = past.agent_tasks.get(session.agent_id, 0)
    took = past.tool_tasks.get((session.agent_id, tool), 0)
    return (f"an answer of {source} reads like a request (log-odds {most:+.2f} a word) before {tool}",
            f"answers tell and do not ask (below 0); {took} of {tasks} tasks took {tool}", took, tasks)  # fmt: skip


def _sequence(session: Session, number: int, past: Past) -> _Told:
    tool = session.steps[number].tool
    before = tuple(s.tool if s.ok else f"{s.tool} failed" for s in session.steps[max(0, number - 1) : number])
    follows: Mapping[str, int] = past.follows.get((session.agent_id, *before), {})
    total, count = sum(follows.values()), follows.get(tool, 0)
    after = f"after {before[0]}" if before else "as the first call"
    return f"{tool} came {after}", f"{count} of {total} times", count, total


def usual_of(rows: Rows) -> Rows:
    """What each trait is in a usual benign call."""
    found: Rows = np.median(rows, axis=0) if len(rows) else np.zeros(len(TRAITS))
    return found
