"""Temporal workflow histories, one a line, as `temporal workflow show --output json` has them.

Only an activity's last attempt is in a history. Its start is written late, with its true earlier time.
"""

from __future__ import annotations

from base64 import b64encode
from random import Random
from typing import Any, Final

from bench.fleet.clock import Clock, encode, rfc3339, uuid
from bench.fleet.cloudtrail import witness
from bench.fleet.shelf import Shelf
from bench.fleet.steps import Ask, Call, Hand, Note, Session
from bench.fleet.values import sentence

_JSON: Final = b64encode(b"json/plain").decode()
_RETRY: Final = {"initialInterval": "1s", "backoffCoefficient": 2.0, "maximumInterval": "100s", "maximumAttempts": 4}


def payloads(*values: Any) -> dict[str, Any]:
    return {"payloads": [{"metadata": {"encoding": _JSON}, "data": b64encode(encode(v)).decode()} for v in values]}


def write(session: Session, shelf: Shelf, parent: tuple[str, str] | None = None) -> int:
    """Write a workflow run and its children; when it ended."""
    history = _History(session, shelf, parent)
    history.write()
    return history.clock.ns


class _History:
    def __init__(self, session: Session, shelf: Shelf, parent: tuple[str, str] | None) -> None:
        self.session, self.shelf, self.agent = session, shelf, session.agent
        self.rng = Random(f"temporal/{session.id}")
        self.clock = Clock(self.rng, session.at_ns)
        self.run_id, self.task_id = uuid(self.rng), self.rng.randrange(1_000_000, 9_000_000)
        self.identity = f"{self.rng.randrange(200, 900)}@{self.agent.host}"
        self.queue = {"name": self.agent.name, "kind": "TASK_QUEUE_KIND_NORMAL"}
        self.events: list[dict[str, Any]] = []
        self.activities = 0
        task = {"goal": session.prompt, "requested_by": session.human}
        started: dict[str, Any] = {
            "workflowType": {"name": self.agent.name}, "taskQueue": self.queue, "input": payloads(task),
            "originalExecutionRunId": self.run_id, "attempt": 1, "identity": "case-queue@soc-portal-1",
            "firstExecutionRunId": self.run_id, "workflowId": session.id,
        }  # fmt: skip
        if parent is not None:
            started["parentWorkflowExecution"] = {"workflowId": parent[0], "runId": parent[1]}
        self._event("WORKFLOW_EXECUTION_STARTED", "workflowExecutionStartedEventAttributes", started)
        self._decide()

    def write(self) -> None:
        for step in self.session.steps:
            if isinstance(step, Ask):
                self._ask(step)
                continue
            if isinstance(step, Call):
                self.clock.wait(step.wait, step.wait * 1.1)
            if self.rng.random() < self.shelf.settings.raw["texture"]["ponder"]:
                self._think(step)
            if isinstance(step, Call):
                self._call(step)
            else:
                self._hand(step)
        if self.session.crashed:
            failure = {"message": "worker lost", "source": "PythonSDK"}
            self._event("WORKFLOW_EXECUTION_FAILED", "workflowExecutionFailedEventAttributes", {"failure": failure})
        else:
            said = {"result": payloads({"summary": sentence(self.rng)})}
            self._event("WORKFLOW_EXECUTION_COMPLETED", "workflowExecutionCompletedEventAttributes", said)
        self.shelf.line("temporal", self.clock.ns, encode({"events": self.events}), self.session.id)

    def _event(self, kind: str, member: str, values: dict[str, Any], ns: int | None = None) -> str:
        self.task_id += self.rng.randrange(1, 6)
        number = str(len(self.events) + 1)
        self.events.append({
            "eventId": number, "eventTime": rfc3339(ns or self.clock.ns), "eventType": f"EVENT_TYPE_{kind}",
            "taskId": str(self.task_id), member: values,
        })  # fmt: skip
        self.clock.ns += 900_000 + self.task_id % 997_000
        return number

    def _decide(self) -> None:
        """The workflow task in which the worker decides what comes next."""
        scheduled = self._event(
            "WORKFLOW_TASK_SCHEDULED", "workflowTaskScheduledEventAttributes", {"taskQueue": self.queue, "attempt": 1}
        )
        said = {"scheduledEventId": scheduled, "identity": self.identity}
        started = self._event("WORKFLOW_TASK_STARTED", "workflowTaskStartedEventAttributes", said)
        build = {"buildId": self.session.version}
        self._event(
            "WORKFLOW_TASK_COMPLETED", "workflowTaskCompletedEventAttributes",
            said | {"startedEventId": started, "workerVersion": build},
        )  # fmt: skip

    def _think(self, step: Call | Hand) -> None:
        rng = self.rng
        usage = {"input_tokens": rng.randrange(600, 4000), "output_tokens": rng.randrange(30, 300)}
        name = step.tool if isinstance(step, Call) else f"delegate {step.to.agent.name}"
        answer = {"output": [{"type": "function_call", "name": name}], "usage": usage}
        asked = {"model_name": self.agent.model, "input": [{"role": "user", "content": self.session.prompt}]}
        self._activity("invoke_model_activity", asked, answer, None, 1, rng.uniform(0.6, 4))

    def _call(self, call: Call) -> None:
        at, number = self._activity(call.tool, call.arguments, call.result, call.error, call.attempts, call.seconds)
        if call.api is not None:
            witness(self.session, call, at, self.rng, uuid(self.rng), self.shelf)
        if call.told:
            self._note(number, at)

    def _note(self, number: str, at_ns: int) -> None:
        if (chain := self.session.chain) is not None:
            event = {
                "source": "temporal",
                "workflow_id": self.session.id,
                "run_id": self.run_id,
                "event_id": int(number),
            }
            chain.notes.append(Note(self.session.id, self.agent.name, at_ns, event))

    def _activity(
        self, name: str, arguments: Any, result: Any, error: str | None, attempts: int, seconds: float
    ) -> tuple[int, str]:  # fmt: skip
        self.activities += 1
        at = self.clock.ns
        scheduled = self._event("ACTIVITY_TASK_SCHEDULED", "activityTaskScheduledEventAttributes", {
            "activityId": str(self.activities), "activityType": {"name": name}, "taskQueue": self.queue,
            "input": payloads(arguments), "startToCloseTimeout": "60s", "retryPolicy": _RETRY,
        })  # fmt: skip
        began = self.clock.wait(0.002, 0.01 + 4 * (attempts - 1))
        self.clock.wait(seconds * 0.9, seconds)
        values: dict[str, Any] = {"scheduledEventId": scheduled, "identity": self.identity, "attempt": attempts}
        if attempts > 1:
            values["lastFailure"] = {"message": "throttled, try again", "source": "PythonSDK"}
        started = self._event("ACTIVITY_TASK_STARTED", "activityTaskStartedEventAttributes", values, began)
        closing: dict[str, Any] = {"scheduledEventId": scheduled, "startedEventId": started, "identity": self.identity}
        if error == "timed out":
            timeout = {
                "message": "activity timeout",
                "timeoutFailureInfo": {"timeoutType": "TIMEOUT_TYPE_START_TO_CLOSE"},
            }
            self._event(
                "ACTIVITY_TASK_TIMED_OUT", "activityTaskTimedOutEventAttributes", closing | {"failure": timeout}
            )
        elif error:
            failure = {"message": error, "source": "PythonSDK", "applicationFailureInfo": {"type": error.split(":")[0]}}
            self._event("ACTIVITY_TASK_FAILED", "activityTaskFailedEventAttributes", closing | {"failure": failure})
        else:
            said = closing | {"result": payloads(result)}
            self._event("ACTIVITY_TASK_COMPLETED", "activityTaskCompletedEventAttributes", said)
        self._decide()
        return at, scheduled

    def _ask(self, ask: Ask) -> None:
        """Somebody outside says yes or no; nothing is written while nobody does."""
        self.clock.wait(ask.seconds, ask.seconds * 1.02)
        if ask.silent:
            return
        said: dict[str, Any] = {
            "tool": ask.tool, "approved": ask.verdict == "approved", "approved_by": ask.by, "arguments": ask.arguments,
        }  # fmt: skip
        if ask.automatic:
            said["automatic"] = True
        if ask.ticket:
            said["ticket"] = ask.ticket
        self._event("WORKFLOW_EXECUTION_SIGNALED", "workflowExecutionSignaledEventAttributes", {
            "signalName": self.agent.signal, "input": payloads(said), "identity": "approvals@soc-portal-1",
        })  # fmt: skip
        self._decide()

    def _hand(self, hand: Hand) -> None:
        """Another workflow where that agent is one; else a request to it, which it takes up on its own side."""
        child = hand.to
        if child.agent.medium != "temporal":
            at, number = self._activity(
                "delegate_to_agent", {"agent": child.agent.name, **hand.task}, {"accepted": True}, None, 1, 0.4
            )
            child.at_ns = self.clock.wait(0.5, 3)
            if hand.told:
                self._note(number, at)
            return
        kind = {"name": child.agent.name}
        at = self.clock.ns
        initiated = self._event(
            "START_CHILD_WORKFLOW_EXECUTION_INITIATED", "startChildWorkflowExecutionInitiatedEventAttributes",
            {"workflowId": child.id, "workflowType": kind, "input": payloads(hand.task), "taskQueue": self.queue},
        )  # fmt: skip
        child.at_ns = self.clock.wait(0.01, 0.2)
        if child.chain is None:
            child.chain = self.session.chain
        history = _History(child, self.shelf, (self.session.id, self.run_id))
        execution = {"workflowId": child.id, "runId": history.run_id}
        history.write()
        started = self._event(
            "CHILD_WORKFLOW_EXECUTION_STARTED", "childWorkflowExecutionStartedEventAttributes",
            {"initiatedEventId": initiated, "workflowExecution": execution, "workflowType": kind},
        )  # fmt: skip
        self.clock.ns = max(self.clock.ns, history.clock.ns)
        self._event(
            "CHILD_WORKFLOW_EXECUTION_COMPLETED", "childWorkflowExecutionCompletedEventAttributes",
            {"initiatedEventId": initiated, "startedEventId": started, "workflowExecution": execution},
        )  # fmt: skip
        self._decide()
        if hand.told:
            self._note(initiated, at)
