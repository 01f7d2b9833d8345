"""Temporal workflow histories: an agent that runs as a durable workflow, its activities being its calls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ingest.event import Observation, Rejected
from ingest.readers import reader
from ingest.readers._temporal_history import histories
from ingest.readers._temporal_run import Run
from ingest.records import Record


def claims(first: object) -> bool:
    """A history event has an eventId, an eventType and a member named `...EventAttributes` (or taskId)."""
    return _holds_events(first, 6)


def _holds_events(value: object, deepest: int) -> bool:
    if isinstance(value, list):
        return deepest > 0 and any(_holds_events(part, deepest - 1) for part in value)
    if not isinstance(value, dict):
        return False
    kind = value.get("eventType", value.get("event_type"))
    if ("eventId" in value or "event_id" in value) and isinstance(kind, str):
        return kind.startswith("EVENT_TYPE_") or any(
            key in ("taskId", "task_id") or str(key).endswith(("EventAttributes", "_event_attributes")) for key in value
        )
    inside = next((value[key] for key in ("events", "history", "items") if key in value), None)
    return isinstance(inside, list | dict) and deepest > 0 and _holds_events(inside, deepest - 1)


@reader(claims=claims)
def temporal(records: Iterable[Record]) -> Iterator[Observation | Rejected]:
    """Temporal workflow histories, as `temporal workflow show --output json` writes them.

    One observation a step: an activity's scheduled, started and completed events are one call, an update's
    accepted and completed events one decision, and the engine's own workflow tasks are counted on the run's
    opening event. Order is the eventId and never the time, which Temporal writes late for started events.
    """
    for history in histories(records):
        if isinstance(history, Rejected):
            yield history
        else:
            yield from Run(history).observations()
