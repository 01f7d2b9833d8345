"""The two verdicts on a live step: at once, and when its surroundings have had time to come.

Exporters send when spans end, each in its own rhythm, so steps arrive out of order by some seconds. The early pass
takes them as they come; the settled pass takes them in the order of time, `lag_s` after they arrived. A step's
findings are those of the last pass that took it. Both share one history: the days before the settled pass's day.
Where a step changes (its agent came later, say), the early pass begins again from the settled one.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from heapq import heappop, heappush
from typing import Final

import msgspec

from baseline.history import CountRow, History
from detect.account import Account
from detect.cases import Found
from detect.causal import CausalPass
from detect.continuing import Judged
from detect.evidence import Rates
from detect.run import all_detectors, is_quiet, judge
from detect.step import Step
from detect.verdicts import Tuning

LAG_S: Final = 60.0
"""How long after its arrival a step is judged for good: SDKs export every 5 s, log shippers every 30 s or so."""
RENEWAL_SHARE: Final = 0.1
"""The share of the time that beginning again may take."""

_Key = tuple[bool, int, str, int]


@dataclass
class _Queued:
    """A step on its way to the settled pass."""

    step: Step
    key: _Key
    arrived_at: float


class Judge:
    """One thread's."""

    def __init__(
        self, history: History, settled: CausalPass, rates: Rates, learnt_to: date | None, *, lag_s: float = LAG_S
    ) -> None:
        """`settled` remembers everything before the day `learnt_to`, and `rates` those days' findings."""
        self._history, self._settled, self._rates, self._lag_s = history, settled, rates, lag_s
        self._early = settled.again()
        self._queue: dict[str, _Queued] = {}
        self._by_arrival: deque[tuple[float, str]] = deque()
        """(arrived at, event), the first first; one that came again stands in it twice, and counts the second time."""
        self._in_time: list[tuple[_Key, str]] = []
        """A heap of (place in time, event); one whose place changed stands in it twice, and counts at the second."""
        self._due: _Key | None = None
        """What lies no later in time is to be judged for good."""
        self._seen: dict[str, dict[str, int]] = {}
        self._account = Account(all_detectors())
        self._early_account = Account(all_detectors())
        self._judged_before: Judged = Counter()
        self._found_today: list[Found] = []
        self._arrivals = 0
        self._renewed_at = self._renewal_cost_s = 0.0
        self._changed: set[str] = set()
        self.learnt_to = learnt_to
        """Days before this one are in the history."""
        self.found: dict[str, tuple[Found, ...]] = {}
        """By event."""
        self.failed: dict[str, str] = {}
        """Detector -> why it broke."""
        self.tuning = Tuning(())
        """What people said so far; steps that are judged from then on are tuned by it."""

    def take(self, step: Step) -> None:
        """Judge a step for good, in the order of time."""
        facts = self._settled.take(step)
        found = judge(step, facts, self._history, self.failed, self._account) if facts is not None else ()
        weighed = tuple(self._rates.weigh(found))
        self._found_today += weighed
        self._hold(step.event_id, weighed)

    def renew(self) -> None:
        """Let the early pass begin again from the settled one: what it took twice or too early is forgotten."""
        began = time.monotonic()
        self._early = self._settled.again()
        for queued in sorted(self._queue.values(), key=lambda q: q.key):
            self._take_early(queued.step)
        self._renewed_at = time.monotonic()
        self._renewal_cost_s = self._renewed_at - began

    def known(self, steps: Iterable[Step]) -> None:
        """Steps that were judged before they were fetched again: only what changes in them is judged anew."""
        for step in steps:
            self._seen.setdefault(step.trace_id, {})[step.event_id] = _digest(step)

    def account(self) -> Judged:
        """Who could judge how many steps so far, for good, and what the others lacked."""
        return self._judged_before + self._account.told()

    def add_account(self, judged: Judged) -> None:
        """Of days that were judged before."""
        self._judged_before.update(judged)

    def drop(self, events: Iterable[str]) -> None:
        """These are no events any more."""
        for event_id in events:
            self.found.pop(event_id, None)

    def forget(self, traces: Iterable[str]) -> None:
        """These traces are no longer open."""
        for trace_id in traces:
            self._seen.pop(trace_id, None)

    def early(self, steps: Iterable[Step], now: float) -> int:
        """Judge what is new or has changed at once; steps of whole traces, in the order of time. Returns how many."""
        new: list[Step] = []
        is_revised = False
        for step in steps:
            self._arrivals += 1
            key = (step.at_ns is not None, step.at_ns or 0, step.session_id, self._arrivals)
            digest, seen = _digest(step), self._seen.setdefault(step.trace_id, {})
            if seen.get(step.event_id) == digest:
                if (queued := self._queue.get(step.event_id)) is not None:
                    queued.key = key
                    heappush(self._in_time, (key, step.event_id))
                continue
            is_revised |= step.event_id in seen
            seen[step.event_id] = digest
            self._queue[step.event_id] = _Queued(step, key, now)
            self._by_arrival.append((now, step.event_id))
            heappush(self._in_time, (key, step.event_id))
            new.append(step)
        if is_revised and time.monotonic() - self._renewed_at >= self._renewal_cost_s / RENEWAL_SHARE:
            self.renew()
        else:
            for step in new:
                self._take_early(step)
        return len(new)

    def settle(self, now: float, *, everything: bool = False, no_later_than: date | None = None) -> date | None:
        """Judge for good what arrived at least `lag_s` ago, with all that precedes it in time.

        Returns the day that a step needs the history of, where that is not learnt yet: learn it, and call again.
        A step that claims a day after `no_later_than` is judged with what is known.
        """
        due: _Key | None = None
        while self._by_arrival and (everything or now - self._by_arrival[0][0] >= self._lag_s):
            arrived_at, event_id = self._by_arrival.popleft()
            queued = self._queue.get(event_id)
            if queued is not None and queued.arrived_at == arrived_at:
                due = queued.key if due is None else max(due, queued.key)
        if due is not None:
            self._due = due if self._due is None else max(self._due, due)
        while self._in_time and self._due is not None and self._in_time[0][0] <= self._due:
            key, event_id = self._in_time[0]
            queued = self._queue.get(event_id)
            if queued is not None and queued.key == key:
                day = queued.step.day
                is_plausible = no_later_than is None or (day is not None and day <= no_later_than)
                if day is not None and is_plausible and (self.learnt_to is None or day > self.learnt_to):
                    return day
                del self._queue[event_id]
                self.take(queued.step)
            heappop(self._in_time)
        self._due = None
        return None

    def learn(
        self, to: date, rows: Iterable[CountRow], unlearnt: Iterable[CountRow], flagged: Collection[str] = ()
    ) -> None:
        """The days before `to` are over: add their counts, and take off those of flagged sessions."""
        self._history.add(rows)
        self._history.add(unlearnt, sign=-1)
        if self.learnt_to is not None:
            self._settled.end_day(set(flagged))
            judged = self._account.told()
            self._rates.add(self.learnt_to, (agent for _, agent, _ in judged), self._found_today)
            self._judged_before.update(judged)
            self._account.clear()
            self._found_today.clear()
        self.learnt_to = to

    def changed(self) -> set[str]:
        """The events whose findings changed since this was last asked."""
        changed, self._changed = self._changed, set()
        return changed

    def _take_early(self, step: Step) -> None:
        # A copy: a pass may class a step by what it does, and the settled pass takes it too.
        facts = self._early.take(msgspec.structs.replace(step))
        found = judge(step, facts, self._history, self.failed, self._early_account) if facts is not None else ()
        self._hold(step.event_id, tuple(self._rates.weigh(found)))

    def _hold(self, event_id: str, told: tuple[Found, ...]) -> None:
        found = tuple(f for f in told if not is_quiet(f, self.tuning))
        if found != self.found.get(event_id, ()):
            self._changed.add(event_id)
            if found:
                self.found[event_id] = found
            else:
                del self.found[event_id]


def _digest(step: Step) -> int:
    return hash(msgspec.msgpack.encode(step))
