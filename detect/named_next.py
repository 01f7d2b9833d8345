"""Which place the work on another place named: a command that runs on one host and says where to go on from there.

What is run on a host is seen before what comes of it. Where a command names a second host, and somebody then works on
that one, the two steps are an edge of a path, whoever took them.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from detect.memory import Habits, remember
from detect.step import Step, within
from ingest.arguments import scalars_in

_MOST_PLACES: Final = 20_000
_MOST_NAMED: Final = 16
_LONGEST: Final = 2_000
_NAME: Final = re.compile(r"[A-Za-z0-9][\w-]*(?:\.[\w-]+)*")
_SHORTEST: Final = 5


class Named(msgspec.Struct, frozen=True):
    """A step on one place whose command named another."""

    step: Step
    path: tuple[Step, ...]
    """How the place of the step had been reached in the same way."""


class NamedNext(msgspec.Struct):
    """Place -> who named it last in a command on another place."""

    places: dict[str, Named] = {}

    def take(self, step: Step, came: tuple[Step, ...]) -> None:
        """Remember what a command on a host names besides that host."""
        slim = step.without_payload()
        named = Named(slim, (*came, slim)[-_MOST_NAMED:])
        seen = 0
        for _, value in scalars_in(step.arguments):
            if " " not in value or len(value) > _LONGEST:
                continue
            for name in dict.fromkeys(_NAME.findall(value)):
                if is_place(name) and name != step.target and seen < _MOST_NAMED:
                    remember(self.places, name, named, _MOST_PLACES)
                    seen += 1

    def came(self, step: Step, window_s: float) -> tuple[Step, ...]:
        """The steps, each on the place that the one before had named, that lead to this step's target."""
        named = self.places.get(step.target or "")
        if named is None or named.step.event_id == step.event_id or named.step.target == step.target:
            return ()
        return named.path if within(named.step, step, window_s) else ()

    def went(self, step: Step, habits: Habits, window_s: float) -> tuple[tuple[Step, ...], int]:
        """The way that commands on other hosts had named, and in how many sessions somebody went it before."""
        came = self.came(step, window_s)
        if step.is_done and step.capability == "remote_execution":
            self.take(step, came)
        if not came:
            return (), 0
        way = (came[-1].target or "", step.target or "")
        habits.note(step.session_id, "way", *way)
        return came, habits.seen("way", *way)


def is_place(name: str) -> bool:
    """Whether a word in a text looks like the name of a machine: with a digit and a letter, or with dots."""
    if len(name) < _SHORTEST:
        return False
    return any(c.isdigit() for c in name) and any(c.isalpha() for c in name)
