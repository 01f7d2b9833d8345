"""One run state -> its steps, its pending approvals and its decisions."""

from __future__ import annotations

from typing import Final

import msgspec

from ingest.arguments import named_in
from ingest.event import Approval, Kind, Observation, Rejected, Status, identify
from ingest.joins import joined_by
from ingest.readers._export_fields import REMEDY, Fields, fields_in
from ingest.readers._openai_agents_span import call_event, model_event, trace_event
from ingest.records import Record

_FAILED: Final = '"An error occurred while running the tool'
"""What the SDK puts in the place of an exception; the state keeps nothing else of it."""
_OUTPUTS: Final = ("tool_call_output_item", "handoff_output_item")
_STATUS: Final[dict[Approval, Status]] = {"approved": "ok", "automatic": "ok", "denied": "denied"}


class State:
    """One run state while it is read."""

    def __init__(self, record: Record, fields: Fields) -> None:
        self.record, self.fields = record, fields
        trace = fields.inside("trace")
        start = fields.payload("original_input", "originalInput")
        self.trace = trace.text("id") or identify("openai_run_state", start)
        self.has_trace = trace.text("id") is not None
        self.session = trace.text("group_id", "groupId") or fields.text("conversation_id", "conversationId")
        self.service = trace.text("workflow_name", "workflowName")
        self.context = fields.inside("context")
        self.out: list[Observation | Rejected] = []
        self.calls: dict[str, Observation] = {}
        self.asked: dict[str, Observation] = {}
        self.approvals = self._decided()
        self.number = 0

    def observations(self) -> list[Observation | Rejected]:
        """The state's steps in its order."""
        self._opening()
        items = self._records("generated_items", "generatedItems") or self._records("session_items", "sessionItems")
        responses = self._responses()
        for item in items:
            self._responses_before(item, responses)
            self._item(*item)
        for response in responses:
            self._response(response)
        step = self.fields.inside("current_step", "currentStep").inside("data")
        for raw in step.list_of("interruptions"):
            self._interruption(self.record, fields_in(raw), own=False)
        for call_id, call in list(self.calls.items()):
            self._decision(call_id, call)
        return self.out

    def _step(self, event_id: str, kind: Kind, operation: str, record: Record | None = None) -> Observation:
        record = record or self.record
        step = Observation(
            event_id=event_id,
            trace_id=self.trace,
            session_id=self.session or self.trace,
            kind=kind,
            operation=operation,
            service=self.service,
            sequence=self.number,
            source=record.source,
            source_sha256=record.sha256,
            witness="message",
        )
        self.number += 1
        self.out.append(step)
        return step

    def _event(self, *about: str | int) -> str:
        return identify("openai_run_state", self.trace, *about)

    def _records(self, *names: str) -> list[tuple[Record, Fields]]:
        raws = [msgspec.Raw(raw) for raw in self.fields.list_of(*names)]
        return [(part, fields_in(part.raw)) for part in self.record.elements(raws)]

    def _opening(self) -> None:
        """The run itself, with what it was asked."""
        step = self._step(trace_event(self.trace) if self.has_trace else self._event("run"), "lifecycle", "run_state")
        step.arguments = self.fields.payload("original_input", "originalInput")
        step.status = "ok"
        if self.fields.inside("current_step", "currentStep").text("type") == "next_step_interruption":
            step.status = "pending"

    def _responses(self) -> list[tuple[str, Record, Fields]]:
        found = []
        listed = self._records("model_responses", "modelResponses")
        names = [fields.text("response_id", "responseId") for _, fields in listed]
        for index, (record, fields) in enumerate(listed):
            answered = names[index]
            output = [fields_in(raw) for raw in fields.list_of("output")]
            call = next((call_id for item in output if (call_id := item.text("call_id", "callId"))), None)
            # Some models give every response the same id.
            own = answered if answered and names.count(answered) == 1 else call
            event_id = model_event(self.trace, own) if own else self._event("response", index)
            found.append((event_id, record, fields))
        return found

    def _responses_before(self, item: tuple[Record, Fields], left: list[tuple[str, Record, Fields]]) -> None:
        """The model calls that came before an item: its own, and those that were passed over."""
        raw = item[1].inside("raw_item", "rawItem")
        if (item[1].text("type") or "").endswith("output_item") and item[1].text("type") != "message_output_item":
            return
        ids = {found for found in (raw.text("call_id", "callId"), raw.text("id")) if found}
        for place, (_, _, response) in enumerate(left):
            output = [fields_in(part) for part in response.list_of("output")]
            if any({o.text("call_id", "callId"), o.text("id")} & ids for o in output):
                for passed in left[: place + 1]:
                    self._response(passed)
                del left[: place + 1]
                return

    def _response(self, response: tuple[str, Record, Fields]) -> None:
        event_id, record, fields = response
        step = self._step(event_id, "model_call", "model_response", record)
        usage = fields.inside("usage")
        step.input_tokens = usage.count("input_tokens", "inputTokens")
        step.output_tokens = usage.count("output_tokens", "outputTokens")
        step.result, step.status = fields.payload("output"), "ok"
        for raw in fields.list_of("output"):
            if call_id := fields_in(raw).text("call_id", "callId"):
                self.asked[call_id] = step

    def _item(self, record: Record, item: Fields) -> None:
        kind = item.text("type")
        raw = item.inside("raw_item", "rawItem")
        if kind is None:
            self.out.append(Rejected(record.line, f"a generated item without a type; {REMEDY}"))
        elif kind == "tool_approval_item":
            self._interruption(record, item, own=True)
        elif kind in ("tool_call_item", "handoff_call_item"):
            self._call(record, item, raw, kind)
        elif kind in _OUTPUTS and (call := self.calls.get(raw.text("call_id", "callId") or "")) is not None:
            self.number += 1
            call.records += 1
            call.result = item.payload("output") or raw.payload("output")
            call.status = "error" if (call.result or "").startswith(_FAILED) else "ok"
            if kind == "handoff_output_item":
                call.target = item.inside("target_agent", "targetAgent").text("name")
        else:
            step = self._step(self._event("item", self.number), "message", kind, record)
            step.agent_id = item.inside("agent").text("name")
            step.arguments, step.status = item.payload("raw_item", "rawItem"), "ok"

    def _call(self, record: Record, item: Fields, raw: Fields, kind: str) -> None:
        call_id = raw.text("call_id", "callId", "id")
        event_id = call_event(self.trace, call_id) if call_id else self._event("item", self.number)
        step = self._step(event_id, "handoff" if kind == "handoff_call_item" else "tool_call", kind, record)
        self._tell(step, item, raw)
        step.status = "pending"
        if step.kind == "tool_call":
            step.approval = "not_recorded"
        if (answer := raw.payload("output", "result")) is not None:
            # A hosted tool ran at the provider, and its item carries the answer.
            step.result, step.status = answer, "ok"
        if call_id is not None:
            made = self.asked.get(call_id)
            step.parent_event_id = made.event_id if made else None
            step.joins = joined_by(call=call_id)
            self.calls.setdefault(call_id, step)

    def _tell(self, step: Observation, item: Fields, raw: Fields) -> None:
        step.agent_id = item.inside("agent").text("name")
        step.tool = item.text("tool_name", "toolName") or raw.text("name") or raw.text("type")
        step.arguments = raw.payload("arguments", "action", "input")
        named = named_in(step.arguments)
        step.target, step.credential_id, step.principal = named.target, named.credential_id, named.principal
        step.on_behalf_of = named.on_behalf_of

    def _interruption(self, record: Record, item: Fields, *, own: bool) -> None:
        """What waits for a human. The state says it twice: among its items and in its current step."""
        raw = item.inside("raw_item", "rawItem")
        call_id = raw.text("call_id", "callId", "id")
        event_id = self._event("approval", call_id) if call_id else self._event("approval item", self.number)
        if not own and any(isinstance(o, Observation) and o.event_id == event_id for o in self.out):
            return
        step = self._step(event_id, "approval", "tool_approval_item", record)
        self._tell(step, item, raw)
        step.joins = joined_by(call=call_id)
        call = self.calls.get(call_id or "")
        step.parent_event_id = call.event_id if call else None
        step.approval, step.status = self.approvals.get((step.tool or "", call_id or "")) or "pending", "pending"
        step.status = _STATUS.get(step.approval, "pending")
        if call is not None and call.kind == "tool_call":
            call.approval = step.approval

    def _decision(self, call_id: str, call: Observation) -> None:
        """A decision in the state about a call that no longer waits."""
        event_id = self._event("approval", call_id)
        if call.kind != "tool_call" or any(isinstance(o, Observation) and o.event_id == event_id for o in self.out):
            return
        decided = self.approvals.get((call.tool or "", call_id)) or self.approvals.get((call.tool or "", ""))
        if decided is None:
            return
        step = self._step(event_id, "approval", "approvals")
        step.records = 0
        # It came before the call ran, and after the call was asked for.
        step.sequence = call.sequence
        step.agent_id, step.tool, step.arguments, step.target = call.agent_id, call.tool, call.arguments, call.target
        step.parent_event_id, step.joins = call.event_id, call.joins
        step.approval = call.approval = decided
        step.status = _STATUS.get(decided, "pending")
        if decided == "denied":
            call.status = "denied"

    def _decided(self) -> dict[tuple[str, str], Approval]:
        """(tool, call id) -> what was decided; the call id is empty for what was decided for good."""
        found: dict[tuple[str, str], Approval] = {}
        records = [(tool, fields_in(bytes(raw))) for tool, raw in self.context.inside("approvals").raw.items()]
        for raw in self.context.list_of("function_tool_approvals"):
            entry = fields_in(raw)
            records.append((entry.text("tool_key") or "", entry.inside("decision")))
        for tool, entry in records:
            # A key may carry the tool's namespace or agent in front: `crm.delete_user`.
            for name in {tool, tool.rsplit(".", 1)[-1], tool.rsplit(":", 1)[-1]}:
                for key, verdict in (("approved", "approved"), ("rejected", "denied")):
                    if entry.value(key) is True:
                        found[name, ""] = "automatic" if verdict == "approved" else "denied"
                    for raw in entry.list_of(key):
                        call_id = msgspec.json.decode(raw)
                        if isinstance(call_id, str):
                            found[name, call_id] = "approved" if verdict == "approved" else "denied"
        return found
