"""Long names made short so that they still differ: most of an ARN is the same for all."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

LONGEST: Final = 24

_PARTS: Final = re.compile(r"[:/]")


def short_names(names: Iterable[str]) -> dict[str, str]:
    """Each name with its short form: itself, or its end; where several end alike, the last part that differs."""
    ends: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        ends.setdefault(_end(name), []).append(name)
    return {name: _differing(name, alike) or end for end, alike in ends.items() for name in alike}


def _end(name: str) -> str:
    return name if len(name) <= LONGEST else f"…{name[-LONGEST:]}"


def _differing(name: str, alike: list[str]) -> str:
    """The last part of the name that not all of these share, marked as cut; nothing where there is none."""
    split = [_PARTS.split(other) for other in alike]
    for at in range(1, min(len(parts) for parts in split) + 1):
        if len({parts[-at] for parts in split}) == len(alike) > 1:
            part = _PARTS.split(name)[-at]
            return f"…{part[:LONGEST]}…"
    return ""
