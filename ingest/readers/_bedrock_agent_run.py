"""Trace parts of Bedrock Agents -> observations: an invocation and what was observed of it are one step."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

import msgspec

from ingest.arguments import named_in
from ingest.event import Approval, Kind, Observation, identify
from ingest.payloads import as_text, read
from ingest.readers._bedrock_agent_shape import (
    Action,
    InvocationInput,
    Metadata,
    ModelInput,
    ModelOutput,
    Seen,
    Trace,
    TracePart,
    arguments_of,
    tool_of,
)
from ingest.records import Record
from ingest.times import moment


class _Invocation(msgspec.Struct, rename="camel"):
    function_invocation_input: Action | None = None
    api_invocation_input: Action | None = None
    function_result: Action | None = None
    api_result: Action | None = None


class _Return(msgspec.Struct, rename="camel"):
    invocation_id: str | None = None
    invocation_inputs: list[_Invocation] = []
    results: list[_Invocation] = msgspec.field(name="returnControlInvocationResults", default=[])


_RETURN: Final = msgspec.json.Decoder(_Return, strict=False)
_CONFIRMED: Final[dict[str | None, Approval]] = {"CONFIRM": "approved", "DENY": "denied"}


class Runs:
    """All sessions of a file while it is read."""

    def __init__(self) -> None:
        self.steps: dict[str, Observation] = {}
        self.counts: dict[tuple[str | None, ...], int] = defaultdict(int)
        self.open: dict[tuple[str | None, ...], list[Observation]] = defaultdict(list)
        self.models: dict[tuple[str, str | None], Observation] = {}
        self.handoffs: dict[tuple[str, str | None], Observation] = {}
        self.returned: dict[str, Observation] = {}
        self.place = 0
        self.session = ""

    def take(self, part: TracePart, record: Record) -> None:
        """A piece that holds no trace: a hand-back to the caller, the caller's results, a piece of the answer."""
        self._next(part, record)
        said = read(_RETURN, part.return_control) or read(_RETURN, part.session_state)
        steps = list(self._decisions(said, part, record)) if said is not None else []
        if not steps:
            operation = "chunk" if bytes(part.chunk) else "returnControl"
            step = self._open(part, record, "message", operation, record.sha256)
            step.status = "ok"
            raw = next(raw for raw in (part.chunk, part.return_control, part.session_state) if bytes(raw))
            step.result = bytes(raw).decode("utf-8", "replace")
            return
        steps[0].records = 1

    def take_trace(self, part: TracePart, sort: str, trace: Trace, record: Record) -> None:
        self._next(part, record)
        if trace.model_invocation_input is not None:
            self._asked(part, sort, trace.model_invocation_input, record)
        elif trace.model_invocation_output is not None:
            self._answered(part, sort, trace.model_invocation_output, record)
        elif trace.invocation_input is not None:
            self._invoked(part, trace.invocation_input, record)
        elif trace.observation is not None:
            self._observed(part, trace.observation, record)
        else:
            self._other(part, sort, trace, record)

    def _next(self, part: TracePart, record: Record) -> None:
        self.place += 1
        # A part without its session follows the one before it; a file that names none is one run.
        self.session = part.session_id or self.session or record.sha256

    def _open(
        self, part: TracePart, record: Record, kind: Kind, operation: str, trace_id: str | None, word: str = ""
    ) -> Observation:
        key = (self.session, part.agent_id, trace_id, word or operation)
        self.counts[key] += 1
        at = moment(part.event_time)
        above = self.handoffs.get((self.session, part.collaborator_name)) if part.collaborator_name else None
        step = Observation(
            event_id=identify("bedrock_agent_trace", *key, self.counts[key]),
            trace_id=self.session,
            kind=kind,
            operation=operation,
            session_id=self.session,
            agent_id=part.agent_id,
            agent_version=part.agent_version,
            parent_event_id=above.event_id if above is not None else None,
            sequence=self.place if at is None else None,
            started_at=at,
            source=record.source,
            source_sha256=record.sha256,
            witness="log",
        )
        self.steps[step.event_id] = step
        return step

    def _asked(self, part: TracePart, sort: str, said: ModelInput, record: Record) -> None:
        step = self._open(part, record, "model_call", said.type or sort, said.trace_id, f"model {sort}")
        step.status, step.model = "pending", said.foundation_model
        step.arguments = as_text(said.text) if said.text is not None else None
        self.open[self.session, said.trace_id, sort].append(step)
        self.models[self.session, said.trace_id] = step

    def _answered(self, part: TracePart, sort: str, said: ModelOutput, record: Record) -> None:
        waiting = self.open[self.session, said.trace_id, sort]
        if waiting:
            step = waiting.pop(0)
            step.records += 1
        else:
            step = self._open(part, record, "model_call", sort, said.trace_id, f"model {sort}")
            self.models[self.session, said.trace_id] = step
        raw = bytes(said.raw_response) or bytes(said.parsed_response)
        step.status, step.result = "ok", raw.decode("utf-8", "replace") or None
        if said.metadata is not None and said.metadata.usage is not None:
            step.input_tokens, step.output_tokens = (
                said.metadata.usage.input_tokens,
                said.metadata.usage.output_tokens,
            )
        self._timed(step, said.metadata, part)

    def _invoked(self, part: TracePart, said: InvocationInput, record: Record) -> Observation:
        sort = next((s for s in ("action", "lookup", "collaborator", "code") if getattr(said, s) is not None), "other")
        kind: Kind = "handoff" if sort == "collaborator" else "tool_call"
        step = self._open(part, record, kind, said.invocation_type or sort, said.trace_id, sort)
        step.status = "pending"
        step.approval = "cannot_record" if kind == "tool_call" else None
        asking = self.models.get((self.session, said.trace_id))
        step.parent_event_id = asking.event_id if asking is not None else step.parent_event_id
        self.open[self.session, said.trace_id, sort].append(step)
        if said.action is not None:
            step.tool, step.arguments = tool_of(said.action), arguments_of(said.action)
            step.target = named_in(step.arguments).target
            if said.action.execution_type == "RETURN_CONTROL":
                step.operation = "RETURN_CONTROL"
                self.returned[said.action.invocation_id or ""] = step
        elif said.lookup is not None:
            step.tool, step.target = "knowledgeBaseLookup", said.lookup.knowledge_base_id
            step.arguments = as_text({"text": said.lookup.text})
        elif said.code is not None:
            step.tool, step.arguments = "codeInterpreter", as_text({"code": said.code.code})
        elif said.collaborator is not None:
            name = said.collaborator.agent_collaborator_name
            step.target = name or said.collaborator.agent_collaborator_alias_arn
            step.arguments = bytes(said.collaborator.input).decode("utf-8", "replace") or None
            self.handoffs[self.session, name] = step
        return step

    def _observed(self, part: TracePart, said: Seen, record: Record) -> None:
        if said.final is not None or said.reprompt is not None:
            text = said.final or said.reprompt
            step = self._open(part, record, "message", said.type or "finalResponse", said.trace_id)
            step.status, step.result = "ok", as_text(text.text) if text is not None else None
            self._timed(step, text.metadata if text is not None else None, part)
            return
        sort = next((s for s in ("action", "lookup", "collaborator", "code") if getattr(said, s) is not None), "other")
        waiting = self.open[self.session, said.trace_id, sort]
        if waiting:
            step = waiting.pop(0)
            step.records += 1
        else:
            step = self._invoked(part, InvocationInput(trace_id=said.trace_id, invocation_type=said.type), record)
            step.kind = "handoff" if sort == "collaborator" else "tool_call"
            step.approval = None if sort == "collaborator" else "cannot_record"
        step.status = "ok"
        if said.action is not None:
            step.result = as_text(said.action.text) if said.action.text is not None else None
            self._timed(step, said.action.metadata, part)
        elif said.lookup is not None:
            step.result = bytes(said.lookup.retrieved_references).decode("utf-8", "replace") or None
            self._timed(step, said.lookup.metadata, part)
        elif said.collaborator is not None:
            step.result = bytes(said.collaborator.output).decode("utf-8", "replace") or None
            step.target = step.target or said.collaborator.agent_collaborator_name
            self._timed(step, said.collaborator.metadata, part)
        elif said.code is not None:
            step.result = as_text(said.code.execution_output) if said.code.execution_output is not None else None
            if said.code.execution_error or said.code.execution_timeout:
                step.status, step.error = "error", said.code.execution_error or "timed out"
            self._timed(step, said.code.metadata, part)

    def _other(self, part: TracePart, sort: str, trace: Trace, record: Record) -> None:
        """Rationales, guardrails, failures, and sorts of traces to come."""
        if trace.rationale is not None:
            step = self._open(part, record, "message", "rationale", trace.rationale.trace_id)
            step.status, step.result = "ok", as_text(trace.rationale.text)
            return
        step = self._open(part, record, "lifecycle", sort, trace.trace_id)
        if sort == "failureTrace":
            code = f" ({trace.failure_code})" if trace.failure_code is not None else ""
            step.status, step.error = "error", f"{trace.failure_reason or 'failed'}{code}"
        elif sort == "guardrailTrace":
            step.status = "denied" if trace.action == "INTERVENED" else "ok"
            step.error = "guardrail intervened" if trace.action == "INTERVENED" else None
        elif trace.event is not None:
            step.result = as_text(trace.event.text)

    def _decisions(self, said: _Return, part: TracePart, record: Record) -> Iterator[Observation]:
        """A hand-back that asks for confirmation waits for a decision; the caller's result carries it."""
        for place, piece in enumerate((*said.invocation_inputs, *said.results)):
            asked = piece.function_invocation_input or piece.api_invocation_input
            action = asked or piece.function_result or piece.api_result
            confirms = action is not None and (
                "USER_CONFIRMATION" in (action.action_invocation_type or "") or action.confirmation_state is not None
            )
            if action is None or not confirms:
                continue
            number = place if asked else place - len(said.invocation_inputs)
            step = self._open(part, record, "approval", "returnControl", said.invocation_id or record.sha256)
            del self.steps[step.event_id]
            step.event_id = identify("bedrock_agent_trace", self.session, said.invocation_id, "approval", number)
            call = self.returned.get(said.invocation_id or "")
            step.parent_event_id = call.event_id if call is not None else None
            step.tool, step.records = tool_of(action), 0
            step.arguments = arguments_of(action) if asked else None
            step.target = named_in(step.arguments).target
            step.approval = "pending" if asked else _CONFIRMED.get(action.confirmation_state, "not_recorded")
            step.status = "denied" if step.approval == "denied" else "pending" if step.approval == "pending" else "ok"
            self.steps[f"{step.event_id}{record.source}"] = step
            yield step

    def _timed(self, step: Observation, metadata: Metadata | None, part: TracePart) -> None:
        step.ended_at = moment(metadata.end_time) if metadata is not None else None
        if step.ended_at is None:
            step.ended_at = moment(part.event_time)
