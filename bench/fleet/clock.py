"""A clock that goes on while a session is written, and small makers of ids."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from random import Random

import msgspec

encode = msgspec.json.Encoder().encode


class Clock:
    """Nanoseconds since 1970, as the host's clock shows them."""

    def __init__(self, rng: Random, at_ns: int) -> None:
        self.rng, self.ns = rng, at_ns

    def wait(self, least_s: float, most_s: float) -> int:
        self.ns += int((least_s + (most_s - least_s) * self.rng.random()) * 1e9)
        return self.ns


@lru_cache(maxsize=65536)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def rfc3339(ns: int) -> str:
    return f"{_second(ns // 1_000_000_000)}.{ns % 1_000_000_000:09d}Z"


def whole_second(ns: int) -> str:
    return _second(ns // 1_000_000_000) + "Z"


def uuid(rng: Random) -> str:
    text = f"{rng.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def text(value: object) -> str:
    """JSON text of a payload."""
    return encode(value).decode()
