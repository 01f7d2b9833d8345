"""What a generated fleet is like."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

SECOND_NS: Final = 1_000_000_000
HOUR_NS: Final = 3600 * SECOND_NS
DAY_NS: Final = 24 * HOUR_NS


@dataclass(frozen=True)
class Settings:
    """Everything that can be chosen; the defaults are what the held-back figures are measured on."""

    seed: int = 1
    event_count: int = 120_000
    """About how many events ingest makes of all logs."""
    agents: int = 90
    days: int = 30
    history_days: int = 14
    """No chain and no look-alike takes place on the first so many days."""
    attacks: int = 50
    look_alikes: int = 50
    oddities_a_day: tuple[int, int] = (5, 10)
    """Harmless first uses, new hosts and detours that belong to no look-alike, least and most."""
    error_share: float = 0.03
    first_day: str = "2026-09-07"
    """A Monday."""

    @property
    def start_ns(self) -> int:
        """Midnight UTC of the first day."""
        return int(datetime.fromisoformat(self.first_day).replace(tzinfo=UTC).timestamp()) * SECOND_NS
