"""One Step Functions execution -> observations: each step once, joined along the previous event's number."""

from __future__ import annotations

import re
from typing import Final

from ingest.arguments import named_in
from ingest.decisions import decision
from ingest.event import Kind, Observation, Status, identify
from ingest.payloads import as_text, value_of
from ingest.readers._step_functions_calls import (
    asked,
    is_verdict,
    kind_of,
    last_name,
    model_in,
    target_in,
    task_name,
    tokens_in,
    waits_for_decision,
)
from ingest.readers._step_functions_history import Details, Execution, Happening
from ingest.times import moment

_STATE: Final = re.compile(r"(\w+)State(Entered|Exited|Started|Succeeded|Failed|Aborted)")
_CALL: Final = re.compile(
    r"(Task|Activity|LambdaFunction)"
    r"(Scheduled|ScheduleFailed|Started|StartFailed|Submitted|SubmitFailed|Succeeded|Failed|TimedOut)"
)
_BRANCH: Final = re.compile(r"(MapIteration|MapRun)(Started|Succeeded|Failed|Aborted)")
_RUN: Final = re.compile(r"Execution(Succeeded|Failed|Aborted|TimedOut)")
_ENDS: Final[dict[str, Status]] = {
    "Succeeded": "ok",
    "Exited": "ok",
    "Failed": "error",
    "Aborted": "error",
    "TimedOut": "error",
    "ScheduleFailed": "error",
    "StartFailed": "error",
    "SubmitFailed": "error",
}
_DESCRIBED: Final[dict[str, Status]] = {"SUCCEEDED": "ok", "RUNNING": "pending", "PENDING_REDRIVE": "error"}


