"""Sessions as Temporal workflow histories; a person's answer is a signal, or an update, to the running workflow."""

from __future__ import annotations

import json
from base64 import b64encode
from random import Random
from typing import Any

from bench.second_fleet.cast import shown_name
from bench.second_fleet.ledger import Ledger, moment
from bench.second_fleet.life import run_id
from bench.second_fleet.model import Agent, Session, Step
from bench.second_fleet.settings import SECOND_NS

_MS = 1_000_000


def history(session: Session, ledger: Ledger) -> list[dict[str, Any]]:
    """The history of a session, and those of the children that it started."""
    writer = _Writer(session, ledger)
    writer.write()
    return [{"events": writer.events}, *writer.children]


class _Writer:
    def __init__(self, session: Session, ledger: Ledger) -> None:
        self.session, self.ledger, self.agent = session, ledger, session.agent
        self.rng = Random(f"temporal/{session.id}")
        self.events: list[dict[str, Any]] = []
        self.children: list[dict[str, Any]] = []
        self.run = run_id(session.id)
        self.worker = f"{self.rng.randrange(7, 900)}@{self.agent.host}"

    def write(self) -> None:
        session = self.session
        started: dict[str, Any] = {
            "workflowType": {"name": self.agent.name},
            "workflowId": session.id,
            "originalExecutionRunId": self.run,
            "firstExecutionRunId": self.run,
            "taskQueue": {"name": f"agents-{self.agent.role.team}", "kind": "TASK_QUEUE_KIND_NORMAL"},
            "input": _payloads({"goal": session.asked, **({"requested_by": session.human} if session.human else {})}),
            "identity": f"scheduler@{self.agent.role.team}",
            "attempt": 1,
            "memo": {"fields": {"agent_version": _payload(session.version)}},
        }
        if session.parent[0]:
            started["parentWorkflowExecution"] = {"workflowId": session.parent[0], "runId": session.parent[1]}
        number = self._event("WORKFLOW_EXECUTION_STARTED", "workflowExecutionStarted", session.start_ns, started)
        if session.chain:
            self._note(session.chain, number, session.start_ns)
        self._engine(session.start_ns + 5 * _MS)
        before = session.start_ns + 30 * _MS
        for step in session.steps:
            self._model(before, self._asked_ns(step))
            if step.approval is not None and not self._answered(step):
                before = step.at_ns
                continue
            if step.sub is not None:
                self._child(step, step.sub)
            else:
                self._activity(step)
            before = step.at_ns + int(step.took_s * SECOND_NS)
        self._model(before, session.end_ns)
        result = {"result": _payloads({"answer": session.answer})}
        self._event("WORKFLOW_EXECUTION_COMPLETED", "workflowExecutionCompleted", session.end_ns, result)

    def _event(self, kind: str, member: str, at_ns: int, said: dict[str, Any]) -> int:
        number = len(self.events) + 1
        self.events.append(
            {
                "eventId": str(number),
                "eventTime": moment(at_ns),
                "eventType": f"EVENT_TYPE_{kind}",
                "taskId": str(1_048_576 + number),
                f"{member}EventAttributes": said,
            }
        )
        return number

    def _engine(self, at_ns: int) -> None:
        first = self._event("WORKFLOW_TASK_SCHEDULED", "workflowTaskScheduled", at_ns, {"attempt": 1})
        said = {"scheduledEventId": str(first), "identity": self.worker}
        second = self._event("WORKFLOW_TASK_STARTED", "workflowTaskStarted", at_ns + 4 * _MS, said)
        said = {"scheduledEventId": str(first), "startedEventId": str(second), "identity": self.worker}
        self._event("WORKFLOW_TASK_COMPLETED", "workflowTaskCompleted", at_ns + 9 * _MS, said)

    def _asked_ns(self, step: Step) -> int:
        return step.at_ns - (int(step.approval.wait_s * SECOND_NS) if step.approval else 0)

    def _model(self, start: int, end: int) -> None:
        usage = {"input_tokens": self.rng.randrange(500, 9000), "output_tokens": self.rng.randrange(20, 800)}
        end = max(end - 5 * _MS, start + 4 * _MS)
        said = {"model": self.agent.model, "usage": usage}
        self._done("invoke_model_activity", {"model": self.agent.model}, said, "", start, end)

    def _done(self, name: str, args: object, result: object, error: str, start: int, end: int) -> int:
        said: dict[str, Any] = {
            "activityId": str(len(self.events)),
            "activityType": {"name": name},
            "taskQueue": {"name": f"agents-{self.agent.role.team}"},
            "input": _payloads(args),
        }
        number = self._event("ACTIVITY_TASK_SCHEDULED", "activityTaskScheduled", start, said)
        said = {"scheduledEventId": str(number), "identity": self.worker, "attempt": 1}
        self._event("ACTIVITY_TASK_STARTED", "activityTaskStarted", min(start + 3 * _MS, end), said)
        ended: dict[str, Any] = {"scheduledEventId": str(number), "startedEventId": str(number + 1)}
        if error:
            ended["failure"] = {
                "message": error,
                "source": "PythonSDK",
                "applicationFailureInfo": {"type": "ToolError"},
            }
            self._event("ACTIVITY_TASK_FAILED", "activityTaskFailed", end, ended)
        else:
            ended["result"] = _payloads(result)
            self._event("ACTIVITY_TASK_COMPLETED", "activityTaskCompleted", end, ended)
        return number

    def _activity(self, step: Step) -> None:
        name = step.tool if step.is_literal else shown_name(step.tool, self.agent.style)
        end = step.at_ns + int(step.took_s * SECOND_NS)
        number = self._done(name, step.args, step.result, step.error, step.at_ns, end)
        self._note(step.chain, number, step.at_ns)

    def _answered(self, step: Step) -> bool:
        """The person's answer, before the call; whether it was a yes."""
        approval = step.approval
        assert approval is not None
        at_ns = step.at_ns - 25 * _MS
        tool = shown_name(approval.tool or step.tool, self.agent.style)
        args = step.args if approval.said is None else approval.said
        said: dict[str, Any] = {
            "tool": tool,
            "arguments": args,
            "approved": approval.is_yes,
            "approved_by": approval.by,
        }
        if approval.by_machine:
            said["automatic"] = True
        identity = approval.by if "@" in approval.by else f"svc:{approval.by}"
        if self.agent.number % 3 == 2:
            update = f"{self.session.id}/u{len(self.events)}"
            meta = {"updateId": update, "identity": identity}
            request = {"meta": meta, "input": {"name": "decide_step", "args": _payloads(said)}}
            accepted = {"protocolInstanceId": update, "acceptedRequest": request}
            kind, member = "WORKFLOW_EXECUTION_UPDATE_ACCEPTED", "workflowExecutionUpdateAccepted"
            number = self._event(kind, member, at_ns, accepted)
            outcome = {"meta": meta, "acceptedEventId": str(number), "outcome": {"success": _payloads({"noted": True})}}
            kind, member = "WORKFLOW_EXECUTION_UPDATE_COMPLETED", "workflowExecutionUpdateCompleted"
            self._event(kind, member, at_ns + 6 * _MS, outcome)
        else:
            signal = {"signalName": "approval", "input": _payloads(said), "identity": identity}
            number = self._event("WORKFLOW_EXECUTION_SIGNALED", "workflowExecutionSignaled", at_ns, signal)
        self._note(step.chain, number, at_ns)
        return approval.is_yes

    def _child(self, step: Step, sub: Session) -> None:
        said: dict[str, Any] = {
            "workflowId": sub.id,
            "workflowType": {"name": sub.agent.name},
            "input": _payloads({"goal": sub.asked, **step.args}),
        }
        kind, member = "START_CHILD_WORKFLOW_EXECUTION_INITIATED", "startChildWorkflowExecutionInitiated"
        number = self._event(kind, member, step.at_ns, said)
        self._note(step.chain, number, step.at_ns)
        execution = {"workflowId": sub.id, "runId": run_id(sub.id)}
        said = {"initiatedEventId": str(number), "workflowExecution": execution}
        kind, member = "CHILD_WORKFLOW_EXECUTION_STARTED", "childWorkflowExecutionStarted"
        self._event(kind, member, sub.start_ns, said)
        sub.parent = (self.session.id, self.run)
        self.children += history(sub, self.ledger)
        kind, member = "CHILD_WORKFLOW_EXECUTION_COMPLETED", "childWorkflowExecutionCompleted"
        self._event(kind, member, sub.end_ns, {**said, "result": _payloads({"answer": sub.answer})})

    def _note(self, chain: str, number: int, at_ns: int) -> None:
        reference = {
            "source": "temporal",
            "workflow_id": self.session.id,
            "run_id": self.run,
            "event_id": number,
        }
        self.ledger.note(chain, self.session.id, self.agent.name, at_ns, reference)


def _payload(value: object) -> dict[str, Any]:
    data = json.dumps(value, ensure_ascii=False).encode()
    return {"metadata": {"encoding": b64encode(b"json/plain").decode()}, "data": b64encode(data).decode()}


def _payloads(value: object) -> dict[str, Any]:
    return {"payloads": [_payload(value)]}


def is_temporal(agent: Agent) -> bool:
    """Whether an agent's log is a workflow history."""
    return agent.form == "temporal"
