"""The budget of cases a day, live: today's bar is set by the days that are over, as a batch sets it (`budget.py`).

A case is weighed whenever it changes, and once raised it stays raised: whoever was told of it is told how it ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from detect.budget import Bar, Walk, is_dated, offers_of
from detect.cases import Case


class Bars:
    """One thread's. Without a budget every case is raised."""

    def __init__(self, cases_per_day: float | None) -> None:
        self._cases_per_day = cases_per_day
        self._raised: set[str] = set()
        self._before: dict[date, Bar] = {}
        self._today = Bar(0.0)

    def renew(self, cases: Sequence[tuple[str, Case]], days: Iterable[date], today: date | None) -> None:
        """Walk the days before today anew, with the cases as they are."""
        if self._cases_per_day is None:
            return
        walk = Walk(self._cases_per_day)
        offers = offers_of(cases)
        over = sorted(day for day in {*days, *offers} if today is None or day < today)
        self._before = {day: walk.day(day, offers.get(day, ())).bar for day in over}
        self._today = walk.budget.bar()
        self._raised |= walk.raised

    def held(self, cases: Sequence[tuple[str, Case]]) -> set[str]:
        """Those of these cases that stay under the bar of every day that added to them."""
        if self._cases_per_day is None:
            return set()
        for day, offered in sorted(offers_of([(i, case) for i, case in cases if i not in self._raised]).items()):
            bar = self._before.get(day, self._today)
            self._raised |= {o.case_id for o in offered if o.is_hard or bar.admits(o.case_id, o.weight)}
        return {i for i, case in cases if i not in self._raised and is_dated(case)}
