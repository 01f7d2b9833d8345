"""Step Functions events from history exports and execution logs, gathered into executions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import msgspec

from ingest.event import Rejected, identify
from ingest.payloads import as_text, read, value_of
from ingest.readers._aws_envelope import Members, Part, parts
from ingest.records import Record
from ingest.times import moment

_EXECUTION: Final = frozenset(("executionArn", "stateMachineArn", "status", "startDate"))


def is_event(keys: Collection[str]) -> bool:
    """A history event, an execution log's line, or the description of an execution."""
    if "id" in keys and "type" in keys:
        told = ("previousEventId", "previous_event_id", "execution_arn")
        return any(key in keys for key in told) or any(str(key).endswith("EventDetails") for key in keys)
    return is_execution(keys)


def is_execution(keys: Collection[str]) -> bool:
    return set(keys) >= _EXECUTION and "events" not in keys


class Held(msgspec.Struct, rename="camel"):
    """What an event says about its own payload."""

    truncated: bool = False
    included: bool = True


class Credentials(msgspec.Struct, rename="camel"):
    role_arn: str | None = None


class Details(msgspec.Struct, rename="camel"):
    """All that the details of the event types hold; each has some of it."""

    name: str | None = None
    index: int | None = None
    input: str | None = None
    input_details: Held | None = None
    output: str | None = None
    output_details: Held | None = None
    role_arn: str | None = None
    resource_type: str | None = None
    resource: str | None = None
    parameters: str | None = None
    task_credentials: Credentials | None = None
    error: str | None = None
    cause: str | None = None
    worker_name: str | None = None
    map_run_arn: str | None = None
    state_machine_version_arn: str | None = None


class _Head(msgspec.Struct):
    id: int
    type: str
    previous: int = msgspec.field(name="previousEventId", default=0)
    previous_logged: int = msgspec.field(name="previous_event_id", default=0)
    timestamp: str | int | float | None = None
    logged_at: str | int | float | None = msgspec.field(name="event_timestamp", default=None)
    execution_arn: str | None = None


class _Execution(msgspec.Struct, rename="camel"):
    execution_arn: str | None = None
    state_machine_arn: str | None = None
    state_machine_version_arn: str | None = None


class Described(msgspec.Struct, rename="camel"):
    """`describe-execution`, or EventBridge's word of a status change."""

    execution_arn: str
    state_machine_arn: str
    status: str
    start_date: str | int | float | None = None
    stop_date: str | int | float | None = None
    input: str | None = None
    output: str | None = None
    error: str | None = None
    cause: str | None = None
    state_machine_version_arn: str | None = None


@dataclass
class Happening:
    """One event with its place."""

    id: int
    type: str
    previous: int
    at: int | None
    said: Details
    record: Record


@dataclass
class Execution:
    """One execution's events, and what is known of it beside them."""

    arn: str | None = None
    machine_arn: str | None = None
    version_arn: str | None = None
    events: dict[int, Happening] = field(default_factory=dict)
    repeated: dict[int, int] = field(default_factory=dict)
    described: tuple[Described, Record] | None = None

    def add(self, event: Happening) -> None:
        if event.id in self.events:
            self.repeated[event.id] = self.repeated.get(event.id, 0) + 1
        else:
            self.events[event.id] = event

    def run(self) -> str:
        """The execution's ARN; without it, when it started and with what."""
        if self.arn:
            return self.arn
        first = self.events[min(self.events)]
        if first.type != "ExecutionStarted":
            return identify("step_functions", first.record.sha256)
        given = value_of(first.said.input)
        text = as_text(given) if given is not None else first.said.input
        moment = first.at // 1_000_000 if first.at is not None else None
        return identify("step_functions", moment, text, first.said.role_arn)


_HEAD: Final = msgspec.json.Decoder(_Head, strict=False)
_DETAILS: Final = msgspec.json.Decoder(Details, strict=False)
_MEMBERS: Final = msgspec.json.Decoder(Members)
_AROUND: Final = msgspec.json.Decoder(_Execution)
_DESCRIBED: Final = msgspec.json.Decoder(Described)


def executions(records: Iterable[Record]) -> Iterator[Execution | Rejected]:
    """Executions in the order in which they first occur; refused records as they come."""
    named: dict[str, Execution] = {}
    nameless: list[Execution] = []
    container: Members | None = None
    for record in records:
        for part in parts(record, is_event):
            if isinstance(part, Rejected):
                yield part
                continue
            event = _event(part)
            if isinstance(event, Rejected):
                yield event
                continue
            if isinstance(event, Described):
                execution = named.setdefault(event.execution_arn, Execution(arn=event.execution_arn))
                if execution.described is not None:
                    yield Execution(arn=event.execution_arn, described=(event, part.record))
                execution.described = execution.described or (event, part.record)
                continue
            happening, about = event
            if about.execution_arn:
                execution = named.setdefault(about.execution_arn, Execution(arn=about.execution_arn))
                execution.machine_arn = execution.machine_arn or about.state_machine_arn
                execution.version_arn = execution.version_arn or about.state_machine_version_arn
                execution.add(happening)
                continue
            is_same = part.record is record or part.around is container
            if not nameless or not _continues(nameless[-1], happening, is_same):
                nameless.append(Execution(machine_arn=about.state_machine_arn))
            container = part.around
            nameless[-1].add(happening)
    yield from named.values()
    yield from nameless


def _continues(execution: Execution, event: Happening, is_same_list: bool) -> bool:
    """Pages of one history follow each other by number, upwards or downwards; a number twice is another run."""
    if event.id in execution.events:
        known = execution.events[event.id]
        return known.record.sha256 == event.record.sha256
    return is_same_list or event.id in (max(execution.events) + 1, min(execution.events) - 1)


def _event(part: Part) -> tuple[Happening, _Execution] | Described | Rejected:
    members = part.record.decode(_MEMBERS)
    if isinstance(members, Rejected):
        return members
    if is_execution(members):
        return part.record.decode(_DESCRIBED)
    head = part.record.decode(_HEAD)
    if isinstance(head, Rejected):
        return head
    details = next((raw for key, raw in members.items() if key == "details" or key.endswith("EventDetails")), None)
    said: Details | Rejected = Details()
    if details is not None:
        said = next(part.record.elements([details])).decode(_DETAILS)
    if isinstance(said, Rejected):
        return said
    at = moment(head.timestamp if head.timestamp is not None else head.logged_at)
    about = read(_AROUND, msgspec.json.encode(part.around)) or _Execution() if part.around else _Execution()
    if head.execution_arn:
        about = _Execution(execution_arn=head.execution_arn)
    event = Happening(head.id, head.type, head.previous or head.previous_logged, at, said, part.record)
    return event, about
