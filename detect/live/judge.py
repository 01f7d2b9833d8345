"""The two verdicts on a live step: at once, and when its surroundings have had time to come.

Exporters send when spans end, each in its own rhythm, so steps arrive out of order by some seconds. The early pass
takes them as they come; the settled pass takes them in the order of time, `lag_s` after they arrived. A step's
findings are those of the last pass that took it. Both share one history: the days before the settled pass's day.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

import msgspec

from baseline.history import CountRow, History
from detect.cases import Case, Found, build_cases
from detect.causal import CausalPass
from detect.run import Detected, judge
from detect.step import Step

LAG_S: Final = 60.0
"""How long after its arrival a step is judged for good: SDKs export every 5 s, log shippers every 30 s or so."""

_Key = tuple[bool, int, str, int]


@dataclass
class _Queued:
    """A step on its way to the settled pass."""

    step: Step
    key: _Key
    arrived_at: float


class Judge:
    """One thread's. `result` notes who could judge what, and who broke."""

    def __init__(self, history: History, learnt_to: date | None, *, lag_s: float = LAG_S) -> None:
        self._history, self._lag_s = history, lag_s
        self._early, self._settled = CausalPass(history), CausalPass(history)
        self._queue: dict[str, _Queued] = {}
        self._seen: dict[str, dict[str, int]] = {}
        self._noted = Detected([], [])
        self._early_noted = Detected([], [])
        self._arrivals = 0
        self.learnt_to = learnt_to
        """Days before this one are in the history."""
        self.found: dict[str, tuple[Found, ...]] = {}
        """By event."""
        self._changed: set[str] = set()

    @property
    def failed(self) -> dict[str, str]:
        """Detector -> why it broke."""
        return self._early_noted.failed | self._noted.failed

    def warm(self, step: Step) -> None:
        """Take a stored step, in the order of time, into both passes; it is judged once."""
        self._early.take(step)
        self._take(step)

    def known(self, steps: Iterable[Step]) -> None:
        """Steps that were judged before they were fetched again: only what changes in them is judged anew."""
        for step in steps:
            self._seen.setdefault(step.trace_id, {})[step.event_id] = _digest(step)

    def forget(self, traces: Iterable[str]) -> None:
        """These traces are no longer open."""
        for trace_id in traces:
            self._seen.pop(trace_id, None)

    def early(self, steps: Iterable[Step], now: float) -> int:
        """Judge what is new or has changed at once; steps of whole traces, in the order of time. Returns how many."""
        judged = 0
        for step in steps:
            self._arrivals += 1
            key = (step.at_ns is not None, step.at_ns or 0, step.session_id, self._arrivals)
            digest, seen = _digest(step), self._seen.setdefault(step.trace_id, {})
            if seen.get(step.event_id) == digest:
                if (queued := self._queue.get(step.event_id)) is not None:
                    queued.key = key
                continue
            judged += 1
            seen[step.event_id] = digest
            self._queue[step.event_id] = _Queued(step, key, now)
            facts = self._early.take(step)
            found = judge(step, facts, self._history, self._early_noted) if facts is not None else ()
            self._hold(step.event_id, tuple(found))
        self._early_noted.judged.clear()
        return judged

    def settle(self, now: float, *, everything: bool = False, no_later_than: date | None = None) -> date | None:
        """Judge for good what arrived at least `lag_s` ago, with all that precedes it in time.

        Returns the day that a step needs the history of, where that is not learnt yet: learn it, and call again.
        A step that claims a day after `no_later_than` is judged with what is known.
        """
        if not self._queue:
            return None
        due = [q.key for q in self._queue.values() if everything or now - q.arrived_at >= self._lag_s]
        if not due:
            return None
        last = max(due)
        for queued in sorted((q for q in self._queue.values() if q.key <= last), key=lambda q: q.key):
            step = queued.step
            day = step.day
            is_plausible = no_later_than is None or (day is not None and day <= no_later_than)
            if day is not None and is_plausible and (self.learnt_to is None or day > self.learnt_to):
                return day
            del self._queue[step.event_id]
            self._take(step)
        return None

    def learn(self, to: date, rows: Iterable[CountRow], unlearnt: Iterable[CountRow]) -> None:
        """Add the counts of the days before `to` that were not learnt yet, and take off those of flagged sessions."""
        self._history.add(rows)
        self._history.add(unlearnt, sign=-1)
        self.learnt_to = to

    def changed(self) -> set[str]:
        """The events whose findings changed since this was last asked."""
        changed, self._changed = self._changed, set()
        return changed

    def _take(self, step: Step) -> None:
        facts = self._settled.take(step)
        found = judge(step, facts, self._history, self._noted) if facts is not None else ()
        self._hold(step.event_id, tuple(found))

    def _hold(self, event_id: str, found: tuple[Found, ...]) -> None:
        if found != self.found.get(event_id, ()):
            self._changed.add(event_id)
            if found:
                self.found[event_id] = found
            else:
                del self.found[event_id]


