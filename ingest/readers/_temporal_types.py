"""Temporal's event types: which open a step, which tell of a step opened earlier, which end the run."""

from __future__ import annotations

from typing import Final

from ingest.event import Kind, Status

ACTIVITY: Final = "ActivityTaskScheduled"
CHILD: Final = "StartChildWorkflowExecutionInitiated"
NEXUS: Final = "NexusOperationScheduled"
SIGNAL_OUT: Final = "SignalExternalWorkflowExecutionInitiated"
CANCEL_OUT: Final = "RequestCancelExternalWorkflowExecutionInitiated"
TIMER: Final = "TimerStarted"

LATER: Final[dict[str, tuple[str, str, Status | None]]] = {
    "ActivityTaskStarted": (ACTIVITY, "scheduled_event_id", None),
    "ActivityTaskCancelRequested": (ACTIVITY, "scheduled_event_id", None),
    "ActivityTaskCompleted": (ACTIVITY, "scheduled_event_id", "ok"),
    "ActivityTaskFailed": (ACTIVITY, "scheduled_event_id", "error"),
    "ActivityTaskTimedOut": (ACTIVITY, "scheduled_event_id", "error"),
    "ActivityTaskCanceled": (ACTIVITY, "scheduled_event_id", "error"),
    "NexusOperationStarted": (NEXUS, "scheduled_event_id", None),
    "NexusOperationCancelRequested": (NEXUS, "scheduled_event_id", None),
    "NexusOperationCancelRequestCompleted": (NEXUS, "scheduled_event_id", None),
    "NexusOperationCancelRequestFailed": (NEXUS, "scheduled_event_id", None),
    "NexusOperationCompleted": (NEXUS, "scheduled_event_id", "ok"),
    "NexusOperationFailed": (NEXUS, "scheduled_event_id", "error"),
    "NexusOperationTimedOut": (NEXUS, "scheduled_event_id", "error"),
    "NexusOperationCanceled": (NEXUS, "scheduled_event_id", "error"),
    "StartChildWorkflowExecutionFailed": (CHILD, "initiated_event_id", "error"),
    "ChildWorkflowExecutionStarted": (CHILD, "initiated_event_id", None),
    "ChildWorkflowExecutionCompleted": (CHILD, "initiated_event_id", "ok"),
    "ChildWorkflowExecutionFailed": (CHILD, "initiated_event_id", "error"),
    "ChildWorkflowExecutionTimedOut": (CHILD, "initiated_event_id", "error"),
    "ChildWorkflowExecutionCanceled": (CHILD, "initiated_event_id", "error"),
    "ChildWorkflowExecutionTerminated": (CHILD, "initiated_event_id", "error"),
    "ExternalWorkflowExecutionSignaled": (SIGNAL_OUT, "initiated_event_id", "ok"),
    "SignalExternalWorkflowExecutionFailed": (SIGNAL_OUT, "initiated_event_id", "error"),
    "ExternalWorkflowExecutionCancelRequested": (CANCEL_OUT, "initiated_event_id", "ok"),
    "RequestCancelExternalWorkflowExecutionFailed": (CANCEL_OUT, "initiated_event_id", "error"),
    "TimerFired": (TIMER, "started_event_id", "ok"),
    "TimerCanceled": (TIMER, "started_event_id", "ok"),
}
"""Event types that tell of a step opened earlier: by which type, joined by which attribute, ending it how."""

ENDS: Final[dict[str, Status]] = {
    "WorkflowExecutionCompleted": "ok",
    "WorkflowExecutionContinuedAsNew": "ok",
    "WorkflowExecutionFailed": "error",
    "WorkflowExecutionTimedOut": "error",
    "WorkflowExecutionCanceled": "error",
    "WorkflowExecutionTerminated": "error",
}
ENGINE: Final = {"WorkflowTaskScheduled", "WorkflowTaskStarted", "WorkflowTaskCompleted"}
UPDATES: Final = {
    "WorkflowExecutionUpdateAdmitted": None,
    "WorkflowExecutionUpdateAccepted": None,
    "WorkflowExecutionUpdateCompleted": "ok",
    "WorkflowExecutionUpdateRejected": "error",
}
KINDS: Final[dict[str, Kind]] = {
    ACTIVITY: "tool_call",
    NEXUS: "tool_call",
    CHILD: "handoff",
    SIGNAL_OUT: "message",
}
