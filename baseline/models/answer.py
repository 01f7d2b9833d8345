"""What every model answers with."""

from __future__ import annotations

from typing import NamedTuple


class Chance(NamedTuple):
    """A probability with the history that it rests on."""

    p: float
    """A one-sided p-value, or the probability of just this; never 0."""
    seen: float
    """How often history showed it."""
    of: float
    """How often it could have."""
