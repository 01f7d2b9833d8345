"""The cases of all live findings, each under the id that it was first raised with.

What hangs together is grouped anew when a finding of it changes, so a group of very many findings costs much: it rests
between, so that it takes no more than its share of the time and holds up no other case.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

from detect.cases import Case, Found, build_cases, shared

LARGE: Final = 500
"""Findings from which on a group rests; a smaller one is grouped in some milliseconds."""
LARGE_SHARE: Final = 0.05
"""The share of the time that one large group may take."""

_Key = tuple[str, str]


class Cases:
    """One thread's."""

    def __init__(
        self,
        found: Iterable[Found] = (),
        case_of: Mapping[str, str] | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._case_of: dict[str, str] = dict(case_of or {})
        """Finding -> the case that it was last part of."""
        self._is_in: dict[str, tuple[str, bool]] = {}
        """Finding -> the case that it is part of, and whether that one only counts it."""
        self._clock = clock
        self._order: dict[str, int] = {}
        self._cases: dict[str, Case] = {}
        self._found: dict[str, tuple[Found, ...]] = {}
        self._events_of: dict[_Key, set[str]] = {}
        self._flagged: Counter[str] = Counter()
        self._waiting: dict[str, list[Found]] = {}
        """Events whose group is to be made anew, with what was said of them before."""
        self._rests: dict[_Key, float] = {}
        """What ties a large group together, until when it rests."""
        self._touched: set[str] = set()
        by_event: dict[str, list[Found]] = {}
        for f in found:
            by_event.setdefault(f.step.event_id, []).append(f)
        self.revise({event: tuple(told) for event, told in by_event.items()}, everything=True)
        self.touched()

    def items(self) -> list[tuple[str, Case]]:
        """(id, case), the first raised first."""
        return sorted(self._cases.items(), key=lambda item: (self._order[item[0]], item[0]))

    def named(self, ids: Iterable[str]) -> list[tuple[str, Case]]:
        """Those of these ids that are cases now, the first raised first."""
        there = [(i, self._cases[i]) for i in ids if i in self._cases]
        return sorted(there, key=lambda item: (self._order[item[0]], item[0]))

    def found_of(self, events: Iterable[str]) -> list[Found]:
        """The findings of these events."""
        return [f for event in events for f in self._found.get(event, ())]

    def places(self, found: Iterable[Found]) -> dict[str, tuple[str, bool]]:
        """Finding -> the case that it is part of, where it is part of one, and whether that one only counts it."""
        return {i: self._is_in[i] for f in found if (i := f.finding_id) in self._is_in}

    @property
    def flagged(self) -> frozenset[str]:
        """Sessions of findings that raise a case: nothing is learnt from them."""
        return frozenset(self._flagged)

    @property
    def is_behind(self) -> bool:
        """Whether a large group rests that is to be made anew."""
        return bool(self._waiting)

    def touched(self) -> set[str]:
        """The events whose findings, or whose findings' case, changed since this was last asked."""
        touched, self._touched = self._touched, set()
        return touched

    def revise(self, changed: Mapping[str, tuple[Found, ...]], *, everything: bool = False) -> dict[str, Case | None]:
        """Take the findings of these events as they are now. Returns the cases that changed; None for one that ended.

        A case keeps its id when its root changes: an earlier step that came later must not raise it again. With
        `everything` nothing rests.
        """
        for event_id, told in changed.items():
            before = self._found.pop(event_id, ())
            self._waiting.setdefault(event_id, []).extend(before)
            self._tie(event_id, before, -1)
            if told:
                self._found[event_id] = told
                self._tie(event_id, told, +1)
            self._touched.add(event_id)
        now = self._clock()
        outcome: dict[str, Case | None] = {}
        for event_id in list(self._waiting):
            if event_id not in self._waiting:
                continue  # grouped with another one
            concerned = [*self._waiting[event_id], *self._found.get(event_id, ())]
            keys = _keys(concerned)
            if everything or not any(self._rests.get(key, 0.0) > now for key in keys):
                del self._waiting[event_id]
                self._group(keys, concerned, outcome)
        return outcome

    def forget(self, sessions: Collection[str]) -> list[str]:
        """What was dropped from the store is no part of anything any more. Returns the events that are forgotten."""
        for case_id in [i for i, case in self._cases.items() if case.worst.step.session_id in sessions]:
            del self._cases[case_id], self._order[case_id]
        gone = [event for event, told in self._found.items() if told[0].step.session_id in sessions]
        for event in gone:
            told = self._found.pop(event)
            self._waiting.pop(event, None)
            self._tie(event, told, -1)
            for f in told:
                self._is_in.pop(f.finding_id, None)
                self._case_of.pop(f.finding_id, None)
        return gone

    def _tie(self, event_id: str, told: tuple[Found, ...], sign: int) -> None:
        for key in _keys(told):
            events = self._events_of.setdefault(key, set())
            if sign > 0:
                events.add(event_id)
            else:
                events.discard(event_id)
                if not events:
                    del self._events_of[key]
        for session in (s.session_id for f in told if f.raises_case for s in f.finding.path):
            self._flagged[session] += sign
            if not self._flagged[session]:
                del self._flagged[session]

    def _group(self, keys: set[_Key], concerned: list[Found], outcome: dict[str, Case | None]) -> None:
        """Make the cases of all that hangs together by these keys anew."""
        began = time.monotonic()
        together, ties = self._connected(keys)
        for event in sorted(together & self._waiting.keys()):
            concerned += self._waiting.pop(event)
        told_now = [f for event in sorted(together) for f in self._found[event]]
        ids = {self._case_of[i] for f in (*told_now, *concerned) if (i := f.finding_id) in self._case_of}
        before = {case_id: self._cases.pop(case_id) for case_id in ids if case_id in self._cases}
        outcome.update(dict.fromkeys(before))
        is_in: dict[str, tuple[str, bool]] = {}
        for case in build_cases(told_now):
            case_id = self._id_of(case)
            self._cases[case_id] = case
            self._order.setdefault(case_id, len(self._order))
            is_in.update((f.finding_id, (case_id, False)) for f in case.found)
            is_in.update(dict.fromkeys(case.beyond, (case_id, True)))
            if before.get(case_id) == case:
                outcome.pop(case_id, None)
            else:
                outcome[case_id] = case
        self._move(told_now, concerned, is_in)
        if len(told_now) > LARGE:
            until = self._clock() + (time.monotonic() - began) / LARGE_SHARE
            self._rests = {key: at for key, at in self._rests.items() if at > self._clock()} | dict.fromkeys(
                ties, until
            )

    def _move(
        self, told_now: Iterable[Found], concerned: Iterable[Found], is_in: Mapping[str, tuple[str, bool]]
    ) -> None:
        for f in (*concerned, *told_now):
            finding_id = f.finding_id
            place = is_in.get(finding_id)
            if self._is_in.get(finding_id) != place:
                self._touched.add(f.step.event_id)
            if place is None:
                self._is_in.pop(finding_id, None)
            else:
                self._is_in[finding_id] = place
                self._case_of[finding_id] = place[0]

    def _id_of(self, case: Case) -> str:
        known = {self._case_of[i] for i in case.finding_ids if i in self._case_of} - self._cases.keys()
        return min(known, key=lambda i: (self._order.get(i, 0), i), default=case.case_id)

    def _connected(self, keys: set[_Key]) -> tuple[set[str], set[_Key]]:
        """The events of all findings that share a key with these, or with one that does; and all their keys."""
        events: set[str] = set()
        pending, seen = list(keys), set(keys)
        while pending:
            for event in self._events_of.get(pending.pop(), set()) - events:
                events.add(event)
                more = _keys(self._found[event]) - seen
                seen |= more
                pending += more
        return events, seen


def _keys(told: Iterable[Found]) -> set[_Key]:
    """What may tie findings to others (`build_cases` says what does)."""
    keys = {("session", step.session_id) for f in told for step in (*f.finding.path, f.step)}
    return keys.union(*(shared(f) for f in told))
