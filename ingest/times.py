"""Times as logs write them -> nanoseconds since 1970 UTC. No float on the way: nine decimals survive."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final

_STAMP: Final = re.compile(
    r"\s*(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:[.,](\d+))?\s*([Zz]|UTC|[+-]\d\d:?\d\d)?\s*", re.ASCII
)
_LATEST: Final = (1 << 63) - 1
"""What a 64-bit column of nanoseconds holds: the years 1677 to 2262."""


def nanoseconds(text: str | None) -> int | None:
    """An ISO 8601 / RFC 3339 stamp; without a zone it is UTC. None where it is no time."""
    found = _STAMP.fullmatch(text) if text else None
    if found is None:
        return None
    day, clock, fraction, zone = found.groups()
    seconds = _seconds(f"{day}T{clock}", zone)
    if seconds is None:
        return None
    whole = seconds * 1_000_000_000
    if fraction:
        whole += int(fraction[:9].ljust(9, "0"))
    return whole if -_LATEST < whole <= _LATEST else None


def moment(value: object) -> int | None:
    """A time however it is written: ISO 8601, or an epoch in s, ms, µs or ns by its size, as number or as digits."""
    if isinstance(value, str):
        if _EPOCH.fullmatch(value) is None:
            return nanoseconds(value)
        written = value
    elif isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        return None
    elif isinstance(value, int):
        found = value * 10 ** _digits(value)
        return found if found <= _LATEST else None
    else:
        # The shortest text of a float is what its writer meant; its bits would add invented digits.
        written = repr(value) if value < _LATEST else ""
        if _EPOCH.fullmatch(written) is None:
            return None
    whole, _, fraction = written.partition(".")
    digits = _digits(int(whole))
    found = int(whole) * 10**digits + int(fraction[:digits].ljust(digits, "0") or "0")
    return found if 0 < found <= _LATEST else None


def _digits(epoch: int) -> int:
    """How many decimals of a second are left of this epoch's unit."""
    for below, digits in _SCALES:
        if epoch < below:
            return digits
    return 0


_EPOCH: Final = re.compile(r"\d{1,19}(?:\.\d+)?", re.ASCII)
_SCALES: Final = ((10**11, 9), (10**14, 6), (10**17, 3))
"""An epoch below 10^11 counts seconds (to the year 5138), below 10^14 ms, below 10^17 µs, else ns."""


@lru_cache(maxsize=1024)
def _seconds(stamp: str, zone: str | None) -> int | None:
    """Cached, as the events of one run share few seconds."""
    try:
        moment = datetime.fromisoformat(stamp).replace(tzinfo=_zone(zone))
        return int(moment.timestamp())
    except (ValueError, OverflowError):
        return None


def _zone(zone: str | None) -> timezone:
    if zone is None or zone[0] not in "+-":
        return UTC
    ahead = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    return timezone(ahead if zone[0] == "+" else -ahead)
