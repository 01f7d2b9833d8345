"""The background half: pieces, findings and cases become a published state; counts of a day that is over come back."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from baseline.capability import Capabilities
from baseline.fold import classify_tools, counts_of_sessions, fold
from baseline.history import SERVED, CountRow
from detect.budget import stored_days
from detect.cases import Case, Found
from detect.continuing import Judged
from detect.live.beside import Beside, Late
from detect.results import cases_table, could_fire_table, failed_table, findings_table
from ingest.compaction import compact
from ingest.database import ask, open_published, write_for_people
from ingest.errors import Trouble
from ingest.followed import Piece
from ingest.pieces import store_pieces
from ingest.published import Edition, editing, published
from ingest.retention import drop_what_came_again

log = logging.getLogger(__name__)

Retention = Callable[[Path, Capabilities], frozenset[str]]
"""Drops what is too old, where it is time to; returns the sessions."""
COUNT_FIELDS: Final = ("day", "agent_id", "agent_version", "aspect", "context", "value", "steps", "sessions")

_COUNTS: Final = """
select
    min(day) as day, agent_id, agent_version, aspect, context, value,
    sum(steps)::bigint as steps, sum(sessions)::bigint as sessions
from counts
where aspect in (select unnest($aspects))
and (($since is null and (day is null or day < $to)) or (day >= $since and day < $to))
group by agent_id, agent_version, aspect, context, value
order by day nulls first, agent_id, agent_version, aspect, context, value
"""


@dataclass(frozen=True)
class Verdicts:
    """What was found and raised since the last handover."""

    found: Sequence[Found] = ()
    case_of: Mapping[str, str] = field(default_factory=dict)
    beyond: Set[str] = frozenset()
    """Findings that their case only counts."""
    cases: Sequence[tuple[str, Case]] = ()
    held: Set[str] = frozenset()
    """Cases that stay under the bar of the budget."""
    judged: frozenset[str] = frozenset()
    """Events whose findings are among `found`, or are none any more."""
    replaced: frozenset[str] = frozenset()
    """Cases that are among `cases`, or are none any more."""

    def __bool__(self) -> bool:
        return bool(self.judged or self.replaced)


@dataclass(frozen=True)
class Handover:
    """What the judging thread hands to the publishing one."""

    batch: int
    pieces: Sequence[Piece] = ()
    verdicts: Verdicts = field(default_factory=Verdicts)
    account: Judged = field(default_factory=Counter)
    """Who could judge how many steps, and what the others lacked."""
    failed: Mapping[str, str] = field(default_factory=dict)
    """Detector -> why it broke."""
    learn: tuple[date | None, date] | None = None
    """Days (from, to) whose counts are wanted, `to` excluded."""
    flagged: frozenset[str] = frozenset()
    """Sessions from which nothing is learnt."""
    newly_flagged: frozenset[str] = frozenset()
    """Those of them that were not flagged when a day was learnt last."""
    open_day: date | None = None
    """The day that is being judged."""

    @property
    def since(self) -> datetime | None:
        """The earliest time that the pieces claim, but no earlier than a day before the open one; None: no time."""
        times = [o.started_at for piece in self.pieces for o in piece.said if o.started_at is not None]
        if not times:
            return None
        earliest = datetime(1970, 1, 1) + timedelta(microseconds=min(times) // 1000)
        if self.open_day is None:
            return earliest
        return max(earliest, datetime.combine(self.open_day - timedelta(days=1), datetime.min.time()))


@dataclass(frozen=True)
class Published:
    """What became of a handover."""

    handover: Handover
    generation: int = 0
    trouble: str | None = None
    """Why it could not be published; it is to be handed over again."""
    counts: list[CountRow] | None = None
    unlearnt: list[CountRow] | None = None
    days: Sequence[date] = ()
    """Where a day was learnt: the days on which somebody worked."""
    late: Late | None = None
    dropped: frozenset[str] = frozenset()
    """Sessions that were too old to be kept."""


def publish(
    data: Path,
    capabilities: Capabilities,
    handover: Handover,
    beside: Beside,
    retention: Retention = lambda *_: frozenset(),
) -> Published:
    """Publish a handover, count what is there, and merge a few small segments. Raises `Trouble`."""
    with editing(data) as edition:
        if handover.pieces:
            store_pieces(edition, handover.pieces)
            drop_what_came_again(edition)
            compact(edition, most=1)
        if handover.verdicts:
            _replace_verdicts(edition, handover.verdicts)
        if handover.account:
            edition.replace("could_fire", could_fire_table(handover.account))
        if handover.failed or edition.tables.get("failed"):
            edition.replace("failed", failed_table(handover.failed))
        edition.publish()
    fold(data, capabilities)
    dropped = retention(data, capabilities)
    write_for_people(data)
    late, scores = None, published(data).files("session_scores")
    if handover.pieces and beside.is_asked(scores):
        with closing(open_published(data)) as connection:
            classify_tools(connection, capabilities)
            late = beside.late(connection, handover.since, scores, handover.flagged)
    counts = unlearnt = None
    days: list[date] = []
    if handover.learn is not None:
        counts, unlearnt = learnable(data, *handover.learn, handover.flagged, handover.newly_flagged, capabilities)
        with closing(open_published(data)) as connection:
            days = stored_days(connection)
    generation = published(data).generation
    return Published(handover, generation, None, counts, unlearnt, days, late, dropped)


def learnable(
    data: Path,
    since: date | None,
    to: date,
    flagged: frozenset[str],
    newly_flagged: frozenset[str],
    capabilities: Capabilities,
) -> tuple[list[CountRow], list[CountRow]]:
    """(what the days from `since` to before `to` add to the history, what is to be taken off for flagged sessions).

    Of sessions that were flagged since the last time, the days that were learnt before are taken off too.
    """
    connection = open_published(data)
    told = ask(connection, _COUNTS, since=since, to=to, aspects=sorted(SERVED)).select(COUNT_FIELDS)
    off: list[CountRow] = []
    classify_tools(connection, capabilities)
    for sessions, start in ((flagged - newly_flagged, since), (newly_flagged, None)):
        if sessions:
            rows = counts_of_sessions(connection, sorted(sessions)).select(COUNT_FIELDS).iter_rows()
            off += [row for row in rows if _is_between(row[0], start, to)]
    connection.close()
    return list(told.iter_rows()), off


def _is_between(day: date | None, since: date | None, to: date) -> bool:
    return since is None if day is None else (since is None or day >= since) and day < to


def _replace_verdicts(edition: Edition, given: Verdicts) -> None:
    """Findings of the events that were judged live are as they are now; those of a batch stay as it left them."""
    mine = findings_table(given.found, given.case_of, given.beyond)
    others = [pq.read_table(edition.data / name, schema=mine.schema) for name in edition.tables.get("findings", [])]
    edition.replace("findings", pa.concat_tables([*_without(others, "event_id", given.judged), mine]))
    cases = cases_under(given.cases, given.held)
    old = [pq.read_table(edition.data / name, schema=cases.schema) for name in edition.tables.get("cases", [])]
    edition.replace("cases", pa.concat_tables([*_without(old, "case_id", given.replaced), cases]))


def cases_under(cases: Sequence[tuple[str, Case]], held: Set[str]) -> pa.Table:
    """The table `cases`, each under the id that it was raised with."""
    own = {case.case_id for case_id, case in cases if case_id in held}
    table = cases_table([case for _, case in cases], held=own)
    ids = pa.array([case_id for case_id, _ in cases], type=pa.string())
    return table.set_column(table.schema.get_field_index("case_id"), "case_id", ids)


def _without(tables: Sequence[pa.Table], column: str, values: frozenset[str]) -> list[pa.Table]:
    gone = pa.array(sorted(values), type=pa.string())
    return [t.filter(pc.invert(pc.is_in(t.column(column), value_set=gone))) for t in tables]


class Publisher:
    """Publishes on a thread of its own, one handover at a time."""

    def __init__(self, publish: Callable[[Handover], Published]) -> None:
        self._publish = publish
        self._thread = ThreadPoolExecutor(1, "publish")
        self._under_way: Future[Published] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether the outcome of a handover is still to be taken."""
        return self._under_way is not None

    def give(self, handover: Handover) -> None:
        """Publish this."""
        self._under_way = self._thread.submit(self._run, handover)

    def taken(self, *, wait: bool = False) -> Published | None:
        """The outcome of the last handover, once; None while there is none. What broke in it is raised here."""
        if self._under_way is None or not (wait or self._under_way.done()):
            return None
        outcome, self._under_way = self._under_way.result(), None
        return outcome

    def close(self) -> None:
        self._thread.shutdown()

    def _run(self, handover: Handover) -> Published:
        try:
            return self._publish(handover)
        except (Trouble, OSError) as trouble:
            return Published(handover, trouble=str(trouble))
