"""Attacks and what looks like them, by kind: one file a family, one function a kind.

A kind's function plays one story through `Story`: the same agents' hands do the same things, and what differs is
whether anything covers it. They are written from public knowledge of attacks (ATT&CK, ATLAS, Stratus Red Team,
incident reports), apart from how anything is detected.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Final

from bench.fleet.chains.story import Story

_FAMILIES: Final = ("credentials", "networks", "authority", "hidden", "data")
Kind = Callable[[Story], None]


def kinds() -> dict[str, Kind]:
    """Every kind by name, in a fixed order."""
    found: dict[str, Kind] = {}
    for family in _FAMILIES:
        module = import_module(f"{__name__}.{family}")
        found |= {name: getattr(module, name) for name in module.KINDS}
    return found
