"""One ADK session -> observations: each step once, calls joined with their responses and decisions."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from ingest.arguments import named_in
from ingest.decisions import approver_in, decides, decision, normalised
from ingest.event import Kind, Observation, Rejected, Status, identify
from ingest.joins import joined_by
from ingest.payloads import as_text, text, value_of
from ingest.readers._adk_event import CALL, CODE_TOOL, RESPONSE, TEXT, Event, Part, got, got_text, members_of, said_in
from ingest.readers._adk_shape import Session
from ingest.readers._chat_values import Members

CONFIRMATION: Final = "adk_request_confirmation"
_ASKS: Final = {CONFIRMATION, "adk_request_credential", "adk_request_input"}
"""Calls that the framework makes up to ask the user something; no model made them."""
_TRANSFERS: Final = {"transfer_to_agent", "transfer_to_other_agent"}
_WAITING: Final = "requires confirmation, please approve or reject"
_REFUSED: Final = "This tool call is rejected"
_SHORTEST_ID: Final = 8
"""ADK's own ids have 8 random characters or are UUIDs; shorter ones are made up and come again."""
_REMEDY: Final = "fix or remove it and ingest again"
_STATUS: Final[dict[str | None, Status]] = {"approved": "ok", "automatic": "ok", "denied": "denied"}


