"""The one plug-in pattern: a file dropped into a folder, a decorated function, the folder is the registry.

Readers, detectors and sinks all use it. A plug-in's file, function and name are one and the same word.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import TypeVar

P = TypeVar("P")


def plugins(package: ModuleType, kind: type[P]) -> Iterator[P]:
    """The plug-ins of a folder, by name. Each module must define one, under the module's own name.

    Raises `TypeError` where a file does not: a misspelt plug-in must not be silently absent.
    """
    for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda m: m.name):
        if module.name.startswith("_"):
            continue
        loaded = importlib.import_module(f"{package.__name__}.{module.name}")
        plugin = getattr(loaded, module.name, None)
        if not isinstance(plugin, kind):
            raise TypeError(
                f"{package.__name__}/{module.name}.py must define `{module.name}`, decorated as a "
                f"{kind.__name__.lower()}; helpers for several plug-ins start with an underscore"
            )
        yield plugin


def first_line(text: str | None) -> str:
    """The first line of a docstring: the words that an analyst reads."""
    return (text or "").strip().split("\n", 1)[0]
