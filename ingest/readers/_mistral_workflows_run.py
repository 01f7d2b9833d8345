"""Workflow events -> steps: a task's events joined by its id, a run's by the run's."""

from __future__ import annotations

from typing import Final

import msgspec

from ingest.arguments import named_in
from ingest.decisions import words
from ingest.event import Observation, identify
from ingest.payloads import as_text
from ingest.readers._export_fields import Fields
from ingest.records import Record
from ingest.times import nanoseconds

_MODEL_TASKS: Final = {
    "llm_call", "llm", "model_call", "chat_completion", "chat_complete", "invoke_model", "mistral_chat_complete",
    "create_chat_completion", "generation",
}  # fmt: skip


class _Event(msgspec.Struct):
    record: Record
    fields: Fields
    task: str
    """`WORKFLOW_EXECUTION`, `ACTIVITY_TASK`, ... and what became of it."""
    outcome: str
    at: int | None
    event_id: str


class Runs:
    """The runs of a file while they are read."""

    def __init__(self) -> None:
        self._steps: dict[tuple[str, ...], list[_Event]] = {}

    def take(self, record: Record, fields: Fields) -> bool:
        """An event; False where it is none."""
        kind = fields.text("event_type", "eventType") or ""
        run = fields.text("workflow_run_id", "workflowRunId") or ""
        workflow = fields.text("workflow_exec_id", "workflowExecId")
        task = next((t for t in ("WORKFLOW_EXECUTION", "WORKFLOW_TASK", "ACTIVITY_TASK", "CUSTOM_TASK")
                     if kind.startswith(t + "_")), None)  # fmt: skip
        if task is None or workflow is None:
            return False
        about = fields.inside("attributes")
        own = about.text("task_id", "taskId", "custom_task_id", "customTaskId")
        event_id = fields.text("event_id", "eventId") or record.sha256
        if task in ("ACTIVITY_TASK", "CUSTOM_TASK"):
            if own is None:
                return False
        else:
            own = "" if task == "WORKFLOW_EXECUTION" else event_id
        at = fields.count("event_timestamp", "eventTimestamp")
        if at is None:
            at = nanoseconds(fields.text("event_timestamp", "eventTimestamp"))
        event = _Event(record, fields, task, kind.removeprefix(task + "_"), at, event_id)
        self._steps.setdefault((workflow, run, task, own), []).append(event)
        return True

    def steps(self) -> list[Observation]:
        """Every step, its events in the order of their times."""
        found = []
        for key, events in self._steps.items():
            # A page may repeat the last event of the page before it.
            events.sort(key=lambda e: (e.at or 0, e.outcome in ("COMPLETED", "FAILED"), e.event_id))
            found.append(_step(key, events))
        opened = {said.trace_id + "\x1f" + key[0]: said for key, said in zip(self._steps, found, strict=True)
                  if key[2] == "WORKFLOW_EXECUTION"}  # fmt: skip
        names = {place: said.agent_id for place, said in opened.items()}
        for events, said in zip(self._steps.values(), found, strict=True):
            parent = events[0].fields.text("parent_workflow_exec_id", "parentWorkflowExecId")
            if parent is not None and events[0].task == "WORKFLOW_EXECUTION":
                _hand_over(said, opened.get(f"{said.trace_id}\x1f{parent}"), names.get(f"{said.trace_id}\x1f{parent}"))
        return found


def _hand_over(child: Observation, above: Observation | None, caller: str | None) -> None:
    """A child's run is a handoff by its parent, where the export holds the parent's run."""
    child.kind, child.target, child.agent_id = "handoff", child.agent_id, caller
    child.parent_event_id = above.event_id if above is not None and above is not child else None


