"""AWS Step Functions executions: histories from GetExecutionHistory, and execution logs from CloudWatch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ingest.event import Observation, Rejected
from ingest.readers import reader
from ingest.readers._aws_envelope import objects_in
from ingest.readers._step_functions_history import executions, is_event, is_execution
from ingest.readers._step_functions_run import Run
from ingest.records import Record


def claims(first: object) -> bool:
    """An event with an id, a type and the previous event's id; or the description of an execution."""
    return any(
        is_event(found) and (is_execution(found) or isinstance(found.get("type"), str)) for found in objects_in(first)
    )


@reader(claims=claims)
def step_functions(records: Iterable[Record]) -> Iterator[Observation | Rejected]:
    """AWS Step Functions executions, as history exports or as execution logs.

    A task's scheduled, started and ended events are one call; a state's entered and exited events one step;
    a task that waits for its token and asks for a decision is an approval. Order is the event's number; what
    encloses a step is found along the previous event's number, so parallel branches stay apart.
    """
    for execution in executions(records):
        if isinstance(execution, Rejected):
            yield execution
        else:
            yield from Run(execution).observations()
