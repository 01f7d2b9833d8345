"""What an agent has its tools do: the commands and statements in its calls, against those of its days before."""

from __future__ import annotations

from typing import Final

import msgspec

from baseline.told_to_do import MARK, told_to_do
from detect.memory import Habits
from detect.step import Step
from ingest.arguments import scalars_in

_LEAST_CALLS: Final = 10
"""Sessions with such a call before anything is said of another one."""


class NewDoing(msgspec.Struct, frozen=True):
    """What a call tells a usual tool to do, and its agent never told it."""

    words: str
    chance: float
    """Of a session of the agent telling this tool something new (Witten and Bell, 1991, method C); of something that a
    call does or does not, Laplace's rule. What is new to the whole fleet is at most as likely as that is there."""
    sessions: int
    """Sessions of the agent in which it told the tool anything."""
    shown_by_all: int
    """Sessions of the fleet in which any tool was told the same."""
    sessions_of_all: int
    """Sessions of the fleet in which any tool was told anything."""


def new_doing(step: Step, habits: Habits) -> NewDoing | None:
    """The rarest thing that a call tells its tool to do and its agent never told it; what it tells is remembered."""
    told = told_to_do(scalars_in(step.arguments))
    if not told or step.tool is None:
        return None
    agent, tool = step.agent_id, step.tool
    sessions = habits.seen("tells", agent, tool)
    found = [new for verb, whole in told if (new := _new(step, verb, whole, sessions, habits)) is not None]
    habits.note(step.session_id, "tells", agent, tool)
    habits.note(step.session_id, "told by all")
    for words in dict.fromkeys(words for pair in told for words in pair if words and words != MARK):
        habits.note(step.session_id, "told by all", words)
    for verb, whole in told:
        habits.note(step.session_id, "verb", agent, tool, verb)
        habits.note(step.session_id, "told", agent, tool, whole)
    return min(found, key=lambda new: (new.chance, new.shown_by_all, new.words), default=None)


def _new(step: Step, verb: str, whole: str, sessions: int, habits: Habits) -> NewDoing | None:
    """What is new about it: the verb itself, else what it is done to."""
    if sessions < _LEAST_CALLS:
        return None
    for kind, words in (("verb", "" if verb == MARK else verb), ("told", whole)):
        if words and not habits.seen(kind, step.agent_id, step.tool or "", words):
            distinct = 0 if verb == MARK else habits.distinct(kind, step.agent_id, step.tool or "")
            chance = (distinct + 1) / (sessions + distinct + 2)
            by_all, of_all = habits.seen("told by all", words), habits.seen("told by all")
            if not by_all:
                distinct = habits.distinct("told by all")
                chance = min(chance, (distinct + 1) / (of_all + distinct + 2))
            return NewDoing(words, chance, sessions, by_all, of_all)
    return None
