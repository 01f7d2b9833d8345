"""A change record that a step rests on, and that is for something else: another thing, agent or time, or not in force.

The other side of an excuse. A number that is cited looks like a permission as long as nobody reads the record.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Final

import msgspec

from detect.excuses import Excuses
from detect.memory import Habits
from detect.step import Step
from ingest.arguments import scalars_in

_LEAST_RESTED: Final = 3
_FITS, _FITS_NOT = "a change fits", "no change fits"


class Misfit(msgspec.Struct, frozen=True):
    """A change record that is for something else than the step that rests on it."""

    number: str
    why: str
    """What in the record speaks against the step."""
    is_cited: bool
    whose: str
    """The agent, or the fleet where the agent hardly ever rested on a record."""
    fits: int
    """Its sessions of earlier days in which a record was for what was done."""
    misfits: int


def misfit(excuses: Excuses, step: Step, run: str, agents: Container[str], habits: Habits) -> Misfit | None:
    """The record that the step cites, or the only one that its run looked up, where it is for something else.

    `run`: the session of the same run in another log; `agents`: who is known to act as one.
    """
    if step.target is None:
        return None
    void = excuses.void.get(step.session_id) or excuses.void.get(run, {})
    looked_up = {**(excuses.looked_up.get(step.session_id) or excuses.looked_up.get(run, {})), **void}
    values = dict.fromkeys(value for _, value in scalars_in(step.arguments))
    cited = [change for value in values if (change := void.get(value) or excuses.anywhere.get(value)) is not None]
    about = cited or (list(looked_up.values()) if len(looked_up) == 1 else [])
    if not about:
        return None
    reasons = [f"is {change.state}" if change.number in void else change.against(step, agents) for change in about]
    fits = None in reasons
    for whose in (step.agent_id, ""):
        habits.note(step.session_id, _FITS if fits else _FITS_NOT, whose)
    if fits:
        return None
    if not cited and about[0].number not in void:
        has_done_it = habits.is_noted(step.session_id, _FITS, step.agent_id)
        if has_done_it or not about[0].names_alike(step.target):
            return None
    whose = step.agent_id
    if habits.seen(_FITS, whose) + habits.seen(_FITS_NOT, whose) < _LEAST_RESTED:
        whose = ""
    rested = (habits.seen(_FITS, whose), habits.seen(_FITS_NOT, whose))
    return Misfit(about[0].number, reasons[0] or "", bool(cited), whose or "the fleet", *rested)
