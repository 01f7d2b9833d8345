"""What is old leaves the store: whole sessions, by the time of their last step.

Sessions that hang together (by a trace, by an id that two exports share, or as the caller says) stay or leave together,
so that nothing that stays has lost a part. A session that carries no time never leaves. The register of files stays:
reading an old file again changes nothing. What was dropped and comes again in another file is dropped with it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ingest.event import SCHEMA
from ingest.joins import grouped
from ingest.published import Edition
from ingest.tables import TRACES

_COLUMNS: Final = ["trace_id", "session_id", "joins", "first_at", "last_at", "steps"]


def expired_sessions(
    edition: Edition, before_ns: int, *, kept: Collection[str] = (), together: Mapping[str, Iterable[str]] | None = None
) -> set[str]:
    """The sessions whose last step lies before, and that of all they hang together with.

    `kept` sessions stay with all that hangs together with them; `together` names more of what sessions share, as
    the cases that they belong to.
    """
    keys: dict[str, set[str]] = {session: set(more) for session, more in (together or {}).items()}
    last = _last_steps(edition, edition.tables.get("traces", []), keys)
    stays = set(kept)
    return {
        session
        for group in grouped({session: keys.get(session, ()) for session in last})
        if all((at := last[session]) is not None and at < before_ns and session not in stays for session in group)
        for session in group
    }


def _last_steps(edition: Edition, indexes: Iterable[str], keys: dict[str, set[str]]) -> dict[str, int | None]:
    """Session -> its last step in nanoseconds, None where a trace of it has no time; what they share goes to `keys`."""
    last: dict[str, int | None] = {}
    for index in indexes:
        table = pq.read_table(edition.data / index, schema=TRACES, columns=_COLUMNS)
        ends = table.column("last_at").cast(pa.int64()).to_pylist()
        rows = zip(
            table.column("session_id").to_pylist(),
            table.column("trace_id").to_pylist(),
            table.column("joins").to_pylist(),
            ends,
            strict=True,
        )
        for session, trace, joins, end in rows:
            before = last.get(session, end)
            last[session] = None if end is None or before is None else max(before, end)
            keys.setdefault(session, set()).update((f"trace {trace}", *(joins or ())))
    return last


def drop_sessions(edition: Edition, sessions: Collection[str]) -> dict[str, str | None]:
    """Take the sessions out of the edition's events. Returns what became of each segment that held one: its successor,
    or None where nothing was left. Counting what is new, and publishing, is the caller's."""
    chosen = pa.array(sorted(sessions), type=pa.string())
    became: dict[str, str | None] = {}
    segments, indexes = edition.tables.get("events", []), edition.tables.get("traces", [])
    for place in range(len(segments) - 1, -1, -1):
        index = pq.read_table(edition.data / indexes[place], schema=TRACES)
        staying = index.filter(_is_none_of(index, chosen))
        if staying.num_rows == index.num_rows:
            continue
        segment = segments[place]
        if not staying.num_rows:
            became[segment] = None
            del segments[place], indexes[place]
            continue
        events = pq.read_table(edition.data / segment, schema=SCHEMA)
        written = edition.write("events", events.filter(_is_none_of(events, chosen)))
        became[segment] = segments[place] = written
        column = pa.array([written] * staying.num_rows, type=pa.string())
        staying = staying.set_column(TRACES.get_field_index("segment"), "segment", column)
        indexes[place] = edition.write("traces", staying)
    return became


def drop_what_came_again(edition: Edition) -> int:
    """Of what this edition adds, drop the sessions that lie before what is retained; returns how many steps that were.

    A session that is stored already was kept, or is young enough: what is late for it joins it.
    """
    if edition.retained_from_ns is None:
        return 0
    before = edition.before.files("traces")
    added = [index for index in edition.tables.get("traces", []) if index not in set(before)]
    if not added:
        return 0
    keys: dict[str, set[str]] = {}
    ends = _last_steps(edition, added, keys)
    if all(end is None or end >= edition.retained_from_ns for end in ends.values()):
        return 0
    stored = set(_last_steps(edition, before, {}))
    again = expired_sessions(edition, edition.retained_from_ns, kept=stored) & keys.keys()
    steps: dict[str, int] = defaultdict(int)
    for index in added:
        table = pq.read_table(edition.data / index, schema=TRACES, columns=["session_id", "steps"])
        for session, count in zip(*(column.to_pylist() for column in table.columns), strict=True):
            steps[session] += count
    if again:
        drop_sessions(edition, again)
    return sum(steps[session] for session in again)


def _is_none_of(table: pa.Table, sessions: pa.Array) -> pa.Array:
    return pc.invert(pc.is_in(pc.fill_null(table.column("session_id"), ""), value_set=sessions))
