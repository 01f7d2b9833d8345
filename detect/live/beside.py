"""What speaks live beside the detectors: Sigma rules, and the scores that whole sessions have in the store.

A rule about one step speaks with the step. A correlation looks at other sessions too, so it is asked of what is
published, for the time that the publication added to. A session has a score once it has ended and `custodiet score`
or a run gave it one: a model of the weeks before cannot be made anew with every record.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb

from detect.cases import Found
from detect.session_scores import UNLIKE_ITS_HISTORY, found_by_score
from detect.sigma.found import Spoken, found_by_rules
from detect.sigma.rules import Rule


@dataclass(frozen=True)
class Late:
    """What is said of a published state."""

    since: datetime | None = None
    correlated: Sequence[Found] = ()
    """All that correlations say of steps since then."""
    scored: Sequence[Found] | None = None
    """All low scores; None where they are what they were."""


class Beside:
    """The judging thread's, but for `late`."""

    def __init__(self, rules: Sequence[Rule] = (), found: Sequence[Found] = (), scores: Sequence[str] = ()) -> None:
        """`found` is what a batch found by these rules, and by the scores in these files of the store."""
        self._of_one_step = [rule for rule in rules if rule.span_s is None]
        self._of_several = [rule for rule in rules if rule.span_s is not None]
        self._several = {f"sigma: {rule.title}" for rule in self._of_several}
        self._said: dict[str, dict[str, Found]] = defaultdict(dict)
        """Event -> who speaks of it, with what."""
        self._spoken: Spoken = defaultdict(set)
        self._scores = tuple(scores)
        self._scored = frozenset(f.step.session_id for f in found if f.detector is UNLIKE_ITS_HISTORY)
        self._changed: set[str] = set()
        for f in found:
            self._said[f.step.event_id][f.detector.name] = f
            if f.detector is not UNLIKE_ITS_HISTORY:
                self._spoken[f.detector.name, f.step.agent_id, f.step.tool].add(f.step.day)

    def of(self, event_id: str) -> tuple[Found, ...]:
        """What is said of an event."""
        return tuple(self._said.get(event_id, {}).values())

    def at_once(self, connection: duckdb.DuckDBPyConnection, events: Collection[str]) -> None:
        """Ask the rules about one step of these events; the connection has them as `events`, and `classed`."""
        if not self._of_one_step:
            return
        rules = {f"sigma: {rule.title}" for rule in self._of_one_step}
        self._replace(found_by_rules(connection, self._of_one_step, spoken=self._spoken), rules, events)

    def is_asked(self, scores: Sequence[str]) -> bool:
        """Whether there is anything to be said of a published state with these files of scores."""
        return bool(self._of_several) or self._scores != tuple(scores)

    def late(
        self,
        connection: duckdb.DuckDBPyConnection,
        since: datetime | None,
        scores: Sequence[str],
        flagged: frozenset[str],
    ) -> Late:
        """Ask correlations of what is published since then, and for scores where their files are others than before.

        The publishing thread's; the connection must have `classed`.
        """
        correlated = found_by_rules(connection, self._of_several, since=since, spoken=self._spoken)
        scored = None
        if self._scores != tuple(scores):
            self._scores, scored = tuple(scores), found_by_score(connection, flagged - self._scored)
        return Late(since, correlated, scored)

    def take(self, late: Late) -> None:
        """What was said of a published state."""
        stale = [
            event
            for event, said in self._said.items()
            if any(name in self._several and _is_since(f, late.since) for name, f in said.items())
        ]
        self._replace(late.correlated, self._several, stale)
        if late.scored is not None:
            name = UNLIKE_ITS_HISTORY.name
            self._scored = frozenset(f.step.session_id for f in late.scored)
            self._replace(late.scored, {name}, [event for event, said in self._said.items() if name in said])

    def changed(self) -> set[str]:
        """The events of which something else is said than when this was last asked."""
        changed, self._changed = self._changed, set()
        return changed

    def forget(self, events: Iterable[str]) -> None:
        """These were dropped from the store."""
        for event in events:
            self._said.pop(event, None)

    def _replace(self, found: Iterable[Found], names: Collection[str], events: Collection[str]) -> None:
        """Of these events, and of those found, the ones with these names say what is found and nothing else."""
        now: dict[str, dict[str, Found]] = {event: {} for event in events}
        for f in found:
            now.setdefault(f.step.event_id, {})[f.detector.name] = f
        for event, said in now.items():
            before = self._said.get(event, {})
            after = {name: f for name, f in before.items() if name not in names} | said
            if _ids(after) != _ids(before):
                self._changed.add(event)
            if after:
                self._said[event] = after
            else:
                self._said.pop(event, None)


def _ids(said: dict[str, Found]) -> dict[str, tuple[str, ...]]:
    """What makes another finding: the same one may be weighed anew, and its detector is made anew each time."""
    return {name: tuple(step.event_id for step in f.finding.path) for name, f in said.items()}


def _is_since(f: Found, since: datetime | None) -> bool:
    return since is None or (
        f.step.at_ns is not None and f.step.at_ns >= int(since.replace(tzinfo=UTC).timestamp()) * 1_000_000_000
    )
