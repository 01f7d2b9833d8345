"""What the store can be told in `custodiet.toml`."""

from __future__ import annotations

from pydantic import Field

from ingest.settings import Section


class Store(Section):
    """`[store]`: how long it is kept, and in how many pieces; `custodiet run` heeds it."""

    retain_days: int | None = Field(
        None, ge=1, description="How many days events, findings and cases are kept; without it, for ever."
    )
    retain_counts_days: int | None = Field(
        None, ge=1, description="How many days counts are kept; without it, for ever: baselines rest on them."
    )
    compact_above_segments: int = Field(
        64, ge=2, description="From how many segments of events on a run merges small ones into few."
    )
