"""A registry written by hand: `[[agent]]` and `[[human]]` tables."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, Final

from baseline.capability_table import CAPABILITIES
from detect.registries import Entry, form, known
from ingest.errors import Trouble

_TABLES: Final = ("agent", "human")
_GRANT: Final = ("id", "names", "tools", "targets", "capabilities")
_AGENT: Final = (*_GRANT, "principals", "human", "owner", "expires")


@form(claims=lambda said, path: path.suffix == ".toml")
def toml(said: Any, path: Path) -> Iterator[Entry]:
    """Agents and people with what each may do: the form of this project."""
    for table in said:
        known(table, _TABLES, str(path))
    for table in _TABLES:
        entries = said.get(table, [])
        if not isinstance(entries, list):
            raise Trouble(f"{path}: [{table}]: write [[{table}]], one for each")
        seen: dict[str, str] = {}
        for number, said_of_one in enumerate(entries, 1):
            entry = _entry(said_of_one, table, f"{path}: [[{table}]] {number}")
            for name in (entry.id, *entry.names):
                if seen.setdefault(name.casefold(), entry.source) != entry.source:
                    raise Trouble(f"{entry.source}: {name!r} stands in {seen[name.casefold()]} too; keep one")
            yield entry


def _entry(said: Any, table: str, where: str) -> Entry:
    if not isinstance(said, dict) or not isinstance(said.get("id"), str) or not said["id"].strip():
        raise Trouble(f"{where}: `id` is missing; give the name under which logs know it")
    where = f"{where} ({said['id']})"
    for key in said:
        known(key, _AGENT if table == "agent" else _GRANT, where)
    capabilities = _names(said, "capabilities", where)
    for capability in capabilities or ():
        known(capability, CAPABILITIES, f"{where}: capabilities")
    owner = said.get("owner")
    if owner is not None and not isinstance(owner, str):
        raise Trouble(f"{where}: `owner` is one name")
    return Entry(
        id=said["id"],
        is_human=table == "human",
        names=_names(said, "names", where) or (),
        tools=_names(said, "tools", where),
        targets=_names(said, "targets", where),
        capabilities=capabilities,
        principals=_names(said, "principals", where),
        humans=_names(said, "human", where),
        owner=owner,
        ended_ns=_moment(said.get("expires"), where),
        source=where,
    )


def _names(said: dict[str, Any], key: str, where: str) -> tuple[str, ...] | None:
    value = said.get(key)
    if value is None:
        return None
    value = [value] if isinstance(value, str) else value
    if not isinstance(value, list) or not all(isinstance(v, str) and v.strip() for v in value):
        raise Trouble(f"{where}: `{key}` is a name or a list of names")
    return tuple(value)


def _moment(said: Any, where: str) -> int | None:
    """The end of that day, where only a day is given; without an offset it is UTC."""
    if said is None:
        return None
    if isinstance(said, str):
        try:
            said = date.fromisoformat(said) if len(said) == 10 else datetime.fromisoformat(said)
        except ValueError:
            said = None
    if isinstance(said, date) and not isinstance(said, datetime):
        said = datetime.combine(said, time.max)
    if not isinstance(said, datetime):
        raise Trouble(f"{where}: `expires` is a day or a time, as 2026-12-31 or 2026-12-31T18:00:00Z")
    at = said if said.tzinfo else said.replace(tzinfo=UTC)
    return int(at.timestamp()) * 1_000_000_000