class Run:
    """One session while it is read."""

    def __init__(self, session: Session) -> None:
        self.session = session
        # Stores give the same events back in different orders; their times and ids are what they agree on.
        self.timed = all(event.at is not None for event in session.events) and not session.is_evaluation
        self.events = sorted(session.events, key=lambda e: (e.at or 0, e.id or "")) if self.timed else session.events
        self.hashed = identify("adk", *(e.record.sha256 for e in session.events), session.record.sha256)
        self.number = 0
        self.out: list[Observation | Rejected] = []
        self.calls: dict[str, Observation] = {}
        self.waiting: list[tuple[Observation, str | None]] = []
        self.asked: dict[str, Observation] = {}
        self.running: set[str] = set()
        self.answers: dict[str, list[tuple[Event, Part]]] = defaultdict(list)
        self.partial: dict[tuple[str | None, str | None], list[Event]] = defaultdict(list)
        self.said_by_user: dict[str | None, Observation] = {}
        self.handed: dict[tuple[str | None, str], Observation] = {}
        self.models: dict[str, Observation] = {}

    def observations(self) -> list[Observation | Rejected]:
        """The session's steps, those that open a step in the order of their times."""
        if not self.events and not self.session.logs:
            self._empty()
        for event in self.events:
            self.running |= event.long_running
            if event.partial:
                self.partial[event.invocation, event.author].append(event)
            else:
                self._event(event)
        unfinished, self.partial = self.partial, defaultdict(list)
        for cut in unfinished.values():
            self._cut_off(cut)
        for event in self.events:
            self._confirmations(event)
        for step in list(self.out):
            if isinstance(step, Observation) and step.event_id in self.answers:
                self._settle(step, self.answers[step.event_id])
        self._logs()
        return self.out

    def _step(self, event: Event, part: int | str, kind: Kind, operation: str) -> Observation:
        trace = self._trace(event)
        own: tuple[str | int | None, ...] = (event.id,) if event.id else (event.index,)
        step = Observation(
            event_id=identify("adk", trace, *own, part),
            trace_id=trace,
            kind=kind,
            operation=operation,
            session_id=self.session.id or event.session,
            agent_id=event.author if event.author != "user" else None,
            service=self.session.app or event.app,
            sequence=None if self.timed else self.number,
            started_at=event.at,
            on_behalf_of=self.session.user or event.user,
            gap=event.gap,
            source=event.record.source,
            source_sha256=event.record.sha256,
            witness="history",
        )
        self.number += 1
        self.out.append(step)
        return step

    def _trace(self, event: Event) -> str:
        """The invocation: its id is in every export of a run, the session's is not."""
        if self.timed and event.invocation and len(event.invocation) >= _SHORTEST_ID:
            return event.invocation
        session = self.session.id or event.session
        return identify("adk", self.session.app, self.session.user, session) if session else self.hashed

    def _event(self, event: Event) -> None:
        calls = [part for part in event.parts if part.sort == CALL]
        responses = [part for part in event.parts if part.sort == RESPONSE]
        texts = any(part.sort == TEXT for part in event.parts)
        asks = bool(calls) and all(part.name in _ASKS for part in calls) and not texts
        step: Observation | None = None
        if event.author == "user" or (event.role == "user" and texts):
            if texts or not event.parts:
                step = self._step(event, 0, "message", "user" if event.author == "user" else "event")
                step.arguments, step.status = said_in(event), "ok"
                if event.author == "user":
                    self.said_by_user.setdefault(event.invocation, step)
                step.records += len(self.partial.pop((event.invocation, event.author), ()))
        elif asks or (responses and not texts and not calls):
            pass
        elif event.parts or event.error or event.input_tokens is not None or event.output_tokens is not None:
            step = self._model_call(event, calls)
        else:
            step = self._lifecycle(event)
        for number, part in enumerate(calls, start=1):
            self._call(event, number, part, step)
        for number, part in enumerate(responses, start=1):
            self._response(event, number, part)
        if event.transfer and not any(part.name in _TRANSFERS for part in (*calls, *responses)):
            handoff = self._step(event, "transfer", "handoff", "transfer")
            handoff.target, handoff.status, handoff.records = event.transfer, "ok", 0
            self.handed[event.invocation, event.transfer] = handoff

    def _model_call(self, event: Event, calls: list[Part]) -> Observation:
        step = self._step(event, 0, "model_call", "event")
        above = self.handed.get((event.invocation, event.author or "")) or self.said_by_user.get(event.invocation)
        step.parent_event_id = above.event_id if above is not None and above.trace_id == step.trace_id else None
        step.model, step.error = event.model, event.error
        step.status = "error" if event.error else "ok"
        step.input_tokens, step.output_tokens = event.input_tokens, event.output_tokens
        step.result = said_in(event)
        if calls:
            made = [{"name": part.name, "arguments": part.payload} for part in calls]
            step.result = as_text({"content": value_of(step.result), "tool_calls": made})
        step.records += len(self.partial.pop((event.invocation, event.author), ()))
        if event.id:
            step.joins = joined_by(adk=event.id)
            self.models[event.id] = step
        return step

    def _lifecycle(self, event: Event) -> Observation:
        name = "escalate" if event.escalates else next(iter(event.notes), "transfer" if event.transfer else "event")
        step = self._step(event, 0, "lifecycle", name)
        step.arguments = as_text(event.notes) if event.notes else None
        step.status = "ok"
        step.records += len(self.partial.pop((event.invocation, event.author), ()))
        return step

    def _cut_off(self, events: list[Event]) -> None:
        """A stream of which only pieces were kept: one answer, not whole."""
        first, *others = events
        first.parts = [part for event in events for part in event.parts if part.sort == TEXT]
        if first.author == "user":
            step = self._step(first, 0, "message", "user")
            step.arguments = said_in(first)
        else:
            step = self._model_call(first, [])
        step.status, step.gap = "unknown", "only pieces of a stream, its end is missing"
        step.records += len(others)

    def _call(self, event: Event, number: int, part: Part, parent: Observation | None) -> None:
        if part.name is None:
            self.out.append(Rejected(event.record.line, f"function call {number} names no function; {_REMEDY}"))
            return
        if part.name in _ASKS:
            self._ask(event, number, part)
            return
        is_handoff = part.name in _TRANSFERS
        step = self._step(event, number, "handoff" if is_handoff else "tool_call", "functionCall")
        step.parent_event_id = parent.event_id if parent else None
        step.tool, step.status, step.gap = part.name, "pending", None
        step.arguments = as_text(part.payload) if part.payload is not None else None
        named = named_in(step.arguments)
        step.target, step.credential_id, step.principal = named.target, named.credential_id, named.principal
        step.on_behalf_of = named.on_behalf_of or step.on_behalf_of
        if is_handoff:
            step.target = got_text(members_of(part.payload), "agentName") or step.target
            if step.target:
                self.handed[event.invocation, step.target] = step
        else:
            step.approval = "cannot_record" if self.session.is_evaluation else "not_recorded"
            if part.id in self.running and decides(part.name):
                step.kind, step.approval = "approval", "pending"
        if self.session.is_evaluation:
            step.status, step.gap = "unknown", "results are not kept in an eval set"
        self._await(step, event, part)

    def _await(self, step: Observation, event: Event, part: Part) -> None:
        if part.id:
            step.joins = step.joins or joined_by(call=part.id)
            self.calls[part.id] = step
        else:
            self.waiting.append((step, event.id))

    def _ask(self, event: Event, number: int, part: Part) -> None:
        """What the framework asks of the user: a confirmation of a call, a credential, an input."""
        asked = members_of(part.payload)
        is_confirmation = part.name == CONFIRMATION
        step = self._step(event, number, "approval" if is_confirmation else "message", str(part.name))
        step.status, step.gap = "pending", None
        if is_confirmation:
            step.approval = "pending"
            original = members_of(got(asked, "originalFunctionCall"))
            self._bind(step, got_text(original, "id"), got_text(original, "name"), original.get("args"))
        elif part.name == "adk_request_credential":
            step.kind, step.gap = "lifecycle", "the credential's configuration is left out"
            step.arguments = as_text({"functionCallId": got_text(asked, "functionCallId")})
        else:
            step.arguments = as_text(asked)
        self._await(step, event, part)

    def _bind(self, step: Observation, call_id: str | None, tool: str | None, arguments: object) -> None:
        """Tie a decision to the call that it is about."""
        call = self.calls.get(call_id or "")
        step.tool = tool or (call.tool if call else None)
        step.arguments = as_text(arguments) if arguments is not None else (call.arguments if call else None)
        named = named_in(step.arguments)
        step.target = named.target
        if call is not None:
            self.asked[call.event_id] = step
            step.joins = call.joins
            step.parent_event_id = call.event_id if call.trace_id == step.trace_id else None

    def _response(self, event: Event, number: int, part: Part) -> None:
        """A response: part of its call, or a message where there is no such call."""
        call = self.calls.get(part.id) if part.id else self._oldest(event, part)
        if call is not None:
            call.records += 1
            self.answers[call.event_id].append((event, part))
            if sum(other.sort == RESPONSE for other in event.parts) == 1:
                # The call's span names this event; of several responses that are one event each had its own.
                call.joins = " ".join(filter(None, (call.joins, joined_by(adk=event.id)))) or None
            return
        step = self._step(event, f"r{number}", "message", "functionResponse")
        step.tool, step.status = part.name, "ok"
        step.result = as_text(part.payload)
        step.gap = "the call that this answers is missing"

    def _oldest(self, event: Event, part: Part) -> Observation | None:
        """The open call that a response without an id answers: in the event it names, else by name, in order."""
        named = [(step, at) for step, at in self.waiting if part.name is None or step.tool == part.name]
        bound = [(step, at) for step, at in named if at is not None and at == event.call_event]
        found = next(iter(bound or named), None)
        if found is None:
            return None
        self.waiting.remove(found)
        return found[0]

    def _confirmations(self, event: Event) -> None:
        """Confirmations that a tool's own code asked for and for which no asking event was kept."""
        for number, (call_id, said) in enumerate(event.confirmations.items(), start=1):
            call = self.calls.get(call_id)
            if call is None or call.event_id in self.asked:
                continue
            step = self._step(event, f"c{number}", "approval", "requestedToolConfirmations")
            step.records, step.approval, step.status, step.gap = 0, "pending", "pending", None
            self._bind(step, call_id, call.tool, None)
            confirmed = members_of(said).get("confirmed")
            if confirmed is True:
                step.approval, step.status = "approved", "ok"
            if call.approval == "not_recorded":
                call.approval = step.approval

    def _settle(self, step: Observation, answers: list[tuple[Event, Part]]) -> None:
        event, part = self._final(step, answers)
        if step.operation in _ASKS:
            self._decide(step, event, part)
            return
        said = members_of(part.payload)
        step.result = as_text(part.payload) if part.payload is not None else None
        step.ended_at = event.at
        error = said.get("error")
        refused = isinstance(error, str) and error.startswith(_REFUSED)
        failed = bool(error) or got(said, "isError") is True
        if step.tool == CODE_TOOL:
            failed = got_text(said, "outcome") not in ("OUTCOME_OK", None)
            error = said.get("output") if failed else None
        step.error = (text(error) or (as_text(error) if error else "error")) if failed else None
        step.status = "denied" if refused else "error" if failed else "ok"
        if self._is_placeholder(step, event, part):
            step.status, step.error, step.result = "pending", None, None
        elif self._call_id(step, answers) in self.running and event.author != "user" and not failed:
            # A long-running tool's own answer only says that it has begun; its end is told by the user.
            step.status = "pending"
        if step.kind == "approval" and event.author == "user":
            decided = decision(step.tool or "", [step.result or ""], None)
            step.approval, step.approver = decided.approval, decided.approver or self.session.user
            step.status = _STATUS.get(decided.approval, "unknown")
        if refused and step.approval == "not_recorded":
            step.approval = "denied"

    def _final(self, step: Observation, answers: list[tuple[Event, Part]]) -> tuple[Event, Part]:
        real = [(event, part) for event, part in answers if not self._is_placeholder(step, event, part)]
        return (real or answers)[-1]

    @staticmethod
    def _call_id(step: Observation, answers: list[tuple[Event, Part]]) -> str:
        return next((part.id for _, part in answers if part.id), "")

    @staticmethod
    def _is_placeholder(step: Observation, event: Event, part: Part) -> bool:
        """Whether a response only says that a human must confirm first: the tool did not run."""
        if part.id in event.confirmations:
            return True
        error = members_of(part.payload).get("error")
        return step.operation == "functionCall" and isinstance(error, str) and _WAITING in error

    def _decide(self, step: Observation, event: Event, part: Part) -> None:
        said = members_of(part.payload)
        if set(said) == {"response"}:
            # A chat front end wraps the answer as JSON text.
            said = members_of(said["response"])
        step.ended_at = event.at
        if step.operation == "adk_request_credential":
            step.status = "ok"
            return
        told: dict[object, object] = {}
        for source in (members_of(said.get("payload")), said):
            told.update(source)
        named = approver_in(normalised(told))
        by_user = (self.session.user or event.user) if event.author == "user" else None
        if step.operation != CONFIRMATION:
            step.result = as_text(part.payload)
            decided = decision("", [step.result], None)
            step.status = "ok"
            if decided.approval in ("approved", "denied", "automatic"):
                step.kind, step.approval = "approval", decided.approval
                step.approver, step.status = named or by_user, _STATUS[decided.approval]
            return
        confirmed = said.get("confirmed")
        if not isinstance(confirmed, bool):
            step.status = "unknown"
            return
        step.approval = "approved" if confirmed else "denied"
        step.approver, step.status = named or by_user, _STATUS[step.approval]
        step.result = as_text(said)
        for call in self.calls.values():
            if self.asked.get(call.event_id) is step:
                call.approval, call.approver = step.approval, step.approver

    def _logs(self) -> None:
        """Request logs of exports before 1.0: they say which model an event came from."""
        for record, members in self.session.logs:
            step = self.models.get(got_text(members, "eventId") or "")
            asked: Members = members_of(got(members, "modelRequest"))
            if step is not None:
                step.records += 1
                step.model = step.model or got_text(asked, "model")
                continue
            event = Event(record=record, invocation=got_text(members, "invocationId"), index=len(self.out))
            other = self._step(event, f"log{record.sha256}", "lifecycle", "event_log")
            other.model = got_text(asked, "model")

    def _empty(self) -> None:
        event = Event(record=self.session.record)
        step = self._step(event, "session", "lifecycle", "session")
        step.status = "ok"
