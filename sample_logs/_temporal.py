"""Temporal workflow histories as `temporal workflow show --output json` prints them.

Only the last attempt of an activity is in a history; a failure that the workflow saw is one that used up
its attempts. An activity's start is written late, with its true earlier time, so times may step back.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from random import Random
from typing import Any

from _calls import Call, Clock, compact, rfc3339
from _cast import Agent, uuid

JSON_PLAIN = b64encode(b"json/plain").decode()
TIMED_OUT = "activity StartToClose timeout"
RETRY = {"initialInterval": "1s", "backoffCoefficient": 2.0, "maximumInterval": "100s", "maximumAttempts": 4}


def payloads(*values: Any) -> dict[str, Any]:
    return {"payloads": [
        {"metadata": {"encoding": JSON_PLAIN},
        "data": b64encode(compact(value).encode()).decode()} for value in values
    ]}  # fmt: skip


class History:
    """One workflow run while it is written; each method is something that happened."""

    def __init__(self, rng: Random, agent: Agent, at: datetime, workflow_id: str, task: Mapping[str, Any]) -> None:
        self.rng, self.agent, self.clock = rng, agent, Clock(rng, at)
        self.asked_by = str(task["requested_by"])
        self.run_id, self.task_id = uuid(rng), rng.randrange(1_000_000, 9_000_000)
        self.identity = f"{rng.randrange(200, 900)}@{agent.host}"
        self.build = {"buildId": agent.version(at), "deploymentName": agent.name}
        self.queue = {"name": agent.name, "kind": "TASK_QUEUE_KIND_NORMAL"}
        self.events: list[dict[str, Any]] = []
        self.activities = 0
        self._event("WORKFLOW_EXECUTION_STARTED", {
            "workflowType": {"name": agent.name}, "taskQueue": self.queue, "input": payloads(task),
            "workflowTaskTimeout": "10s", "originalExecutionRunId": self.run_id, "attempt": 1,
            "identity": "case-queue@soc-portal-1", "firstExecutionRunId": self.run_id,
            "firstWorkflowTaskBackoff": "0s", "workflowId": workflow_id, "priority": {},
        })  # fmt: skip
        self._decide()

    def document(self) -> dict[str, Any]:
        return {"events": self.events}

    def think(self, text: str, call: Call | None = None) -> None:
        """A model call, as an activity; its usage stands in the result."""
        rng = self.rng
        used = rng.randrange(800, 3200), rng.randrange(60, 300)
        usage = {"requests": 1, "input_tokens": used[0], "output_tokens": used[1], "total_tokens": sum(used)}
        output: dict[str, Any] = {"type": "message", "role": "assistant", "status": "completed",
                                  "content": [{"type": "output_text", "text": text}]}  # fmt: skip
        if call:
            call_id = f"call_{rng.getrandbits(64):016x}"
            output = {"type": "function_call", "name": call.tool, "call_id": call_id,
                      "arguments": compact(call.arguments)}  # fmt: skip
        asked = {"model_name": self.agent.model, "input": [{"role": "user", "content": text}]}
        answer = {"output": [output], "usage": usage, "response_id": f"resp_{rng.getrandbits(96):024x}"}
        self._activity("invoke_model_activity", asked, answer, None, 1, (0.8, 6))

    def act(self, call: Call) -> None:
        self._activity(call.tool, call.arguments, call.result, call.error, call.attempts, (0.2, 4))

    def signal(self, name: str, value: Mapping[str, Any], after_s: tuple[float, float]) -> None:
        """Somebody outside says something: an approval."""
        self.clock.wait(*after_s)
        self._event("WORKFLOW_EXECUTION_SIGNALED", {
            "signalName": name, "input": payloads(value), "identity": "approvals@soc-portal-1", "header": {},
        })  # fmt: skip
        self._decide()

    def complete(self, result: Mapping[str, Any]) -> None:
        self._event("WORKFLOW_EXECUTION_COMPLETED", {
            "result": payloads(result), "workflowTaskCompletedEventId": str(len(self.events)),
        })  # fmt: skip

    def _event(self, kind: str, values: dict[str, Any], ns: int | None = None) -> str:
        self.task_id += self.rng.randrange(1, 6)
        first, *rest = kind.lower().split("_")
        self.events.append({
            "eventId": str(len(self.events) + 1), "eventTime": rfc3339(ns or self.clock.ns),
            "eventType": f"EVENT_TYPE_{kind}", "taskId": str(self.task_id),
            first + "".join(word.title() for word in rest) + "EventAttributes": values,
        })  # fmt: skip
        self.clock.wait(0.0002, 0.003)
        return str(len(self.events))

    def _decide(self) -> None:
        """The workflow task in which the worker decides what comes next."""
        scheduled = self._event("WORKFLOW_TASK_SCHEDULED", {
            "taskQueue": self.queue, "startToCloseTimeout": "10s", "attempt": 1,
        })  # fmt: skip
        started = self._event("WORKFLOW_TASK_STARTED", {
            "scheduledEventId": scheduled, "identity": self.identity, "requestId": uuid(self.rng),
            "historySizeBytes": str(400 + 350 * len(self.events)),
        })  # fmt: skip
        self._event("WORKFLOW_TASK_COMPLETED", {
            "scheduledEventId": scheduled, "startedEventId": started, "identity": self.identity,
            "workerVersion": {"buildId": self.build["buildId"]}, "deploymentVersion": self.build,
            "sdkMetadata": {}, "meteringMetadata": {},
        })  # fmt: skip

    def _activity(
        self,
        name: str,
        arguments: Any,
        result: Any,
        error: str | None,
        attempts: int,
        lasts_s: tuple[float, float],
    ) -> None:
        self.activities += 1
        scheduled = self._event("ACTIVITY_TASK_SCHEDULED", {
            "activityId": str(self.activities), "activityType": {"name": name}, "taskQueue": self.queue,
            "header": {}, "input": payloads(arguments), "startToCloseTimeout": "60s",
            "heartbeatTimeout": "0s",
            "workflowTaskCompletedEventId": str(len(self.events)), "retryPolicy": RETRY,
        })  # fmt: skip
        began = self.clock.wait(0.5 * (attempts > 1), 0.01 + 8 * (attempts > 1))
        self.clock.wait(*lasts_s)
        values: dict[str, Any] = {"scheduledEventId": scheduled, "identity": self.identity,
                                  "requestId": uuid(self.rng), "attempt": attempts}  # fmt: skip
        if attempts > 1:
            values["lastFailure"] = _failure("throttled, try again")
        started = self._event("ACTIVITY_TASK_STARTED", values, began)
        closing = {"scheduledEventId": scheduled, "startedEventId": started, "identity": self.identity}
        state = "RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED"
        if error == TIMED_OUT:
            self._event("ACTIVITY_TASK_TIMED_OUT", {**closing, "failure": _timeout(), "retryState": state})
        elif error:
            self._event("ACTIVITY_TASK_FAILED", closing | {"failure": _failure(error), "retryState": state})
        else:
            self._event("ACTIVITY_TASK_COMPLETED", closing | {"result": payloads(result)})
        self._decide()


def _failure(message: str) -> dict[str, Any]:
    return {"message": message, "source": "PythonSDK", "stackTrace": "",
            "applicationFailureInfo": {"type": "ServiceUnavailable"}}  # fmt: skip


def _timeout() -> dict[str, Any]:
    return {"message": TIMED_OUT, "source": "Server",
            "timeoutFailureInfo": {"timeoutType": "TIMEOUT_TYPE_START_TO_CLOSE"}}  # fmt: skip
