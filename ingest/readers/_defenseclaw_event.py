"""One DefenseClaw envelope -> an observation."""

from __future__ import annotations

from typing import Final

from ingest.arguments import named_in
from ingest.decisions import decides, is_policy, words
from ingest.event import Approval, Kind, Observation, Status, identify
from ingest.payloads import count, payload, text
from ingest.readers._chat_values import content_of
from ingest.readers._members import Members, fingerprint, part, plain_name
from ingest.records import Record
from ingest.times import moment

_DECISIONS: Final[dict[object, Approval]] = {
    "allow": "automatic", "warn": "automatic", "alert": "automatic", "block": "denied", "deny": "denied",
    "confirm": "pending",
}  # fmt: skip
_STATUSES: Final[dict[str | None, Status]] = {
    "automatic": "ok", "approved": "ok", "denied": "denied", "pending": "pending",
}  # fmt: skip
_NO: Final = {"reject", "rejected", "deny", "denied", "block", "decline", "declined"}


def observe(record: Record, event: Members) -> Observation:
    """What the envelope and its one payload say."""
    kind = text(event.get("event_type")) or "event"
    said = part(event, kind)
    session = text(event.get("session_id"))
    trace = text(event.get("root_session_id")) or session or text(event.get("trace_id")) or text(event.get("run_id"))
    own = identify("defenseclaw", fingerprint(event))
    agent = text(event.get("agent_name")) or text(event.get("agent_type")) or text(event.get("agent_id"))
    is_root = event.get("agent_depth") == 0 or (
        event.get("root_agent_id") is not None and event.get("root_agent_id") == event.get("agent_id")
    )
    step = Observation(
        event_id=own,
        trace_id=trace or own,
        session_id=text(event.get("root_session_id")) or session,
        kind="lifecycle",
        operation=kind,
        agent_id=agent,
        service="defenseclaw",
        # Every agent counts its own steps; within the trace only the root's count is an order.
        sequence=count(event.get("agent_sequence")) if is_root else None,
        started_at=moment(event.get("ts")),
        tool=text(event.get("tool_name")),
        model=text(event.get("model")),
        on_behalf_of=text(event.get("user_name")) or text(event.get("user_id")),
        target=text(event.get("destination_app")),
        source=record.source,
        source_sha256=record.sha256,
        witness="log",
    )
    call = text(said.get("tool_call_id")) or text(event.get("tool_id")) or text(event.get("agent_operation_id"))
    tool_event = identify("defenseclaw", trace, "tool", call) if call is not None else None
    match kind:
        case "tool_invocation":
            _tool(step, said, tool_event, moment(event.get("ts")))
        case "llm_prompt" | "llm_response":
            _model(step, kind, said, trace)
        case "verdict" | "hook_decision" if step.tool is not None or event.get("direction") == "tool_call":
            _decision(step, said, tool_event)
        case "activity":
            _activity(step, said)
        case "egress":
            step.target = text(said.get("target_host")) or text(said.get("resolved_ip")) or step.target
            step.status = "denied" if said.get("decision") == "block" else "ok"
        case _:
            _life(step, event, said)
    if step.result is None and step.kind == "lifecycle" and said:
        step.arguments = step.arguments or content_of(said)
    return step


def _tool(step: Observation, said: Members, tool_event: str | None, at: int | None) -> None:
    step.kind, step.approval = "tool_call", "not_recorded"
    step.event_id = tool_event or step.event_id
    step.tool = text(said.get("tool")) or step.tool
    step.arguments, step.result = payload(said.get("tool_input")), payload(said.get("tool_output"))
    named = named_in(step.arguments)
    step.target = named.target or step.target
    step.credential_id, step.principal = named.credential_id, named.principal
    if said.get("phase") == "call":
        step.status = "pending"
        return
    # The result is a line of its own: its time is the end, and its number must not move the call.
    step.started_at, step.ended_at, step.sequence = (None, at, None) if tool_event else (at, at, step.sequence)
    code = said.get("exit_code")
    step.status = "ok" if code in (None, 0) else "error"
    step.error = None if code in (None, 0) else f"exit code {plain_name(code) or code}"


def _model(step: Observation, kind: str, said: Members, trace: str | None) -> None:
    key = "prompt" if kind == "llm_prompt" else "response"
    number = text(said.get(f"{key}_id"))
    if number is not None:
        step.event_id = identify("defenseclaw", trace, key, number)
    if key == "prompt":
        step.kind, step.status = "message", "ok"
        step.operation = text(said.get("role")) or kind
        step.arguments = content_of(said.get("prompt")) or payload(said.get("raw_request_body"))
        given = step.arguments
    else:
        step.kind, step.status = "model_call", "ok"
        asked = text(said.get("reply_to_prompt_id"))
        step.parent_event_id = identify("defenseclaw", trace, "prompt", asked) if asked else None
        step.result = given = content_of(said.get("response")) or payload(said.get("raw_response_body"))
    if given is None or "<redacted" in given:
        step.gap = f"{key} redacted"


def _decision(step: Observation, said: Members, tool_event: str | None) -> None:
    step.kind, step.parent_event_id = "approval", tool_event
    step.approval = _DECISIONS.get(text(said.get("action")), "pending")
    step.status, step.approver = _STATUSES[step.approval], "policy: defenseclaw"
    step.error = text(said.get("reason")) if step.approval == "denied" else None
    if said.get("would_block") is True and said.get("enforced") is False:
        step.gap = "the policy would have blocked; it only observed"


def _activity(step: Observation, said: Members) -> None:
    """What an operator did: by name, and a decision where the action is called one."""
    actor, action = text(said.get("actor")), text(said.get("action")) or "activity"
    step.operation, step.principal = action, actor
    step.target = text(said.get("target_id")) or step.target
    step.arguments, step.status = content_of(said), "ok"
    if decides(action):
        refused = bool(_NO & set(words(action)))
        step.kind, step.approver = "approval", actor
        step.approval = "denied" if refused else "automatic" if actor is None or is_policy(actor) else "approved"
        step.status = _STATUSES[step.approval]


def _life(step: Observation, event: Members, said: Members) -> None:
    what = text(event.get("agent_lifecycle_event"))
    if what is not None:
        step.operation = what
    above = text(event.get("parent_agent_id"))
    if what == "subagent_start" and above is not None:
        kind: Kind = "handoff"
        step.kind, step.target, step.agent_id = kind, step.agent_id, above
    failed = event.get("event_type") == "error" or event.get("agent_lifecycle_state") == "failed"
    step.status = "error" if failed else "ok"
    step.error = text(said.get("message")) if failed else None
