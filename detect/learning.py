"""What a run learns from while it walks the days: the counts of those before, without what sessions of cases added.

How the history stood when a day was over can be written down, so that a run that takes up there adds only what was
counted since. It holds as long as the counts of the days before add up to the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from datetime import date
from itertools import chain, groupby
from operator import itemgetter
from typing import Final

import duckdb
import msgspec

from baseline.history import SERVED, CountRow, History
from baseline.pins import pinned
from baseline.served import ServedCounts
from detect.memory import packed, unpacked
from ingest.database import ask, ask_in_parts, rows_sharing_texts

_COUNTS: Final = """
select day, agent_id, agent_version, aspect, context, value, steps, sessions
from counts
where aspect in (select unnest($aspects)) and ($since::date is null or day >= $since::date)
order by day nulls first, agent_id, aspect, context, value, agent_version, steps, sessions
"""

_COUNTS_AT_ONCE: Final = 100_000
_REPEATED: Final = frozenset({"agent_id", "agent_version", "aspect", "context", "value"})

_ADDED: Final = """
select coalesce(sum(steps), 0)::varchar || '-' || coalesce(sum(sessions), 0)::varchar
from counts
where aspect in (select unnest($aspects)) and (day is null or day < $before::date)
"""


class Learnt(msgspec.Struct, frozen=True):
    """How the history stood when a day was over."""

    day: date
    """The counts of the days before it had been added; what flagged sessions showed to its end had been taken off."""
    added: str
    """How many steps and sessions the counts of the days before it came to."""
    history: bytes
    pending: list[CountRow]
    """What is to be taken off together with the adding of the day itself: sessions flagged before it went on in it."""


class Learning:
    """The history of one run, and what is yet to be added to it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, pin: str | None, learnt: bytes | None = None) -> None:
        self._connection = connection
        self._pin = pin
        self._served = ServedCounts(connection)
        self._later: dict[date, list[CountRow]] = {}
        """Counts of flagged sessions on days that are yet to be added."""
        self._taken_up: date | None = None
        self.history = History()
        if learnt is not None and pin is None:
            self._take_up(msgspec.msgpack.decode(learnt, type=Learnt))
        self._counts = self._counts_by_day()
        self._next_counts = next(self._counts, None)

    def state(self, day: date | None) -> bytes | None:
        """How the history stands when this day is over, for a later run."""
        if day is None or self._pin is not None:
            return None
        learnt = Learnt(day, self._added(day), packed(self.history.state()), self._later.get(day, []))
        return msgspec.msgpack.encode(learnt)

    def before(self, day: date | None) -> None:
        """Add the counts of every day before this one; the undated ones come first."""
        while self._next_counts is not None:
            counted, rows = self._next_counts
            if counted is not None and (day is None or counted >= day):
                return
            self.history.add(rows)
            if counted is not None:
                self.history.add(self._later.pop(counted, ()), sign=-1)
            self._next_counts = next(self._counts, None)

    def unlearn(self, sessions: Set[str], until: date | None) -> None:
        """Nothing is learnt from the sessions of a case: their counts are taken off, those of later days then."""
        if not sessions or self._pin is not None:
            return
        self.history.add(self._split(sessions, until), sign=-1)

    def unlearn_of_before(self, sessions: Set[str], until: date | None) -> None:
        """The same for sessions that an earlier run flagged; where its history was taken up, they are off already."""
        if self._taken_up is None:
            self.unlearn(sessions, until)
        elif sessions:
            self._split(self._served.still_at_work(sessions, self._taken_up), until)

    def _split(self, sessions: Set[str], until: date | None) -> list[CountRow]:
        """What the sessions added up to that day; what they will add later is kept for then."""
        past: list[CountRow] = []
        for row in self._served.of(sessions):
            if row[0] is None or (until is not None and row[0] <= until):
                past.append(row)
            else:
                self._later.setdefault(row[0], []).append(row)
        return past

    def _take_up(self, learnt: Learnt) -> None:
        if learnt.added == self._added(learnt.day):
            self.history = History.resumed(unpacked(learnt.history))
            self._taken_up = learnt.day
            self._later[learnt.day] = learnt.pending

    def _added(self, day: date) -> str:
        added: str = ask(self._connection, _ADDED, aspects=sorted(SERVED), before=day).item()
        return added

    def _counts_by_day(self) -> Iterator[tuple[date | None, list[CountRow]]]:
        if self._pin is not None:
            yield None, pinned(self._connection, self._pin, SERVED)
            return
        parts = ask_in_parts(
            self._connection.cursor(), _COUNTS, _COUNTS_AT_ONCE, aspects=sorted(SERVED), since=self._taken_up
        )
        rows = chain.from_iterable(rows_sharing_texts(part, part.columns, _REPEATED) for part in parts)
        for day, group in groupby(rows, key=itemgetter(0)):
            yield day, list(group)