def _step(key: tuple[str, ...], events: list[_Event]) -> Observation:
    workflow, run, task, _ = key
    first, last = events[0], events[-1]
    fields = first.fields
    root = fields.text("root_workflow_exec_id", "rootWorkflowExecId") or workflow
    said = Observation(
        event_id=identify("mistral_workflows", *key),
        trace_id=root,
        session_id=root,
        kind="lifecycle",
        operation=f"{task}_{first.outcome}",
        agent_id=fields.text("workflow_name", "workflowName"),
        started_at=first.at,
        ended_at=last.at if last is not first else None,
        source=first.record.source,
        source_sha256=first.record.sha256,
        witness="history",
        records=len(events),
    )
    opening = identify("mistral_workflows", workflow, run, "WORKFLOW_EXECUTION", "")
    gaps: list[str] = []
    _payloads(said, events, gaps)
    _outcome(said, events)
    if task == "WORKFLOW_EXECUTION":
        if first.outcome != "STARTED":
            gaps.append("the run's start is not in this export")
    else:
        said.parent_event_id = opening
        _name(said, events)
        if task != "WORKFLOW_TASK" and first.outcome != "STARTED":
            gaps.append("the task's start is not in this export")
    said.gap = "; ".join(dict.fromkeys(gaps)) or None
    return said


def _name(said: Observation, events: list[_Event]) -> None:
    about = events[0].fields.inside("attributes")
    activity = about.text("activity_name", "activityName")
    custom = about.text("custom_task_type", "customTaskType")
    name = activity or custom
    if name is None:
        return
    if "_".join(words(name)) in _MODEL_TASKS:
        said.kind = "model_call"
        return
    if activity is None and name.lower() not in ("tool_call", "tool"):
        # A custom task is whatever its author shows of the run; only a tool's is a call.
        said.tool = name
        return
    said.kind, said.tool, said.approval = "tool_call", name, "cannot_record"
    named = named_in(said.arguments)
    said.target, said.credential_id, said.principal = named.target, named.credential_id, named.principal
    said.on_behalf_of = named.on_behalf_of


def _payloads(said: Observation, events: list[_Event], gaps: list[str]) -> None:
    for event in events:
        about = event.fields.inside("attributes")
        if event.outcome == "STARTED":
            said.arguments = _payload(about, ("input", "payload"), "arguments", gaps) or said.arguments
        elif event.outcome == "COMPLETED":
            said.result = _payload(about, ("result", "output", "payload"), "result", gaps) or said.result


def _payload(about: Fields, names: tuple[str, ...], what: str, gaps: list[str]) -> str | None:
    """A payload's value; one that is sealed is said to be there, with its size."""
    for name in names:
        payload = about.inside(name)
        if not payload.raw:
            if (bare := about.payload(name)) is not None and bare not in ("{}", "null"):
                return bare
            continue
        options = [str(part.decode("utf-8", "replace")).strip('"') for part in payload.list_of(
            "encoding_options", "encodingOptions")]  # fmt: skip
        if options:
            size = len(payload.text("value") or "")
            gaps.append(f"{what} {' and '.join(options)[:60]}")
            return as_text(f"[{' and '.join(options)[:60]}: {size} characters]")
        return payload.payload("value") if "value" in payload else about.payload(name)
    return None


def _outcome(said: Observation, events: list[_Event]) -> None:
    outcomes = [event.outcome for event in events]
    failures = [text for event in events if (text := _failure(event.fields.inside("attributes")))]
    if "COMPLETED" in outcomes or "CONTINUED_AS_NEW" in outcomes:
        said.status = "ok"
        return
    ended = next((o for o in ("FAILED", "TIMED_OUT", "CANCELED") if o in outcomes), None)
    if ended is not None:
        said.status = "error"
        said.error = failures[-1] if failures else ended.lower().replace("_", " ")
        return
    said.status = "pending"
    said.error = failures[-1] if failures else None


def _failure(about: Fields) -> str | None:
    failure = about.inside("failure")
    message = failure.text("message") or about.text("failure", "reason", "message")
    attempt = about.count("attempt")
    return f"attempt {attempt}: {message}" if message and attempt and attempt > 1 else message
