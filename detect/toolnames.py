"""What the name of a tool says. A fleet has few tools and calls each often, so that every answer is remembered."""

from __future__ import annotations

import re
from functools import lru_cache


@lru_cache(maxsize=1 << 14)
def says(pattern: re.Pattern[str], tool: str | None) -> bool:
    """Whether the pattern stands anywhere in the tool's name; a step without a tool says nothing."""
    return pattern.search(tool or "") is not None
