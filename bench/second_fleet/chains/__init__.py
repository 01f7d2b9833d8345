"""The kinds of chains, one file each: an attack, and what looks like it on a good day.

Each file has `attack(draft)` and `look_alike(draft)`, and may say in `ROOM_DAYS` how long its chains may take. Both
write with the same means, on agents of the same roles, so that only what was done tells them apart.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType


def kinds() -> dict[str, ModuleType]:
    """Every kind by the name of its file, in order of names."""
    names = sorted(found.name for found in iter_modules(__path__))
    return {name: import_module(f"{__name__}.{name}") for name in names}
