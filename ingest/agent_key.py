"""What makes an agent one and the same: its name alone, or with the service, host or identity that it runs as.

By default an agent is the name that its log gives it, else the service that wrote the log. Where two deployments
give their agents the same names, a key such as `service,agent` keeps them apart: `soc-eu/triage`, `soc-us/triage`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ingest.errors import Trouble
from ingest.event import Row

DEFAULT: Final = ("agent",)
_PARTS: Final = {"agent": "agent_id", "service": "service", "principal": "principal", "host": "source_host"}


def parsed(text: str) -> tuple[str, ...]:
    """`service,agent` as its parts, in that order. Raises `Trouble` for a part that is not known."""
    parts = tuple(part.strip() for part in text.split(",") if part.strip())
    unknown = [part for part in parts if part not in _PARTS]
    if unknown or not parts or len(set(parts)) < len(parts):
        wrong = f"{', '.join(unknown)!r} is no part of it" if unknown else "it must name one part or several, each once"
        raise Trouble(f"agent key {text!r}: {wrong}; choose from {', '.join(_PARTS)}, with commas between")
    return parts


def chosen(asked: tuple[str, ...] | None, stored: tuple[str, ...], *, is_new: bool) -> tuple[str, ...]:
    """The key to use: a data directory keeps the one it began with. Raises `Trouble` where another is asked for."""
    if asked is None or asked == stored:
        return stored
    if is_new:
        return asked
    raise Trouble(
        f"agent key {','.join(asked)}: this data directory was begun with {','.join(stored)}, and its agents would "
        "no longer be the same; leave it out, or ingest into a new --data"
    )


def name_agents(events: Iterable[Row], key: tuple[str, ...]) -> None:
    """Give settled events of one trace the agents that the key makes; hand-offs follow their receivers."""
    rows = list(events)
    renamed: dict[str, set[str]] = {}
    for row in rows:
        before = row.agent_id
        parts = [getattr(row, _PARTS[part]) for part in key]
        row.agent_id = "/".join(dict.fromkeys(part for part in parts if part)) or before
        if before is not None and row.agent_id is not None:
            renamed.setdefault(before, set()).add(row.agent_id)
    for row in rows:
        if row.kind == "handoff" and len(to := renamed.get(row.target or "", set())) == 1:
            row.target = next(iter(to))
