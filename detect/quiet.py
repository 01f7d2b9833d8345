"""Quiet hours: a span of the day, in a time zone, in which alerts wait."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class QuietHours:
    """From `start` until before `end`, over midnight where `end` is earlier; equal ends are no hours at all."""

    start: time
    end: time
    zone: ZoneInfo

    @classmethod
    def read(cls, hours: str, zone: str) -> QuietHours:
        """Raises `ValueError` where it is not `HH:MM-HH:MM` or the zone is not known."""
        try:
            start, _, end = hours.partition("-")
            span = (time.fromisoformat(start.strip()), time.fromisoformat(end.strip()))
        except ValueError:
            raise ValueError("write the hours as '22:00-06:00'") from None
        try:
            return cls(*span, ZoneInfo(zone))
        except (OSError, ValueError, KeyError):
            raise ValueError("not a time zone; write it as 'Europe/Berlin'") from None

    def until(self, now: float) -> float | None:
        """When the quiet hours around `now` end (seconds since 1970); None outside of them."""
        local = datetime.fromtimestamp(now, self.zone)
        at = local.time()
        if self.start <= self.end:
            is_quiet = self.start <= at < self.end
        else:
            is_quiet = at >= self.start or at < self.end
        if not is_quiet:
            return None
        day = local.date() + timedelta(days=1 if at >= self.end else 0)
        return datetime.combine(day, self.end, self.zone).timestamp()
