"""The settings as people ask for them: every key with its value, masked where it is secret, and its origin."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Final

from pydantic import SecretStr

from detect.settings import Settings
from ingest.settings import NAMES_FILE, SHORT, Given, Keys, Section, secret_fields, unknown

MASK: Final = "••••••"
_OTHERS: Final = ("CUSTODIET_DATA", "CUSTODIET_LISTEN_TOKEN", NAMES_FILE)


def in_force(said: Given, settings: Settings) -> list[dict[str, Any]]:
    """A row for every key: `key`, `value` and `origin` (file:line, $VARIABLE or default)."""
    rows = [row for name, section in settings.sections.items() for row in _rows(said, (name,), section)]
    for target in settings.targets:
        keys = ("sinks", target.name)
        rows.append(
            {"key": ".".join((*keys, "kind")), "value": target.sink.name, "origin": said.where((*keys, "kind"))}
        )
        rows += _rows(said, keys, target.settings)
    return rows


def remarks(said: Given, settings: Settings) -> Iterator[str]:
    """What is not wrong, but worth a word: secrets that stand in the file, variables that mean nothing."""
    sections: list[tuple[Keys, Section]] = [((name,), section) for name, section in settings.sections.items()]
    sections += [(("sinks", target.name), target.settings) for target in settings.targets]
    for keys, section in sections:
        for name in secret_fields(type(section)):
            place = said.origins.get((*keys, name), "$")
            if not place.startswith("$"):
                key = ".".join((*keys, name))
                yield f"{place}: {key} is a secret; {name}_env or {name}_file keeps it out of the file"
    known = [*SHORT, *_OTHERS]
    for variable in sorted(os.environ):
        if variable.startswith("CUSTODIET_") and "__" not in variable and variable not in known:
            yield f"${variable} {unknown(variable, known)}"


def _rows(said: Given, keys: Keys, section: Section) -> Iterator[dict[str, Any]]:
    for name in type(section).model_fields:
        value = getattr(section, name)
        origin = next(
            (
                said.origins[(*keys, way)]
                for way in (name, f"{name}_env", f"{name}_file")
                if (*keys, way) in said.origins
            ),
            "default",
        )
        shown = MASK if isinstance(value, SecretStr) else list(value) if isinstance(value, tuple) else value
        shown = shown if isinstance(shown, str | int | float | bool | list | None) else str(shown)
        yield {"key": ".".join((*keys, name)), "value": shown, "origin": origin}
