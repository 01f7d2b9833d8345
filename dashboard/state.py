"""What a session has held and reached so far, and what one step changed.

Everything here only grows, so the first moment of each item is all there is to know: the state at a step is a
prefix of a sorted list, found by bisection, whatever the length of the session.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final, NamedTuple

import polars as pl

from detect.handed_out import given

ASPECTS: Final = ("credential", "principal", "agent", "host", "target", "path")
"""Credentials acted with or handed out, principals, agents, hosts acted from, targets reached, network paths opened."""

SHOWN: Final = 8
"""Of each aspect, how many of the latest items are told; the count says the rest."""


_COLUMNS: Final = ("credential_id", "principal", "agent_id", "source_host", "target")


class Moment(NamedTuple):
    """An item of an aspect, and the step at which the session first had it."""

    step: int
    aspect: str
    value: str
    how: str


class State:
    """The moments of one session in order."""

    def __init__(self, moments: list[Moment]) -> None:
        self._by_aspect = {name: [m for m in moments if m.aspect == name] for name in ASPECTS}
        self._steps = {name: [m.step for m in found] for name, found in self._by_aspect.items()}

    def count(self, aspect: str, step: int) -> int:
        """How many items of the aspect the session had after this step."""
        return bisect_right(self._steps[aspect], step)

    def latest(self, aspect: str, step: int, most: int = SHOWN) -> list[Moment]:
        """The items that the session came to last, up to this step, the newest last."""
        end = self.count(aspect, step)
        return self._by_aspect[aspect][max(0, end - most) : end]

    def changes(self, first: int, last: int) -> list[Moment]:
        """What the steps from `first` to `last` added, in order."""
        added = [
            moment
            for name in ASPECTS
            for moment in self._by_aspect[name][self.count(name, first - 1) : self.count(name, last)]
        ]
        return sorted(added)

    def changing(self) -> set[int]:
        """The steps that changed anything."""
        return {step for steps in self._steps.values() for step in steps}


def state_of(steps: pl.DataFrame, results: pl.DataFrame) -> State:
    """The state of a session: `steps` in order with their `capability`, `results` of those that give credentials.

    A call that failed or was denied reached nothing and opened nothing.
    """
    steps = steps.select("event_id", "step", "status", "kind", "capability", *_COLUMNS)
    done = steps.filter(~pl.col("status").is_in(["error", "denied"]))
    calls = done.filter(pl.col("kind") == "tool_call")
    moments = [
        *_first(steps, "credential", "credential_id", "acted with"),
        *_first(steps, "principal", "principal", "acted as"),
        *_first(steps, "agent", "agent_id", "took part"),
        *_first(done, "host", "source_host", "acted from"),
        *_first(calls, "target", "target", "reached"),
        *_first(calls.filter(pl.col("capability") == "network_path"), "path", "target", "opened"),
    ]
    used = {moment.value: moment.step for moment in moments if moment.aspect == "credential"}
    handed: dict[str, int] = {}
    for step, result in steps.join(results, on="event_id").sort("step").select("step", "result").iter_rows():
        for credential in given(result):
            if step < used.get(credential, step + 1):
                handed.setdefault(credential, step)
    moments = [m for m in moments if m.aspect != "credential" or m.value not in handed]
    moments += [Moment(step, "credential", credential, "was handed") for credential, step in handed.items()]
    return State(sorted(moments))


def _first(steps: pl.DataFrame, aspect: str, column: str, how: str) -> list[Moment]:
    found = steps.filter(pl.col(column).is_not_null()).group_by(column).agg(pl.col("step").min())
    return [Moment(step, aspect, value, how) for value, step in found.iter_rows()]
