"""Mistral Workflows event exports: an agent's activities, custom tasks and child workflows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ingest.event import Observation, Rejected
from ingest.readers import reader
from ingest.readers._export_fields import REMEDY, opened
from ingest.readers._mistral_workflows_run import Runs
from ingest.records import Record

_TYPES = ("WORKFLOW_EXECUTION_", "WORKFLOW_TASK_", "ACTIVITY_TASK_", "CUSTOM_TASK_")


def _claims(first: object) -> bool:
    if isinstance(first, list):
        return bool(first) and all(_claims(part) for part in first)
    if not isinstance(first, dict):
        return False
    kind = first.get("event_type", first.get("eventType"))
    if isinstance(kind, str):
        return kind.startswith(_TYPES) and bool({"workflow_exec_id", "workflowExecId"} & first.keys())
    inside = first.get("events", first.get("data"))
    return isinstance(inside, list | dict) and _claims(inside)


@reader(claims=_claims)
def mistral_workflows(records: Iterable[Record]) -> Iterator[Observation | Rejected]:
    """Mistral Workflows events: pages of `events/list`, or lines of `events/stream` with their envelope.

    A task's events are one step; a retry is an attempt of it. A child workflow is a handoff from its parent.
    There is no event for a signal, so this export cannot record approvals. Sealed payloads stay sealed.
    """
    runs = Runs()
    for found in opened(records, "events", "data", own="workflow_exec_id"):
        if isinstance(found, Rejected):
            yield found
        elif not runs.take(*found):
            yield Rejected(found[0].line, f"no workflow event with its type, run and attributes; {REMEDY}")
    yield from runs.steps()
