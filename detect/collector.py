"""Python's collector of cycles, while a run walks over a fleet.

What the pass remembers is mappings of structs without cycles, so that the collector finds nothing in them and still
looks through them all, again and again as they grow: a tenth of a run.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_SELDOM: Final = (100_000, 50, 100)
"""New objects before the young are looked through, and how often that before the older ones: what libraries leave in
cycles is still found, some megabytes later."""


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Within it cycles are looked for seldom; after it as before."""
    before = gc.get_threshold()
    gc.set_threshold(*_SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*before)
