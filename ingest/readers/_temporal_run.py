"""One workflow history -> observations: each step once, joined by the ids that its events name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ingest.arguments import named_in
from ingest.decisions import decides, decision, worker_host
from ingest.event import Kind, Observation, Status, identify
from ingest.payloads import as_text, value_of
from ingest.readers._temporal_facts import (
    because,
    name_what_it_touches,
    stated_version,
    status_of,
    tell_attempts,
    worker_version,
)
from ingest.readers._temporal_history import Attributes, Happening, RequestInput, number_of
from ingest.readers._temporal_model import failure_in, model_in, usage_in
from ingest.readers._temporal_payload import ENCRYPTED, fields_of, one_text, texts_of
from ingest.readers._temporal_types import (
    ACTIVITY,
    CANCEL_OUT,
    CHILD,
    ENDS,
    ENGINE,
    KINDS,
    LATER,
    NEXUS,
    SIGNAL_OUT,
    TIMER,
    UPDATES,
)  # fmt: skip
from ingest.readers._temporal_words import is_model_call, is_wrapper, wrapped_tool

_WORDS: Final = {
    "TimedOut": "timed out",
    "Canceled": "canceled",
    "Terminated": "terminated",
    "Failed": "failed",
}


class Run:
    """One run while its history is read."""

    def __init__(self, events: list[Happening]) -> None:
        self.events = events
        first = events[0]
        started = first.said if first.type == "WorkflowExecutionStarted" else Attributes()
        hashed = first.record.sha256[:32]
        self.run = started.original_execution_run_id or started.first_execution_run_id or hashed
        self.session = (
            started.workflow_id or started.first_execution_run_id or started.original_execution_run_id or hashed
        )
        self.agent = started.workflow_type.name or None if started.workflow_type else None
        self.version = self.stated = stated_version(started)
        # A reset run repeats another run's head and goes on differently under the same original run id.
        self.fork = self.run
        self.opening: Observation | None = None
        self.steps: dict[int, Observation] = {}
        self.inputs: dict[int, list[str]] = {}
        self.updates: dict[str, Observation] = {}

    def observations(self) -> list[Observation]:
        """The run's steps in the order in which they were opened."""
        for event in self.events:
            if event.type in ENGINE:
                self._engine(event)
            elif event.type in LATER:
                self._later(event)
            else:
                _OPENERS.get(event.type, Run._other)(self, event)
        for step in self.steps.values():
            sealed = [name for name in ("arguments", "result") if ENCRYPTED in (getattr(step, name) or "")]
            step.gap = step.gap or (f"{' and '.join(sealed)} encrypted" if sealed else None)
        return sorted(self.steps.values(), key=lambda step: step.sequence or 0)

    def _open(
        self, event: Happening, kind: Kind, operation: str | None = None, number: int | None = None
    ) -> Observation:
        number = event.number if number is None else number
        step = Observation(
            event_id=identify("temporal", self.fork, number),
            trace_id=self.run,
            kind=kind,
            operation=operation or event.type,
            session_id=self.session,
            agent_id=self.agent,
            agent_version=self.version,
            parent_event_id=self.opening.event_id if self.opening else None,
            sequence=number,
            started_at=event.at,
            source=event.record.source,
            source_sha256=event.record.sha256,
            witness="history",
        )
        self.steps[number] = step
        if self.opening is None and kind == "lifecycle":
            self.opening = step
        return step

    def _engine(self, event: Happening) -> None:
        """The engine's bookkeeping: counted on the opening event, which it tells the worker's version."""
        if self.opening is None:
            self._open(event, "lifecycle")
        else:
            self.opening.records += 1
        version = worker_version(event.said)
        if version is not None and self.stated is None and self.opening is not None:
            self.version = version
            self.opening.agent_version = self.opening.agent_version or version

    def _started(self, event: Happening) -> None:
        said = event.said
        step = self._open(event, "lifecycle")
        self.opening = step
        given = one_text(texts_of(said.input))
        members = [f'"input":{given or "null"}']
        if said.parent_workflow_execution is not None:
            members.append(f'"parent_workflow_id":{as_text(said.parent_workflow_execution.workflow_id)}')
            members.append(f'"parent_run_id":{as_text(said.parent_workflow_execution.run_id)}')
        step.arguments = "{" + ",".join(members) + "}"
        step.on_behalf_of = named_in(given).on_behalf_of
        step.source_host = worker_host(said.identity)
        step.status = "pending"
        step.parent_event_id = None

    def _ended(self, event: Happening) -> None:
        step, said = self.opening, event.said
        if step is None:
            step = self._open(event, "lifecycle")
        else:
            step.records += 1
        step.status, step.ended_at = ENDS[event.type], event.at
        step.result = one_text(texts_of(said.result))
        if event.type == "WorkflowExecutionContinuedAsNew":
            step.result = as_text({"new_run_id": said.new_execution_run_id})
        if step.status == "error":
            word = _WORDS[event.type.removeprefix("WorkflowExecution")]
            step.error = failure_in(said.failure) or (f"{word}: {said.reason}" if said.reason else word)

    def _engine_failed(self, event: Happening) -> None:
        said = event.said
        step = self._open(event, "lifecycle")
        step.status = "error"
        step.error = failure_in(said.failure) or said.cause or _WORDS[event.type.removeprefix("WorkflowTask")]
        step.source_host = worker_host(said.identity)
        if said.new_run_id:
            self.fork = said.new_run_id

    def _activity(self, event: Happening) -> None:
        name = event.said.activity_type.name if event.said.activity_type else ""
        self._call(event, name, texts_of(event.said.input))

    def _call(self, event: Happening, name: str, texts: list[str]) -> Observation:
        """A model or tool call that has just been opened."""
        model = is_model_call(name)
        step = self._open(event, "model_call" if model else "tool_call")
        step.status = "pending"
        step.arguments = one_text(texts)
        if model:
            step.model = model_in(texts)
            return step
        step.tool = (wrapped_tool(texts) if is_wrapper(name) else None) or name or None
        step.approval = "not_recorded"
        name_what_it_touches(step, texts)
        return step

    def _nexus(self, event: Happening) -> None:
        said = event.said
        name = ".".join(part for part in (said.service, said.operation) if part)
        step = self._call(event, name, texts_of(said.input))
        step.target = step.target or said.endpoint

    def _marker(self, event: Happening) -> None:
        """A local activity runs inside the worker and leaves one marker, written when it has ended."""
        said = event.said
        if said.marker_name not in ("core_local_activity", "LocalActivity"):
            self._other(event)
            return
        details = fields_of(said.details)
        data = value_of(one_text(details.get("data", [])))
        about = data if isinstance(data, dict) else {}
        kinds = [about.get(key) for key in ("activity_type", "ActivityType", "activityType")]
        kinds.append(value_of(one_text(details.get("type", []))))
        name = next((kind for kind in kinds if isinstance(kind, str) and kind), "")
        step = self._call(event, name, details.get("input", []))
        attempt = about.get("attempt", about.get("Attempt"))
        self._close(step, "ok", details.get("result", []), failure_in(said.failure), event)
        if isinstance(attempt, int) and attempt > 1:
            tell_attempts(step, attempt, None)

    def _child(self, event: Happening) -> None:
        step = self._open(event, "handoff")
        texts = texts_of(event.said.input)
        step.status = "pending"
        step.arguments = one_text(texts)
        step.target = (event.said.workflow_type.name or None) if event.said.workflow_type else None
        if len(texts) == 1:
            step.on_behalf_of = named_in(step.arguments).on_behalf_of

    def _signal_out(self, event: Happening) -> None:
        step = self._open(event, "message")
        step.status = "pending"
        step.arguments = as_text({"signal": event.said.signal_name})
        if (given := one_text(texts_of(event.said.input))) is not None:
            step.arguments = f'{step.arguments[:-1]},"input":{given}}}'
        if event.said.workflow_execution is not None:
            step.target = event.said.workflow_execution.workflow_id

    def _later(self, event: Happening) -> None:
        """An event of a step that is open: joined by the id that it names, however late it comes."""
        opener, attribute, status = LATER[event.type]
        said = event.said
        number = number_of(getattr(said, attribute)) or event.number
        step = self.steps.get(number)
        if step is None or step.operation != opener:
            # The opening event is not in this file: what is left still says that the step took place.
            number = event.number if step is not None else number
            step = self._open(event, KINDS.get(opener, "lifecycle"), opener, number)
            step.approval = "not_recorded" if step.kind == "tool_call" else None
        else:
            step.records += 1
        if (host := worker_host(said.identity)) is not None:
            step.source_host = step.source_host or host
        if status is not None:
            error = None
            if status == "error":
                suffix = next((word for word in _WORDS if event.type.endswith(word)), "Failed")
                error = failure_in(said.failure) or because(_WORDS[suffix], said)
            self._close(step, status, texts_of(said.result), error, event)
        elif event.type == "ActivityTaskStarted" and (attempt := number_of(said.attempt) or 1) > 1:
            tell_attempts(step, attempt, failure_in(said.last_failure))

    def _close(
        self, step: Observation, status: Status, results: list[str], error: str | None, event: Happening
    ) -> None:
        attempts, step.error = step.error, error
        if attempts is not None:
            step.error = f"{error} ({attempts})" if error else attempts
        step.status = "error" if error else status
        step.ended_at = event.at
        step.result = one_text(results)
        if step.kind == "model_call":
            usage = usage_in(results)
            step.model = step.model or usage.model
            step.input_tokens, step.output_tokens = usage.input_tokens, usage.output_tokens

    def _signaled(self, event: Happening) -> None:
        said = event.said
        sender = said.external_workflow_execution
        identity = sender.workflow_id if sender and sender.workflow_id else said.identity
        step = self._told(event, said.signal_name or "", texts_of(said.input), identity)
        if step.kind == "message":
            step.status = "ok"

    def _told(self, event: Happening, name: str, texts: list[str], identity: str | None) -> Observation:
        """Something said to the running workflow from outside: a decision where its name says so."""
        step = self._open(event, "approval" if decides(name) else "message", event.type)
        step.arguments = one_text(texts)
        step.source_host = worker_host(identity)
        if step.kind == "message":
            step.tool = None
            return step
        said = decision(name, texts, identity)
        step.approval, step.approver, step.tool = said.approval, said.approver, said.tool
        step.status = status_of(step)
        name_what_it_touches(step, texts)
        return step

    def _update(self, event: Happening) -> None:
        said = event.said
        request = said.accepted_request or said.rejected_request or said.request
        meta = (request.meta if request else None) or said.meta
        update = said.protocol_instance_id or (meta.update_id if meta else None)
        step = self.updates.get(update or "") or self.steps.get(number_of(said.accepted_event_id) or -1)
        if step is None or not step.operation.startswith("WorkflowExecutionUpdate"):
            asked = (request.input if request else None) or RequestInput()
            step = self._told(event, asked.name, texts_of(asked.args), meta.identity if meta else None)
            if step.kind == "message":
                step.status = "pending"
        else:
            step.records += 1
        if update:
            self.updates[update] = step
        if event.type in ("WorkflowExecutionUpdateCompleted", "WorkflowExecutionUpdateRejected"):
            outcome = said.outcome
            failed = failure_in(outcome.failure if outcome else said.failure)
            refused = event.type == "WorkflowExecutionUpdateRejected"
            step.ended_at = event.at
            step.result = one_text(texts_of(outcome.success)) if outcome else None
            if failed is not None or refused:
                # A decision that the workflow refused decided nothing.
                step.status, step.error = "error", failed or "rejected"
                step.approval = "not_recorded" if step.kind == "approval" else None
            elif step.kind == "message":
                step.status = "ok"

    def _timer(self, event: Happening) -> None:
        self._other(event).status = "pending"

    def _other(self, event: Happening) -> Observation:
        """All else, and types that Temporal adds one day: kept with its attributes, nothing read into it."""
        step = self._open(event, "lifecycle")
        if event.attributes is not None:
            step.arguments = one_text(texts_of(event.attributes))
        step.source_host = worker_host(event.said.identity)
        if event.said.workflow_execution is not None:
            step.target = event.said.workflow_execution.workflow_id
        return step


_OPENERS: Final[dict[str, Callable[[Run, Happening], object]]] = {
    "WorkflowExecutionStarted": Run._started,
    "WorkflowTaskFailed": Run._engine_failed,
    "WorkflowTaskTimedOut": Run._engine_failed,
    "WorkflowExecutionSignaled": Run._signaled,
    "MarkerRecorded": Run._marker,
    ACTIVITY: Run._activity,
    NEXUS: Run._nexus,
    CHILD: Run._child,
    SIGNAL_OUT: Run._signal_out,
    CANCEL_OUT: Run._timer,
    TIMER: Run._timer,
    **dict.fromkeys(ENDS, Run._ended),
    **dict.fromkeys(UPDATES, Run._update),
}
