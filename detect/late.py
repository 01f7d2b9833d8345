"""What comes late: steps of days that were judged already and have a judged day after them."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Final

from detect.ran import LateDay
from ingest.database import ask, open_published

_STEPS_BEFORE_THE_NEWEST: Final = """
with traces as (
    select cast(min(first_at) as date) as day, sum(steps)::bigint as steps
    from stored_traces
    group by trace_id
)

select day, sum(steps)::bigint as steps
from traces
where day < $newest
group by day
order by day
"""

_NEWEST: Final = "select max(day) from judged"


class Behind:
    """The days that lie behind, as they are before a run reads; `late` then says what they gained."""

    def __init__(self, data: Path) -> None:
        self._data = data
        connection = open_published(data)
        self._newest: date | None = ask(connection, _NEWEST).item()
        connection.close()
        self._before = self._steps()

    def late(self) -> tuple[LateDay, ...]:
        """The days before the newest judged one that have more steps than before."""
        return tuple(
            LateDay(day, steps - self._before.get(day, 0))
            for day, steps in self._steps().items()
            if steps > self._before.get(day, 0)
        )

    def _steps(self) -> dict[date, int]:
        if self._newest is None:
            return {}
        connection = open_published(self._data)
        rows = dict(ask(connection, _STEPS_BEFORE_THE_NEWEST, newest=self._newest).iter_rows())
        connection.close()
        return rows
