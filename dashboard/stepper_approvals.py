"""The approval steps that are about a call: who decided, when, how that is known, and whether the arguments agree."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from typing import Final

import polars as pl

from dashboard.queries import Record
from dashboard.words import approval, when
from ingest.arguments import scalars_in
from ingest.visible import visible

_DIFFERENCES: Final = 3


class Decisions:
    """The approval steps of a session, looked up by what they are about."""

    def __init__(self, decisions: pl.DataFrame) -> None:
        self._by_event: dict[str, int] = {}
        self._by_parent: dict[str, list[int]] = defaultdict(list)
        self._by_name: dict[tuple[str, str], list[int]] = defaultdict(list)
        columns = decisions.select("step", "event_id", "parent_event_id", "tool", "target")
        for step, event, parent, tool, target in columns.iter_rows():
            self._by_event[event] = step
            if parent is not None:
                self._by_parent[parent].append(step)
            for column, value in (("tool", tool), ("target", target)):
                if value is not None:
                    self._by_name[column, value].append(step)

    def about(self, step: Record) -> list[tuple[int, str]]:
        """The steps that decided on this one, each with how that is known; at most three.

        A link between the records is better than a name: the last decision before the step that names its
        target or its tool counts only where no record is linked.
        """
        if step["kind"] != "tool_call":
            return []
        linked = list(self._by_parent.get(step["event_id"], ()))
        if step["parent_event_id"] in self._by_event:
            linked.append(self._by_event[step["parent_event_id"]])
        if linked:
            return [(number, "linked by the records") for number in sorted(set(linked))[:3]]
        for column in ("target", "tool"):
            named = self._by_name.get((column, step[column] or ""), [])
            place = bisect_left(named, step["step"])
            if place:
                return [(named[place - 1], f"not linked; the last decision before it that names this {column}")]
        return []


def told(number: int, decision: Record, more: Record, how: str, done: str | None) -> str:
    """One decision in a line: when, what and by whom, how it is known, and whether it was about these arguments."""
    return (
        f"step {number:,} · {when(decision['ordered_at'])} · {approval(decision['approval'], decision['approver'])} · "
        f"{how} · {agreement(more['arguments'], done)} · {visible(more['source'], 120)}"
    )


def agreement(approved: str | None, done: str | None) -> str:
    """Whether what was approved is what was done, by the arguments that both name."""
    granted, used = dict(scalars_in(approved)), dict(scalars_in(done))
    shared = [key for key in granted if key in used]
    if not granted:
        return "the decision holds no arguments to compare"
    if not shared:
        return "the decision names none of the call's arguments"
    wrong = [key for key in shared if granted[key] != used[key]]
    if not wrong:
        return f"arguments agree ({len(shared):,} of {len(used):,} compared)"
    differences = [
        f"{visible(key, 40)}: {visible(granted[key], 60)} approved, {visible(used[key], 60)} done"
        for key in wrong[:_DIFFERENCES]
    ]
    return f"ARGUMENTS DIFFER ({'; '.join(differences)})"
