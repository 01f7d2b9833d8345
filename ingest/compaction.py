"""Many small segments -> few: what micro-batches write is merged in the background, step by step.

Segments of about the same size are merged once eight of them stand together, so that an event is rewritten about as
often as its segment's size takes powers of eight: twice or three times in all. Nothing is decided by a clock, and
nothing changes but which file holds a row; a run that is killed leaves the old segments named.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ingest.event import SCHEMA
from ingest.published import Edition
from ingest.segments import in_storage_order
from ingest.tables import TRACES

FULL_ROWS: Final = 200_000
"""A segment of this size is left alone."""
TOGETHER: Final = 8
_TIERS: Final = (3_000, 25_000, FULL_ROWS)


def compact(edition: Edition, *, together: int = TOGETHER, most: int | None = None) -> int:
    """Merge small segments of the edition, into at most `most` others; publishing, and counting the new ones, is the
    caller's.

    Returns how many segments were merged into others.
    """
    merged = written = 0
    while (most is None or written < most) and (group := _next_group(edition, together)):
        _merge(edition, group)
        merged += len(group)
        written += 1
    return merged


def _next_group(edition: Edition, together: int) -> list[str]:
    """Segments of one tier to merge now, the oldest first; [] where there are not enough."""
    tiers: dict[int, list[tuple[str, int]]] = defaultdict(list)
    for segment in edition.tables.get("events", []):
        rows = pq.read_metadata(edition.data / segment).num_rows
        tier = next((number for number, most in enumerate(_TIERS) if rows < most), len(_TIERS))
        if tier < len(_TIERS):
            tiers[tier].append((segment, rows))
    for _, members in sorted(tiers.items()):
        if len(members) < together:
            continue
        group: list[str] = []
        total = 0
        for segment, rows in members:
            if len(group) > 1 and total + rows > FULL_ROWS:
                break
            group.append(segment)
            total += rows
        return group if len(group) > 1 else []
    return []


def _merge(edition: Edition, group: list[str]) -> None:
    segments, indexes = edition.tables["events"], edition.tables["traces"]
    places = [segments.index(segment) for segment in group]
    events = pa.concat_tables([pq.read_table(edition.data / segments[place], schema=SCHEMA) for place in places])
    traces = pa.concat_tables([pq.read_table(edition.data / indexes[place], schema=TRACES) for place in places])
    written = edition.write("events", in_storage_order(events))
    traces = traces.set_column(
        TRACES.get_field_index("segment"), "segment", pa.array([written] * traces.num_rows, type=pa.string())
    )
    by_name = [(name, "ascending", "at_start") for name in ("trace_id", "session_id", "agent_id", "agent_version")]
    index = edition.write("traces", traces.take(pc.sort_indices(traces, sort_keys=by_name)))
    for place in sorted(places, reverse=True):
        del segments[place], indexes[place]
    segments.insert(min(places), written)
    indexes.insert(min(places), index)
