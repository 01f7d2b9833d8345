"""A Gemini API history (role and parts) -> observations, in the list's order: it has neither ids nor times."""

from __future__ import annotations

from ingest.arguments import named_in
from ingest.event import Kind, Observation, Rejected, identify
from ingest.payloads import as_text, text
from ingest.readers._chat_values import content_of
from ingest.readers._gemini_cli_session import AGENT
from ingest.readers._members import Members, at_path, fingerprint, members_of, numbered_step, objects, part, texts_of
from ingest.records import Record


class Contents:
    """One history; `waiting` is the tool call of a checkpoint, which stands before a decision."""

    def __init__(self, elements: list[Record], document: Record | None, waiting: object = None) -> None:
        self.elements, self.document, self.waiting = elements, document, waiting
        opening = elements[0] if elements else document
        first = members_of(opening) if opening is not None else {}
        # A history grows: its opening tells which one it is, and two saved states of one chat share their steps.
        self.trace = identify("gemini_cli", fingerprint(first if isinstance(first, dict) else None), *self._second())
        self.out: list[Observation | Rejected] = []
        self.number = 0
        self.open: list[Observation] = []

    def _second(self) -> list[str]:
        said = [members_of(element) for element in self.elements[1:3]]
        return [fingerprint(member) for member in said if isinstance(member, dict)]

    def observations(self) -> list[Observation | Rejected]:
        """The history's steps; a call and its response are one."""
        latest: Observation | None = None
        for index, element in enumerate(self.elements):
            content = members_of(element)
            if isinstance(content, Rejected):
                self.out.append(content)
                continue
            parts = objects(content.get("parts"))
            if content.get("role") == "model":
                latest = self._model(element, index, parts)
                continue
            responses = [p for p in parts if isinstance(p.get("functionResponse"), dict)]
            answered = [self._response(element, index, n, part(p, "functionResponse")) for n, p in enumerate(responses)]
            if answered:
                answered[0].records += 1
            else:
                step = self._step(element, "message", str(content.get("role")), (str(index),))
                step.arguments = content_of(texts_of(parts) or parts)
        if self.document is not None and (self.waiting is not None or not self.elements):
            self._wait(self.document, latest)
        return self.out

    def _step(self, record: Record, kind: Kind, operation: str, identity: tuple[str, ...]) -> Observation:
        own = ("gemini_cli", self.trace, *identity)
        self.number += 1
        return numbered_step(record, self.out, self.trace, AGENT, self.number - 1, kind, operation, own)

    def _model(self, element: Record, index: int, parts: list[Members]) -> Observation:
        turn = self._step(element, "model_call", "model", (str(index),))
        calls = [part(p, "functionCall") for p in parts if isinstance(p.get("functionCall"), dict)]
        made = [{"name": call.get("name"), "arguments": call.get("args")} for call in calls]
        spoken = texts_of(parts)
        turn.result = as_text({"content": spoken, "tool_calls": made}) if made else content_of(spoken)
        self.open = []
        for number, call in enumerate(calls):
            self.open.append(self._call(element, turn, call, (str(index), "call", str(number))))
        return turn

    def _call(self, record: Record, turn: Observation | None, call: Members, identity: tuple[str, ...]) -> Observation:
        step = self._step(record, "tool_call", "functionCall", identity)
        step.records, step.status, step.approval = 0, "pending", "not_recorded"
        step.parent_event_id = turn.event_id if turn is not None else None
        step.tool = text(call.get("name"))
        step.arguments = as_text(call["args"]) if "args" in call else None
        named = named_in(step.arguments)
        step.target, step.credential_id, step.principal = named.target, named.credential_id, named.principal
        step.on_behalf_of = named.on_behalf_of
        return step

    def _response(self, element: Record, index: int, number: int, response: Members) -> Observation:
        name = text(response.get("name"))
        step = next((call for call in self.open if call.tool == name), None)
        if step is None:
            step = self._call(element, None, {"name": name}, (str(index), "response", str(number)))
            step.gap = "the call itself is not in this file"
        else:
            self.open.remove(step)
            self.number += 1
        given = response.get("response")
        step.result = as_text(given) if given is not None else None
        error = text(at_path(given, "error")) or (as_text(at_path(given, "error")) if at_path(given, "error") else None)
        step.status, step.error = ("error", error) if error else ("ok", None)
        return step

    def _wait(self, document: Record, turn: Observation | None) -> None:
        """A checkpoint is written before the call runs; the call is the history's last where it stands there."""
        call = part(self.waiting)
        known = next((step for step in self.open if step.tool == call.get("name")), None)
        if known is not None:
            known.records += 1
        elif call:
            self._call(document, turn, call, ("checkpoint",)).records = 1
        else:
            self._step(document, "lifecycle", "history", ("history",))
