"""What a store needs now and then: old sessions dropped, small segments merged. After each the counts are made good."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from baseline.capability import Capabilities
from baseline.fold import fold
from detect.clock import WALL
from detect.retention import Retained, retain
from ingest.compaction import TOGETHER, compact
from ingest.database import write_for_people
from ingest.published import editing, published
from ingest.registers import join_registers
from ingest.store_settings import Store

_ALL: Final = 2
"""Segments of one size that are merged when somebody asks for it; by itself it waits until there are eight."""
MOST_REGISTERS: Final = 16


@dataclass(frozen=True)
class Compacted:
    """What a compaction did."""

    segments_before: int
    segments: int
    files_merged: int


def compact_all(data: Path, capabilities: Capabilities, *, together: int = _ALL, registers_above: int = 1) -> Compacted:
    """Merge small segments and registers into few, and publish; nothing changes but which file holds a row."""
    with editing(data) as edition:
        before = len(edition.tables.get("events", []))
        merged = compact(edition, together=together) + join_registers(edition, above=registers_above)
        after = len(edition.tables.get("events", []))
        if merged:
            edition.publish()
    if merged:
        fold(data, capabilities)
        write_for_people(data)
    return Compacted(before, after, merged)


def upkeep(data: Path, capabilities: Capabilities, wanted: Store) -> tuple[Retained | None, Compacted | None]:
    """What the settings ask for; None for what they do not, or what there was no need for."""
    retained = compacted = None
    if wanted.retain_days is not None:
        retained = retain(data, capabilities, today(), wanted.retain_days, counts_days=wanted.retain_counts_days)
    state = published(data)
    if len(state.files("events")) > wanted.compact_above_segments:
        compacted = compact_all(data, capabilities, together=TOGETHER, registers_above=MOST_REGISTERS)
    return retained, compacted


def today() -> date:
    """Of the clock on the wall, in UTC: a log that claims to be of next year drops nothing."""
    return datetime.fromtimestamp(WALL.now(), UTC).date()
