"""Search over every step of every session: a page at a time by key, in one total order, the newest first."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

import polars as pl

from baseline.beside import capability_of
from dashboard.queries import CONNECTIONS, connection, connection_of, data, generation, totals
from dashboard.sought import forms_of
from ingest.database import ask

PAGE: Final = 100

_KEY: Final = """(
    coalesce(ordered_at, timestamp_ns '1700-01-01'), trace_id, coalesce(sequence, -1), depth, kind_rank, event_id
)"""

_TOLD: Final = """lower(concat_ws(
    chr(31), tool, operation, target, principal, credential_id, on_behalf_of, approver, source_host, error, arguments,
    result
))"""

_WHERE: Final = f"""
    ($agent = '' or contains(lower(coalesce(agent_id, '')), lower($agent)))
    and ($session = '' or contains(lower(coalesce(session_id, '')), lower($session)))
    and ($tool = '' or contains(lower(coalesce(tool, operation)), lower($tool)))
    and ($status = '' or status = $status)
    and ($approval = '' or approval = $approval)
    and (not $by_capability or list_contains($tools, tool))
    and ($first is null or ordered_at >= $first::timestamp_ns)
    and ($last is null or ordered_at < $last::timestamp_ns)
    and ($text = '' or contains({_TOLD}, $text) or ($written <> '' and regexp_matches({_TOLD}, $written)))
"""

_FOUND: Final = f"""
with after as (select {_KEY} as key from events where event_id = $after order by session_id limit 1)
select
    event_id, session_id, agent_id, kind, operation, tool, target, principal, credential_id, status, approval, source,
    ordered_at
from events
where {_WHERE}
    and ($since is null or ordered_at >= $since::timestamp_ns)
    and ($after = '' or (
        (ordered_at is null or $until is null or ordered_at <= $until::timestamp_ns)
        and {_KEY} < (select key from after)
    ))
order by {_KEY} desc
limit $rows
"""  # noqa: S608 - the only texts formatted in are constants of this module

_HOW_MANY: Final = f"select count(*) as n from events where {_WHERE}"  # noqa: S608

_TOOLS: Final = "select distinct tool from events where tool is not null order by tool"
_AFTER: Final = "select ordered_at from events where event_id = $event_id order by session_id limit 1"
_NEWEST: Final = "select max(last_at) as newest, max(first_at) as first_newest from stored_traces"
_WINDOWS_DAYS: Final = (1, 8)
"""The newest steps are looked for in the last day, then in the last eight, and only then among all."""


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

    def values(self) -> dict[str, Any]:
        """Its parts as the queries name them."""
        texts = {name: getattr(self, name).strip() for name in ("agent", "session", "tool", "text")}
        tools = list(_tools_of(str(data()), generation(), self.capability)) if self.capability else []
        texts["text"], written = forms_of(texts["text"])
        return texts | {
            "written": written if texts["text"] else "",
            "status": self.status, "approval": self.approval, "by_capability": bool(self.capability), "tools": tools,
            "first": _said(self.first), "last": _said(self.last),
        }  # fmt: skip


@dataclass(frozen=True)
class Found:
    """A page of steps; `more` says whether others follow."""

    rows: pl.DataFrame
    more: bool
    knows_after: bool = field(default=True)


def search(wanted: Search, after: str = "") -> Found:
    """The steps that match, the newest first, from the one after `after` (an event id) on."""
    cursor = connection()
    begun = ask(cursor, _AFTER, event_id=after) if after else pl.DataFrame()
    knows = not after or begun.height == 1
    until = _after_all(begun["ordered_at"][0]) if begun.height else None
    values = wanted.values() | {"after": after if knows else "", "until": _said(until), "rows": PAGE + 1}
    known = (until, wanted.last, _newest(str(data()), generation()))
    newest = min((at for at in known if at is not None), default=None)
    rows = pl.DataFrame()
    for days in (*_WINDOWS_DAYS, None):
        since = None if days is None or newest is None else newest - timedelta(days=days)
        rows = ask(cursor, _FOUND, **values, since=_said(since))
        if since is None or rows.height > PAGE:
            break
    return Found(rows.head(PAGE), rows.height > PAGE, knows)


def how_many(wanted: Search) -> int:
    """How many steps match in all; counted once for each published state."""
    return _how_many(str(data()), generation(), wanted)


@lru_cache(maxsize=64)
def _how_many(where: str, number: int, wanted: Search) -> int:
    if wanted == Search():
        return int(totals()["steps"])
    return int(ask(connection_of(where, number).cursor(), _HOW_MANY, **wanted.values())["n"][0])


@lru_cache(maxsize=CONNECTIONS)
def _newest(where: str, number: int) -> datetime | None:
    """When the last step that carries a time began, or a little later."""
    found = ask(connection_of(where, number).cursor(), _NEWEST).row(0)
    return max((at for at in found if at is not None), default=None)


def _after_all(at: datetime | None) -> datetime | None:
    """A moment at or after this one, whose nanoseconds Python has cut off."""
    return None if at is None else at + timedelta(microseconds=1)


def _said(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(sep=" ")


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
