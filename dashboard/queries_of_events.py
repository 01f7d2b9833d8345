"""Search over every step of every session: a page at a time by key, in one total order, the newest first."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

import polars as pl

from baseline.beside import capability_of
from dashboard.queries import connection, connection_of, data, generation
from ingest.database import ask

PAGE: Final = 100

_KEY: Final = """(
    coalesce(ordered_at, timestamp_ns '1700-01-01'), trace_id, coalesce(sequence, -1), depth, kind_rank, event_id
)"""

_WHERE: Final = """
    ($agent = '' or contains(lower(coalesce(agent_id, '')), lower($agent)))
    and ($session = '' or contains(lower(coalesce(session_id, '')), lower($session)))
    and ($tool = '' or contains(lower(coalesce(tool, operation)), lower($tool)))
    and ($status = '' or status = $status)
    and ($approval = '' or approval = $approval)
    and (not $by_capability or list_contains($tools, tool))
    and ($first is null or ordered_at >= $first::timestamp_ns)
    and ($last is null or ordered_at < $last::timestamp_ns)
    and ($text = '' or contains(lower(concat_ws(
        chr(31), tool, operation, target, principal, credential_id, on_behalf_of, approver, source_host, error,
        arguments, result
    )), lower($text)))
"""

_FOUND: Final = f"""
with after as (select {_KEY} as key from events where event_id = $after order by session_id limit 1)
select
    event_id, session_id, agent_id, kind, operation, tool, target, principal, credential_id, status, approval, source,
    ordered_at
from events
where {_WHERE} and ($after = '' or {_KEY} < (select key from after))
order by {_KEY} desc
limit $rows
"""  # noqa: S608 - the only texts formatted in are constants of this module

_HOW_MANY: Final = f"select count(*) as n from events where {_WHERE}"  # noqa: S608

_TOOLS: Final = "select distinct tool from events where tool is not null order by tool"
_IS_THERE: Final = "select count(*) as n from (select 1 from events where event_id = $event_id limit 1)"


@dataclass(frozen=True)
class Search:
    """What is looked for; an empty text matches all. `first` and `last` (exclusive) are UTC without a zone."""

    agent: str = ""
    session: str = ""
    tool: str = ""
    text: str = ""
    status: str = ""
    capability: str = ""
    approval: str = ""
    first: datetime | None = None
    last: datetime | None = None

    def _values(self) -> dict[str, Any]:
        texts = {name: getattr(self, name).strip() for name in ("agent", "session", "tool", "text")}
        tools = list(_tools_of(str(data()), generation(), self.capability)) if self.capability else []
        return texts | {
            "status": self.status, "approval": self.approval, "by_capability": bool(self.capability), "tools": tools,
            "first": None if self.first is None else self.first.isoformat(sep=" "),
            "last": None if self.last is None else self.last.isoformat(sep=" "),
        }  # fmt: skip


@dataclass(frozen=True)
class Found:
    """A page of steps; `more` says whether others follow."""

    rows: pl.DataFrame
    more: bool
    matching: int
    knows_after: bool = field(default=True)


def search(wanted: Search, after: str = "") -> Found:
    """The steps that match, the newest first, from the one after `after` (an event id) on."""
    cursor = connection()
    values = wanted._values()
    knows = not after or ask(cursor, _IS_THERE, event_id=after)["n"][0] == 1
    rows = ask(cursor, _FOUND, **values, after=after if knows else "", rows=PAGE + 1)
    matching = int(ask(cursor, _HOW_MANY, **values)["n"][0])
    return Found(rows.head(PAGE), rows.height > PAGE, matching, knows)


def moment(text: str, *, end: bool = False) -> datetime | None:
    """A day or a moment as a person writes it (UTC; `2026-10-21`, `2026-10-21 09:00`); with `end`
    a day means the beginning of the next one.

    Raises `ValueError` where it is neither.
    """
    text = text.strip()
    if not text:
        return None
    found = datetime.fromisoformat(text)
    if found.tzinfo is not None:
        found = found.astimezone(UTC).replace(tzinfo=None)
    if not 1700 <= found.year < 2262:
        raise ValueError("beyond the years that a log can tell")
    if end and len(text) <= len("2026-10-21"):
        found += timedelta(days=1)
    return found


@lru_cache(maxsize=32)
def _tools_of(where: str, number: int, capability: str) -> tuple[str, ...]:
    """The tools of this class in one published state."""
    tools = ask(connection_of(where, number).cursor(), _TOOLS)["tool"]
    return tuple(tool for tool in tools if capability_of(tool) == capability)