class Run:
    """One execution while it is read."""

    def __init__(self, execution: Execution) -> None:
        self.execution = execution
        self.run = execution.run() if execution.events else execution.arn or ""
        described = execution.described[0] if execution.described else None
        machine = execution.machine_arn or (described.state_machine_arn if described else None)
        self.agent = _machine_name(execution.arn) or _machine_name(machine)
        version = execution.version_arn or (described.state_machine_version_arn if described else None)
        self.version = _version(version)
        self.role: str | None = None
        self.opening: Observation | None = None
        self.steps: dict[str, Observation] = {}
        self.step_at: dict[int, Observation] = {}
        self.closing: set[int] = set()
        self.states: dict[str, str] = {}
        self.asking: set[str] = set()

    def observations(self) -> list[Observation]:
        last = 0
        for number in sorted(self.execution.events):
            event = self.execution.events[number]
            step = self._take(event)
            self.step_at[number] = step
            step.records += self.execution.repeated.get(number, 0)
            if number > last + 1:
                missing = number - last - 1
                _tell(step, f"{missing} event{'s' if missing > 1 else ''} missing before event {number}")
            last = number
        if self.execution.described is not None:
            self._described()
        return sorted(self.steps.values(), key=lambda step: step.sequence or 0)

    def _take(self, event: Happening) -> Observation:
        if found := _CALL.fullmatch(event.type):
            return self._call(event, found[1], found[2])
        if found := _BRANCH.fullmatch(event.type):
            return self._branch(event, found[1], found[2])
        if found := _STATE.fullmatch(event.type):
            return self._state(event, found[1], found[2])
        if event.type == "ExecutionStarted":
            return self._started(event)
        if (found := _RUN.fullmatch(event.type)) and self.opening is not None:
            self.opening.records += 1
            return self._close(self.opening, event, found[1])
        step = self._open(event, "lifecycle", event.said.input)
        if found or event.said.error or event.type.endswith("Failed"):
            self._close(step, event, found[1] if found else "Failed")
        return step

    def _open(self, event: Happening, kind: Kind, arguments: str | None) -> Observation:
        step = Observation(
            event_id=identify("step_functions", self.run, event.id),
            trace_id=self.run,
            kind=kind,
            operation=event.type,
            session_id=self.run,
            agent_id=self.agent,
            agent_version=self.version,
            service=self.role if self.agent is None else None,
            parent_event_id=self._above(event),
            sequence=event.id,
            started_at=event.at,
            arguments=_json(arguments),
            principal=self.role,
            source=event.record.source,
            source_sha256=event.record.sha256,
            witness="history",
        )
        held = event.said.input_details
        if held is not None and (held.truncated or not held.included):
            _tell(step, "arguments truncated" if held.truncated else "arguments not included")
        elif event.type.endswith("Scheduled") and kind == "tool_call" and arguments is None:
            _tell(step, "arguments not included")  # a history asked for without its execution data
        self.steps[step.event_id] = step
        return step

    def _above(self, event: Happening) -> str | None:
        """The step in which the previous event left the execution: a closed one leaves its enclosing one."""
        before = self.step_at.get(event.previous)
        if before is None:
            return self.opening.event_id if self.opening is not None else None
        return before.parent_event_id if event.previous in self.closing else before.event_id

    def _close(self, step: Observation, event: Happening, word: str) -> Observation:
        said = event.said
        self.closing.add(event.id)
        step.status, step.ended_at = _ENDS.get(word, "unknown"), event.at
        step.result = _json(said.output) or step.result
        if step.status == "error":
            words = [part for part in (said.error, said.cause) if part]
            step.error = ": ".join(words) or {"TimedOut": "timed out"}.get(word, word.lower())
        else:
            step.error = None
        held = said.output_details
        if held is not None and (held.truncated or not held.included):
            _tell(step, "result truncated" if held.truncated else "result not included")
        return step

    def _started(self, event: Happening) -> Observation:
        self.role = event.said.role_arn
        if self.version is None:
            self.version = _version(event.said.state_machine_version_arn)
        step = self._open(event, "lifecycle", event.said.input)
        step.parent_event_id, step.status = None, "pending"
        step.on_behalf_of = named_in(step.arguments).on_behalf_of
        self.opening = self.opening or step
        return step

    def _state(self, event: Happening, sort: str, word: str) -> Observation:
        if word == "Entered":
            return self._entered(event)
        step = self._enclosing(event, f"{sort}StateEntered", event.said.name)
        if step is None:
            step = self._entered(event)
        else:
            step.records += 1
        if word != "Started" and not (word == "Exited" and step.status == "error"):
            self._close(step, event, word)
        return step

    def _entered(self, event: Happening) -> Observation:
        step = self._open(event, "lifecycle", None)
        given = _json(event.said.input)
        step.arguments = f'{{"state":{as_text(event.said.name)}' + (f',"input":{given}}}' if given else "}")
        step.status = "pending"
        self.states[step.event_id] = event.said.name or ""
        return step

    def _enclosing(self, event: Happening, operation: str, name: str | None) -> Observation | None:
        """The step that an event tells the end of: the nearest above of that sort, and of that name if it has one."""
        step = self.step_at.get(event.previous)
        while step is not None:
            if step.operation == operation and (name is None or self.states.get(step.event_id) in (name, None)):
                return step
            step = self.steps.get(step.parent_event_id or "")
        return None

    def _branch(self, event: Happening, sort: str, word: str) -> Observation:
        if word != "Started":
            opened = f"{sort}Started"
            step = self._enclosing(event, opened, self._iteration(event.said) if sort == "MapIteration" else None)
            if step is not None:
                step.records += 1
                return self._close(step, event, word)
        step = self._open(event, "handoff" if sort == "MapRun" else "lifecycle", None)
        step.status = "pending"
        if sort == "MapRun":
            step.target = event.said.map_run_arn
        else:
            step.arguments = as_text({"state": event.said.name, "iteration": event.said.index})
            self.states[step.event_id] = self._iteration(event.said)
        return step if word == "Started" else self._close(step, event, word)

    def _iteration(self, said: Details) -> str:
        return f"{said.name}[{said.index}]"

    def _call(self, event: Happening, sort: str, word: str) -> Observation:
        step = self.step_at.get(event.previous) if word != "Scheduled" else None
        if step is None or not step.operation.startswith(sort) or not _CALL.fullmatch(step.operation):
            step = self._scheduled(event, sort)
        else:
            step.records += 1
        if word == "Submitted":
            step.result = _json(event.said.output)
            if step.kind == "handoff":
                step.target = named_in(step.result).target or step.target
        elif word in _ENDS:
            self._ended(step, event, word)
        if event.said.worker_name:
            step.source_host = event.said.worker_name
        return step

    def _scheduled(self, event: Happening, sort: str) -> Observation:
        said = event.said
        parameters = said.parameters if sort == "Task" else said.input
        resource = said.resource or ""
        tool = task_name(said.resource_type, said.resource, parameters) if sort == "Task" else last_name(resource)
        waits = resource.endswith(".waitForTaskToken") or sort == "Activity"
        kind = kind_of(tool)
        step = self._open(event, kind, parameters)
        state = self._state_name(step)
        if waits:
            self.asking.add(step.event_id)
        if waits and waits_for_decision(state, resource if sort == "Activity" else "", parameters):
            self._make_approval(step)
        elif kind == "model_call":
            step.model = model_in(parameters)
        else:
            step.tool = (tool or None) if kind == "tool_call" else None
            step.approval = "not_recorded" if kind == "tool_call" else None
            step.target = target_in(parameters) if sort == "Task" else resource or None
        step.status = "pending"
        if said.task_credentials is not None and said.task_credentials.role_arn:
            step.principal = said.task_credentials.role_arn
        return step

    def _state_name(self, step: Observation) -> str | None:
        above = self.steps.get(step.parent_event_id or "")
        return self.states.get(above.event_id) if above is not None else None

    def _make_approval(self, step: Observation) -> None:
        step.kind, step.approval, step.status = "approval", "pending", "pending"
        step.arguments = _json(asked(step.arguments))
        step.tool = decision("", [step.arguments or ""], None).tool
        step.target = named_in(step.arguments).target

    def _ended(self, step: Observation, event: Happening, word: str) -> None:
        self._close(step, event, word)
        if step.kind == "tool_call" and step.event_id in self.asking and is_verdict(step.result):
            self._make_approval(step)
            self._close(step, event, word)
        if step.kind == "model_call":
            step.input_tokens, step.output_tokens = tokens_in(step.result)
        if step.kind != "approval":
            return
        failed = word in ("Failed", "TimedOut")
        texts = [event.said.cause or ""] if failed else [step.result or ""]
        said = decision(event.said.error or "" if failed else "", texts, None)
        step.approver = said.approver
        step.tool = step.tool or said.tool
        if word == "Succeeded":
            step.approval = said.approval
        elif word == "Failed":
            # Only the approver ends a task with a failure; whether it is a no stands in its words.
            step.approval = "denied" if said.approval == "denied" else "not_recorded"
        if step.approval == "denied":
            step.status = "denied"

    def _described(self) -> None:
        """The execution's own description: joined with its opening event, which has the number 1."""
        assert self.execution.described is not None
        said, record = self.execution.described
        if self.opening is not None:
            step = self.opening
            step.records += 1
        else:
            happening = Happening(1, "ExecutionStarted", 0, moment(said.start_date), Details(input=said.input), record)
            step = self._started(happening)
        if step.status in ("pending", "unknown"):
            step.status = _DESCRIBED.get(said.status, "error")
            step.ended_at = moment(said.stop_date)
            step.result = _json(said.output)
            if step.status == "error":
                step.error = ": ".join(part for part in (said.error, said.cause) if part) or said.status.lower()


def _machine_name(arn: str | None) -> str | None:
    """`...:execution:Machine/MapLabel:name` and `...:stateMachine:Machine` -> Machine."""
    fields = arn.split(":") if arn else []
    return fields[6].split("/")[0] if len(fields) > 6 else None


def _version(arn: str | None) -> str | None:
    return arn.rsplit(":", 1)[-1] if arn else None


def _json(text: str | None) -> str | None:
    """Payloads are JSON in a string; one that the source cut is kept as a JSON string."""
    if not text:
        return None
    value = value_of(text)
    return as_text(text) if value is None and text != "null" else as_text(value)


def _tell(step: Observation, gap: str) -> None:
    step.gap = f"{step.gap}; {gap}" if step.gap else gap
