"""The ids of ATT&CK, ATLAS and the OWASP agentic top ten that findings may bear; the table is `frameworks.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).with_name("frameworks.toml")
_NAMES: Final = {"attack": "MITRE ATT&CK", "atlas": "MITRE ATLAS", "owasp": "OWASP ASI"}


@dataclass(frozen=True)
class Technique:
    """One entry of a framework, as of the version that the table names."""

    id: str
    name: str
    framework: str
    version: str
    url: str
    tactics: tuple[tuple[str, str], ...]
    """(id, name) each; empty where the framework has none or the table leaves them out."""


@cache
def techniques() -> Mapping[str, Technique]:
    """Every id that a detector or rule may bear."""
    found: dict[str, Technique] = {}
    for key, table in tomllib.loads(FILE.read_text("utf-8")).items():
        for id, (name, *tactics) in table["techniques"].items():
            url = table["url"].format(id.replace(".", "/") if key == "attack" else id)
            named = tuple((tactic, table["tactics"][tactic]) for tactic in tactics)
            found[id] = Technique(id, name, _NAMES[key], table["version"], url, named)
    return found


@cache
def revoked() -> Mapping[str, str]:
    """ATT&CK ids that no longer stand -> what took their place."""
    return dict(tomllib.loads(FILE.read_text("utf-8"))["attack"]["revoked"])


def current(id: str) -> str:
    """The id that stands today for one that a rule bears (`t1562.007` -> `T1686.001`)."""
    plain = id.strip().upper()
    return revoked().get(plain, plain)