def _digest(step: Step) -> int:
    return hash(msgspec.msgpack.encode(step))


class Cases:
    """The cases of all findings, each under the id that it was first raised with."""

    def __init__(self, found: Iterable[Found] = (), case_of: dict[str, str] | None = None) -> None:
        self.case_of: dict[str, str] = dict(case_of or {})
        """Finding -> case."""
        self._order: dict[str, int] = {}
        self._cases: dict[str, Case] = {}
        self._found: dict[str, tuple[Found, ...]] = {}
        self._events_of: dict[str, set[str]] = {}
        by_event: dict[str, list[Found]] = {}
        for f in found:
            by_event.setdefault(f.step.event_id, []).append(f)
        self.revise({event: tuple(told) for event, told in by_event.items()})

    def items(self) -> list[tuple[str, Case]]:
        """(id, case), the first raised first."""
        return sorted(self._cases.items(), key=lambda item: (self._order[item[0]], item[0]))

    def found(self) -> list[Found]:
        """All findings."""
        return [f for told in self._found.values() for f in told]

    def revise(self, changed: dict[str, tuple[Found, ...]]) -> dict[str, Case | None]:
        """Take the findings of these events as they are now. Returns the cases that changed; None for one that ended.

        A case keeps its id when its root changes: an earlier step that came later must not raise it again.
        """
        concerned: list[Found] = []
        for event_id, told in changed.items():
            concerned += [*self._found.pop(event_id, ()), *told]
            if told:
                self._found[event_id] = told
                for session in self._sessions(told):
                    self._events_of.setdefault(session, set()).add(event_id)
        together = self._connected(self._sessions(concerned))
        told_now = [f for event in sorted(together) for f in self._found[event]]
        ids = {self.case_of[f.finding_id] for f in (*told_now, *concerned) if f.finding_id in self.case_of}
        before = {case_id: self._cases.pop(case_id) for case_id in ids if case_id in self._cases}
        outcome: dict[str, Case | None] = dict.fromkeys(before)
        for case in build_cases(told_now):
            case_id = self._id_of(case, taken=self._cases)
            self._cases[case_id] = case
            self._order.setdefault(case_id, len(self._order))
            self.case_of.update((f.finding_id, case_id) for f in case.found)
            if before.get(case_id) == case:
                outcome.pop(case_id, None)
            else:
                outcome[case_id] = case
        return outcome

    def _id_of(self, case: Case, taken: Collection[str]) -> str:
        known = {self.case_of[f.finding_id] for f in case.found if f.finding_id in self.case_of} - set(taken)
        return min(known, key=lambda i: (self._order.get(i, 0), i), default=case.case_id)

    @staticmethod
    def _sessions(told: Iterable[Found]) -> set[str]:
        return {step.session_id for f in told for step in (*f.finding.path, f.step)}

    def _connected(self, sessions: set[str]) -> set[str]:
        """The events of all findings that share a session with these, or with one that does."""
        events: set[str] = set()
        pending = list(sessions)
        seen = set(sessions)
        while pending:
            for event in self._events_of.get(pending.pop(), set()) - events:
                if event not in self._found:
                    continue
                events.add(event)
                more = self._sessions(self._found[event]) - seen
                seen |= more
                pending += more
        return events
