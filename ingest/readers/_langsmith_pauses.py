"""LangGraph's pauses and answers in LangSmith runs: who was asked what, and what came of it."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

import msgspec

from ingest.arguments import named_in
from ingest.event import Observation, identify
from ingest.joins import joined_by
from ingest.payloads import as_text
from ingest.readers._export_fields import Fields
from ingest.readers._langgraph_answer import STATUS, Answer, answers
from ingest.readers._langsmith_run import PAUSES, call_id
from ingest.records import Record

_INTERRUPT: Final = re.compile(r"Interrupt\(value=(.{1,20000}?), (?:id|interrupt_id|resumable|ns)=", re.DOTALL)
_ID: Final = re.compile(r"\b(?:interrupt_)?id='([0-9a-f]{32})'")
_VALUE: Final = msgspec.json.Decoder()


class _Pause(msgspec.Struct):
    said: Observation
    call_id: str | None
    question: str | None
    ids: list[str]


class _Resume(msgspec.Struct):
    said: Observation
    session: str
    answers: list[Answer]


class Pauses:
    """The pauses, answers and resumed calls of a file."""

    def __init__(self) -> None:
        self._paused: dict[str, list[_Pause]] = defaultdict(list)
        self._resumes: list[_Resume] = []
        self._calls: dict[tuple[str, str], Observation] = {}

    def look(self, said: Observation, fields: Fields, record: Record) -> None:
        """Remember a run that paused, went on, or brought an answer."""
        error = fields.text("error") or ""
        session = said.session_id or said.trace_id
        if error.startswith(PAUSES):
            asked = _INTERRUPT.search(error)
            ids = _ID.findall(error)
            # The pause passes through every run above; only the lowest one tells of it.
            known = self._paused[session]
            if said.kind != "tool_call" and any(set(ids) & set(p.ids) for p in known if p.said.kind == "tool_call"):
                return
            if said.kind == "tool_call":
                known[:] = [p for p in known if p.said.kind == "tool_call" or not set(ids) & set(p.ids)]
            elif any(p.ids == ids for p in known):
                return
            known.append(_Pause(said, call_id(fields), _literal(asked[1]) if asked else None, ids))
        elif said.kind == "tool_call" and (answered := call_id(fields)):
            self._calls[said.trace_id, answered] = said
        elif said.parent_event_id is None:
            inputs = fields.inside("inputs")
            command = inputs if "resume" in inputs else inputs.inside("input", "command")
            written = command.first("resume")
            if written is not None:
                self._resumes.append(_Resume(said, session, answers(_VALUE.decode(written))))

    def settled(self) -> Iterator[Observation]:
        """One approval for each pause, pending in its own trace, and one for each answer."""
        for pauses in self._paused.values():
            for pause in pauses:
                yield self._pending(pause)
        for resume in sorted(self._resumes, key=lambda r: (r.said.started_at or 0, r.said.event_id)):
            at = resume.said.started_at
            waiting = [p for p in self._paused[resume.session] if _before(p.said.started_at, at)]
            waiting.sort(key=lambda p: (p.said.started_at or 0, p.said.event_id))
            for index, answer in enumerate(resume.answers):
                asked = self._asked(waiting, answer, index, len(resume.answers))
                yield self._answer(resume, index, answer, asked)
                if asked is not None and len(resume.answers) == 1:
                    self._paused[resume.session].remove(asked)

    def _asked(self, waiting: list[_Pause], answer: Answer, index: int, count: int) -> _Pause | None:
        """The pause that an answer belongs to: by its id, else where only one way is open."""
        if answer.interrupt_id is not None:
            return next((p for p in waiting if answer.interrupt_id in p.ids), None)
        if len(waiting) == 1:
            return waiting[0]
        return waiting[index] if count == len(waiting) else None

    def _pending(self, pause: _Pause) -> Observation:
        said = pause.said
        step = self._approval(said, identify("langsmith", said.event_id, "pause"), "interrupt")
        step.parent_event_id = said.event_id
        self._tell(step, pause)
        step.approval = step.status = "pending"
        return step

    def _answer(self, resume: _Resume, index: int, answer: Answer, pause: _Pause | None) -> Observation:
        said = resume.said
        step = self._approval(said, identify("langsmith", said.event_id, "answer", index), "resume")
        call = self._calls.get((said.trace_id, pause.call_id)) if pause and pause.call_id else None
        step.parent_event_id = call.event_id if call else said.event_id
        step.result = answer.said
        step.approver, step.approval, step.tool = answer.approver, answer.approval, answer.tool
        if pause is not None:
            self._tell(step, pause)
        else:
            step.arguments = answer.said
            step.target = named_in(answer.said).target
        step.status = STATUS.get(answer.approval, "unknown")
        if answer.approval == "not_recorded":
            # Words that decide nothing are what somebody said, and no evidence of an approval.
            step.kind, step.approval, step.status = "message", None, "ok"
        return step

    def _approval(self, said: Observation, event_id: str, operation: str) -> Observation:
        return Observation(
            event_id=event_id,
            trace_id=said.trace_id,
            session_id=said.session_id,
            kind="approval",
            operation=operation,
            agent_id=said.agent_id,
            service=said.service,
            started_at=said.started_at if operation == "resume" else said.ended_at or said.started_at,
            source=said.source,
            source_sha256=said.source_sha256,
            records=0,
        )

    def _tell(self, step: Observation, pause: _Pause) -> None:
        """What was asked about: the call that waited, or else what the question itself names."""
        asked = answers_tool(pause.question)
        step.tool = pause.said.tool or asked or step.tool
        step.arguments = pause.said.arguments if pause.said.kind == "tool_call" else pause.question
        step.target = pause.said.target or named_in(pause.question).target
        step.joins = joined_by(call=pause.call_id, interrupt=pause.ids)


def answers_tool(question: str | None) -> str | None:
    """The tool that a question is about, where it names one."""
    if question is None:
        return None
    value = _VALUE.decode(question)
    found = answers(value)[0].tool if isinstance(value, dict) else None
    requests = value.get("action_requests") if isinstance(value, dict) else None
    if isinstance(requests, list) and len(requests) == 1 and isinstance(requests[0], dict):
        name = requests[0].get("name", requests[0].get("action"))
        return name if isinstance(name, str) and name else found
    return found


def _before(one: int | None, other: int | None) -> bool:
    return one is None or other is None or one <= other


def _literal(written: str) -> str | None:
    """A Python value as the error text shows it, as JSON text; None where it is no plain value."""
    try:
        return as_text(ast.literal_eval(written))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError, OverflowError):
        return None
