"""Where the last run stopped: which days are judged already, with what, and what the pass remembered after each.

A run takes up after the last day before the first one that gained or lost something, so that it costs what the new
events cost. Another capability table, another setting or other code judges everything anew.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from datetime import date
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Final

import duckdb
import msgspec
import pyarrow as pa

from ingest.database import ask
from ingest.published import Edition
from ingest.rows import table_of
from ingest.tables import JUDGED, MEMORIES, SEEN_SEGMENTS

Judged = Counter[tuple[str, str, str]]
"""(detector, agent, what was missing or "") -> steps."""
_STILL_COMING: Final = 2
"""Days for which data of a day comes late as a rule."""
_LASTING: Final = 16
"""Of the days that are long past, the memory of every sixteenth is kept."""

_SEEN: Final = """
with rows_of as (
    select
        parse_filename(filename) as segment, trace_id, ordered_at,
        hash(event_id, session_id, trace_id, parent_event_id, agent_id, agent_version, kind, operation, tool, arguments,
            result, status, principal, credential_id, on_behalf_of, source_host, target, approver, approval, ordered_at,
            sequence, depth) as row_hash
    from stored_events
    where witness_of is null and list_contains($segments::varchar[], parse_filename(filename))
        and coalesce(session_id, '') not in (select unnest($without::varchar[]))
),
parts_of_traces as (
    select segment, trace_id, min(ordered_at) as began_at, count(*) as rows, sum(row_hash::hugeint) as hashes
    from rows_of
    group by all
),
dated as (
    select segment, cast(min(began_at) over (partition by trace_id) as date) as day, rows, hashes
    from parts_of_traces
)

select segment, day, sum(rows)::varchar || '-' || sum(hashes)::varchar as digest
from dated
group by all
order by all
"""

_JUDGED: Final = "select day, version, flagged, found, judged from judged order by day nulls first"
_MEMORY: Final = "select memory, learnt from memories where day is not distinct from $day::date"
_REMEMBERED: Final = "select day from memories order by day nulls first"


class Day(msgspec.Struct):
    """A day that is judged."""

    day: date | None
    flagged: list[str]
    """Sessions of cases, from which nothing is learnt."""
    found: bytes
    judged: Judged


class Remembered(msgspec.Struct, frozen=True):
    """What is known when a day is over."""

    memory: bytes | None = None
    """What the causal pass remembers."""
    learnt: bytes | None = None
    """How the history stands (`detect/learning.py`)."""


class Stopped(msgspec.Struct):
    """Where the last run stopped."""

    days: list[Day]
    remembered: Remembered
    seen: pa.Table
    """What is seen now, to be published with what this run judges."""

    @property
    def after(self) -> date | None:
        return self.days[-1].day if self.days else None


def where_it_stopped(connection: duckdb.DuckDBPyConnection, edition: Edition, version: str) -> Stopped:
    """The judged days that still stand, and what was remembered after the last of them."""
    seen, changed = _changes(connection, edition)
    stand = []
    if not changed or None not in changed:
        first = min((day for day in changed if day is not None), default=None)
        for day, made_by, flagged, found, judged in ask(connection, _JUDGED).iter_rows():
            if made_by != version or (first is not None and day is not None and day >= first):
                break
            stand.append(Day(day, flagged, found, _counted(judged)))
    remembered = set(ask(connection, _REMEMBERED).get_column("day").to_list())
    while stand and stand[-1].day not in remembered:
        stand.pop()
    if not stand:
        return Stopped([], Remembered(), seen)
    return Stopped(stand, Remembered(*ask(connection, _MEMORY, day=stand[-1].day).row(0)), seen)


def is_kept(day: date | None, last: date | None) -> bool:
    """Whether the memory after this day is worth keeping when the log ends with the last.

    The older, the fewer: of every second day for four days, of every fourth for eight. Data that comes some days late
    costs at most three times as many, and a day that is once left out is not wanted again.
    """
    if day is None or last is None:
        return True
    number = day.toordinal()
    every = min(number & -number, _LASTING)
    return every == _LASTING or (last - day).days <= 2 * every


def is_late(day: date | None, last: date | None) -> bool:
    """Whether data of the day after this one is still on its way, as a rule: the history is worth keeping as well."""
    return day is not None and last is not None and (last - day).days <= _STILL_COMING


def keep(edition: Edition, stopped: Stopped, days: list[tuple[Day, Remembered]], version: str) -> None:
    """Write what was judged now beside what stands from before; old memories are thinned out."""
    stand = {_key(day.day) for day in stopped.days}
    judged, memories = (
        {key: name for name in edition.tables.get(table, []) if (key := name.rpartition("/")[2][6:]) in stand}
        for table in ("judged", "memories")
    )
    for day, remembered in days:
        key = _key(day.day)
        row = {"day": day.day, "version": version, "flagged": day.flagged, "found": day.found,
               "judged": msgspec.msgpack.encode(list(day.judged.items()))}  # fmt: skip
        told = {"day": day.day, "memory": remembered.memory, "learnt": remembered.learnt}
        for table, said, schema, named in (
            ("judged", row, JUDGED, judged),
            ("memories", told, MEMORIES, memories),
        ):
            if table == "memories" and remembered.memory is None:
                continue
            name = day_file(edition, table, day.day)
            named[key] = edition.write(table, table_of([said], schema), name=name)
    last = max((day.day for day in (*stopped.days, *(d for d, _ in days)) if day.day is not None), default=None)
    kept = {_key(day.day) for day in (*stopped.days, *(d for d, _ in days)) if is_kept(day.day, last)}
    edition.tables["judged"] = [judged[key] for key in sorted(judged)]
    edition.tables["memories"] = [memories[key] for key in sorted(memories) if key in kept]
    edition.replace("seen_segments", stopped.seen)


def day_file(edition: Edition, table: str, day: date | None) -> str:
    """The name of a day's file in this edition."""
    return f"{table}/{edition.generation:06d}{_key(day)}"


