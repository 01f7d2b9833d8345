"""Several records of one step -> one event: whom to believe, what to fill in, in what they differ."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from ingest.event import OBSERVED, Row
from ingest.joins import grouped, keys_in

_WITNESS_RANK: Final = {"span": 0, "history": 0, "message": 1, "log": 2, "infrastructure": 3}
_OPEN: Final = ("pending", "unknown")
_APPROVAL_RANK: Final = {None: 0, "cannot_record": 1, "not_recorded": 2, "pending": 3}
_DECIDED: Final = 4
_AGREEABLE: Final = (
    "tool",
    "arguments",
    "result",
    "status",
    "principal",
    "credential_id",
    "approver",
    "approval",
)
_SAYS_NOTHING: Final = (None, "pending", "unknown", "cannot_record", "not_recorded")
_IDENTITY: Final = ("event_id", "trace_id", "kind", "operation", "witness", "source", "source_sha256")
_MERGED: Final = tuple(name for name in OBSERVED if name not in (*_IDENTITY, "sequence", "joins"))


def told_together(told: dict[str, list[Row]]) -> Iterator[list[Row]]:
    """All rows of each step, given by event id: those of several ids where they share a key of the step.

    One call id for two tools, or a yes and a no under one, stay apart: that is no second telling.
    """
    if all(row.joins is None for rows in told.values() for row in rows):
        yield from told.values()
        return
    joined: dict[str, list[str]] = {}
    for event_id, rows in told.items():
        keys = {f"{_family(rows)} {key}" for row in rows for key in keys_in(row.joins)}
        if keys:
            joined[event_id] = sorted(keys)
        else:
            yield rows
    for group in grouped(joined):
        parts = [[told[event_id] for event_id in group]]
        for discern in (_tool, _verdict, _approver) if len(group) > 1 else ():
            parts = [part for whole in parts for part in _apart(whole, discern)]
        for part in parts:
            yield [row for rows in part for row in rows]


def merge(witnesses: list[Row]) -> Row:
    """The event that these rows tell of: the one to believe first, filled from the others, now its witnesses."""
    if len(witnesses) == 1:
        return witnesses[0]
    first, *others = sorted(witnesses, key=_certainty)
    first.witnesses = len(witnesses)
    first.disagreement = ",".join(n for n in _AGREEABLE if _differs(witnesses, n)) or None
    first.joins = " ".join(sorted({key for row in witnesses for key in keys_in(row.joins)})) or None
    for other in others:
        other.witness_of = first.event_id
        _fill(first, other)
    return first


def parents_of(witnesses: Iterable[Row]) -> list[str]:
    """The parents that they name, that of the one to believe first in front."""
    return [row.parent_event_id for row in sorted(witnesses, key=_certainty) if row.parent_event_id is not None]


def learn_approval(event: Row, approval: str | None, approver: str | None) -> None:
    """Take over what another record knows of a step's approval, where it knows more."""
    if _approval_rank(approval) > _approval_rank(event.approval):
        event.approval = approval  # type: ignore[assignment]
        event.approver = approver or event.approver


def _approval_rank(approval: str | None) -> int:
    return _APPROVAL_RANK.get(approval, _DECIDED)


def _certainty(row: Row) -> tuple[bool, int, int, str]:
    """Sorts witnesses, the one to believe first: a finished one, the nearest, the latest try, then by content."""
    return (row.status in _OPEN, _WITNESS_RANK[row.witness], -(row.started_at or 0), row.content_key)


def _differs(witnesses: list[Row], name: str) -> bool:
    return len({v for w in witnesses if (v := getattr(w, name)) not in _SAYS_NOTHING}) > 1


def _fill(event: Row, witness: Row) -> None:
    learn_approval(event, witness.approval, witness.approver)
    for name in _MERGED:
        mine, theirs = getattr(event, name), getattr(witness, name)
        if theirs is None or mine == theirs:
            continue
        if mine is None or (name == "status" and (theirs == "denied" or (mine in _OPEN and theirs != "unknown"))):
            setattr(event, name, theirs)
    if event.sequence is None and event.trace_id == witness.trace_id:
        event.sequence = witness.sequence
    if witness.ended_at is not None and event.ended_at is not None:
        event.ended_at = max(event.ended_at, witness.ended_at)


def _family(rows: list[Row]) -> str:
    """What can be one step: calls and hand-offs, which some exports tell from each other and some do not."""
    kind = min(rows, key=_certainty).kind
    return "call" if kind in ("tool_call", "handoff") else kind


def _tool(rows: list[Row]) -> str | None:
    return next((row.tool for row in sorted(rows, key=_certainty) if row.tool is not None), None)


def _verdict(rows: list[Row]) -> str | None:
    found = next((row for row in rows if row.kind == "approval" and _approval_rank(row.approval) == _DECIDED), None)
    return found.approval if found is not None else None


def _approver(rows: list[Row]) -> str | None:
    return next((row.approver for row in rows if row.kind == "approval" and row.approver is not None), None)


def _apart(group: list[list[Row]], said: Callable[[list[Row]], str | None]) -> list[list[list[Row]]]:
    """A group by what its members say; one that does not say goes with the first that does."""
    parts: dict[str | None, list[list[Row]]] = defaultdict(list)
    for rows in group:
        parts[said(rows)].append(rows)
    silent = parts.pop(None, [])
    if not parts:
        return [silent]
    first = min(parts.values(), key=lambda part: min(_by_start(row) for rows in part for row in rows))
    first.extend(silent)
    return list(parts.values())


def _by_start(row: Row) -> tuple[int, str, str]:
    return (row.started_at or 0, row.event_id, row.content_key)
