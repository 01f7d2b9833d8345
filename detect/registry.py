"""The registries that the settings name, read to one table: who is known, and what each may do."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import msgspec

import detect.registries
from detect.handed_out import role_of
from detect.registries import Entry, Form, Part
from ingest.errors import Trouble
from ingest.plugins import plugins

_SHORTEST: Final = 4
"""Characters of a name that may be looked for in a principal."""


class Registry:
    """Agents and people by every name that they have. Made by `load`; looking up is pure."""

    def __init__(self, files: Iterable[Iterable[Entry]] = (), digest: str = "") -> None:
        self.digest = digest
        """Of all the files: two runs with the same one judge alike. Empty without a registry."""
        self._agents: dict[str, Entry] = {}
        self._people: dict[str, Entry] = {}
        for entries in files:
            self._add(list(entries))

    def __bool__(self) -> bool:
        return bool(self._agents)

    @property
    def agents(self) -> list[Entry]:
        """Every agent once, by id."""
        return sorted({id(e): e for e in self._agents.values()}.values(), key=lambda e: e.id)

    def agent(self, agent_id: str, principal: str | None = None) -> Entry | None:
        """The registered agent that a log means: by its name, or by the principal that the log names it after."""
        name = agent_id.casefold()
        last = name.rpartition("/")[2]
        found = self._agents.get(name) or self._agents.get(last)
        if found is None and principal and len(last) >= _SHORTEST and last in principal.casefold():
            whole = (principal, role_of(principal) or "")
            found = next((e for p in whole if (e := self._agents.get(p.casefold()))), None)
        return found

    def human(self, name: str) -> Entry | None:
        """The grant of a person."""
        return self._people.get(name.casefold())

    def _add(self, entries: list[Entry]) -> None:
        """One file. Those in it that share a name are several, of which the name means the one that is not over."""
        added: dict[bool, dict[str, Entry]] = {False: {}, True: {}}
        for entry in entries:
            names, earlier = added[entry.is_human], self._people if entry.is_human else self._agents
            before = next((earlier[n] for n in _names(entry) if n in earlier), None)
            merged = _over(before, entry) if before is not None else entry
            for name in _names(merged):
                held = names.get(name)
                if held is None or (held.ended_ns is not None and merged.ended_ns is None):
                    names[name] = merged
        self._agents |= added[False]
        self._people |= added[True]


def _names(entry: Entry) -> list[str]:
    """All that it is called by, and the principals that are not patterns."""
    literal = [p for p in entry.principals or () if not set(p) & set("*?[")]
    return [name.casefold() for name in (entry.id, *entry.names, *literal)]


def _over(before: Entry, entry: Entry) -> Entry:
    """A later registry adds to what an earlier one said of the same name, and overrules it part by part."""
    said = {part: value for part in _PARTS if (value := getattr(entry, part)) is not None}
    if entry.ended_ns is not None:
        said["ended_how"] = entry.ended_how
    names = tuple(dict.fromkeys((*before.names, entry.id, *entry.names)))
    return msgspec.structs.replace(before, names=names, source=entry.source, **said)


NO_REGISTRY: Final = Registry()
_PARTS: Final = ("tools", "targets", "capabilities", "principals", "humans", "owner", "ended_ns")


def load(files: Iterable[str | Path]) -> Registry:
    """The registries of these files, in order. Raises `Trouble` that names the file, the key and the nearest one."""
    entries: list[list[Entry]] = []
    digest = blake2b(digest_size=8)
    paths = [Path(file) for file in files]
    for path in paths:
        try:
            raw = path.read_bytes()
        except OSError as error:
            raise Trouble(
                f"{path}: cannot read this registry: {error.strerror}; see `registries` in [detect]"
            ) from None
        digest.update(raw)
        entries.append(list(_entries(path, raw)))
    return Registry(entries, digest.hexdigest() if paths else "")


def allows(patterns: Iterable[str], value: str) -> bool:
    """Whether one of the patterns fits; case does not matter."""
    value = value.casefold()
    return any(value == (p := pattern.casefold()) or fnmatchcase(value, p) for pattern in patterns)


def refused(entry: Entry, part: Part, *values: str | None) -> str | None:
    """The value that a part of a grant does not allow under any of its names; None where it does or says nothing."""
    patterns: tuple[str, ...] | None = getattr(entry, part)
    said = [value for value in values if value]
    if patterns is None or not said or any(allows(patterns, value) for value in said):
        return None
    return said[0]


def _entries(path: Path, raw: bytes) -> Iterator[Entry]:
    try:
        said: Any = tomllib.loads(raw.decode()) if path.suffix == ".toml" else msgspec.json.decode(raw)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.DecodeError) as error:
        raise Trouble(f"{path}: not a TOML or JSON file: {error}") from None
    reader = next((form for form in _forms() if form.claims(said, path)), None)
    if reader is None:
        forms = "; ".join(f.summary.rstrip(".") for f in _forms())
        raise Trouble(f"{path}: no registry in a form that is known ({forms}); write a .toml with [[agent]] tables")
    yield from reader.read(said, path)


@cache
def _forms() -> tuple[Form, ...]:
    return tuple(plugins(detect.registries, Form))