def _key(day: date | None) -> str:
    """How the name of a day's file ends, after the generation."""
    return f"-d{day.isoformat() if day else '0000-00-00'}.parquet"


def _counted(judged: bytes) -> Judged:
    return Counter(dict(msgspec.msgpack.decode(judged, type=list[tuple[tuple[str, str, str], int]])))


def _changes(connection: duckdb.DuckDBPyConnection, edition: Edition) -> tuple[pa.Table, set[date | None]]:
    """(what every segment holds now, the days on which traces began that were gained, lost or changed)."""
    now = {Path(name).name for name in edition.tables.get("events", [])}
    rows = ask(connection, "from seen_segments order by all").rows()
    before = {row for row in rows if row[0] in now}
    new = sorted(now - {row[0] for row in rows})
    gained = held_by(connection, new)
    seen = sorted({*before, *gained}, key=str)
    held, holds = _by_day(rows), _by_day(seen)
    changed = {day for day in held.keys() | holds.keys() if held.get(day) != holds.get(day)}
    return table_of([dict(zip(SEEN_SEGMENTS.names, row, strict=True)) for row in seen], SEEN_SEGMENTS), changed


def held_by(
    connection: duckdb.DuckDBPyConnection, segments: Iterable[str], without: Iterable[str] = ()
) -> list[tuple[str, date | None, str]]:
    """What segments (by file name) hold of the traces that began on each day, as `seen_segments` has it; the rows of
    the sessions `without` left out."""
    chosen = sorted(segments)
    if not chosen:
        return []
    return [(s, d, h) for s, d, h in ask(connection, _SEEN, segments=chosen, without=sorted(without)).iter_rows()]


def _by_day(rows: list[tuple[str, date | None, str]]) -> dict[date | None, tuple[int, int]]:
    """Day -> (rows, sum of their hashes), whatever segments they lie in."""
    total: dict[date | None, tuple[int, int]] = {}
    for _, day, digest in rows:
        count, _, summed = digest.partition("-")
        held = total.get(day, (0, 0))
        total[day] = (held[0] + int(count), held[1] + int(summed))
    return total


@cache
def code_version() -> str:
    """A digest of the code that judges: another version of it judges everything anew."""
    digest = blake2b(f"{sys.version_info[:2]} {duckdb.__version__}".encode(), digest_size=8)
    house = Path(__file__).parents[1]
    for room in ("baseline", "detect"):
        for file in sorted((house / room).rglob("*")):
            if file.suffix in (".py", ".sql", ".toml"):
                digest.update(file.relative_to(house).as_posix().encode() + file.read_bytes())
    return digest.hexdigest()
