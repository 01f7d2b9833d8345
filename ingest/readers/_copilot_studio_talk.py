"""One Copilot Studio conversation -> observations: what was said, planned, done and decided."""

from __future__ import annotations

from typing import Final

from ingest.arguments import named_in
from ingest.decisions import decision
from ingest.event import Approval, Kind, Observation, Status, identify
from ingest.payloads import as_text, count, payload, text
from ingest.readers._copilot_studio_activity import (
    Activity,
    agent_in,
    decides,
    error_of,
    offers_a_decision,
    outcome,
    tool_of,
)
from ingest.readers._microsoft_values import Members, first_text, unified
from ingest.times import moment

__all__ = ["Activity", "Talk"]
_BATCH: Final = 1 << 24
"""Steps that a batch of a long conversation may have: Dataverse splits it into rows that number from zero."""
_STATUS: Final[dict[Approval, Status]] = {"approved": "ok", "automatic": "ok", "denied": "denied", "pending": "pending"}


class Talk:
    """One transcript while it is read."""

    def __init__(self, header: Members, activities: list[Activity]) -> None:
        about = unified(header.get("metadata"))
        self.activities = _in_order(activities)
        row = first_text(header, "name")
        conversation = next((c for a in activities if (c := a.conversation())), None)
        transcript = first_text(header, "conversationtranscriptid")
        self.session = conversation or (row.split("_")[0] if row and "_" in row else row) or transcript
        self.trace = self.session or identify("copilot_studio", *(a.record.sha256 for a in self.activities))
        formatted = "botconversationtranscriptidvalue@odatacommunitydisplayv1formattedvalue"
        stated = first_text(about, "botname") or first_text(header, formatted)
        spoke = (text(a.sender().get("name")) for a in self.activities if a.role() == "bot")
        self.agent = stated or next(filter(None, spoke), None) or first_text(about, "botid")
        self.agent = self.agent or first_text(header, "botconversationtranscriptidvalue")
        self.number = (count(about.get("batchid")) or 0) % (1 << 32) * _BATCH
        self.out: list[Observation] = []
        self.plans: dict[str, Observation] = {}
        self.steps: dict[str, Observation] = {}
        self.open: list[Observation] = []
        self.cards: dict[str, Observation] = {}

    def observations(self) -> list[Observation]:
        """The conversation's steps in its order."""
        for index, activity in enumerate(self.activities):
            word = activity.word()
            if "StepTriggered" in word or "StepBindUpdate" in word or "StepFinished" in word or "StepBlocked" in word:
                self._plan_step(index, activity, word)
            elif activity.members.get("type") in ("message", "invoke"):
                self._said(index, activity)
            else:
                self._trace(index, activity, word)
        return self.out

    def _step(self, index: int, activity: Activity, kind: Kind, operation: str, *part: str) -> Observation:
        user = activity.sender() if activity.role() == "user" else {}
        step = Observation(
            event_id=identify("copilot_studio", self.trace, text(activity.members.get("id")) or index, *part),
            trace_id=self.trace,
            kind=kind,
            operation=operation,
            session_id=self.session,
            agent_id=self.agent,
            service=text(activity.members.get("channelId")),
            sequence=self.number,
            started_at=moment(activity.members.get("timestamp")),
            on_behalf_of=first_text(unified(user), "aadobjectid", "id", "name"),
            source=activity.record.source,
            source_sha256=activity.record.sha256,
            witness="log",
        )
        self.number += 1
        self.out.append(step)
        return step

    def _plan_step(self, index: int, activity: Activity, word: str) -> None:
        """One of the records that tell of a step of the plan; the first of them opens it."""
        value = activity.value()
        plan, task = text(value.get("planIdentifier")), text(value.get("taskDialogId"))
        key = f"{plan}\x1f{text(value.get('stepId')) or task}"
        step = self.steps.get(key)
        if step is None or ("StepTriggered" in word and step not in self.open):
            above = self.plans.get(plan or "")
            thought = text(value.get("thought"))
            if thought is not None:
                said = self._step(index, activity, "message", "thought", "thought")
                said.records, said.result, said.status = 0, as_text(thought), "ok"
                said.parent_event_id = above.event_id if above else None
                above = said
            turn = sum(1 for seen in self.steps if seen.startswith(key))
            step = self._step(index, activity, "tool_call", word)
            step.event_id = identify("copilot_studio", self.trace, plan, text(value.get("stepId")) or task, turn)
            step.parent_event_id = above.event_id if above else None
            step.tool, server = tool_of(task)
            step.target, step.status, step.approval = server, "pending", "not_recorded"
            if (other := agent_in(task, value)) is not None:
                step.kind, step.target, step.approval = "handoff", other, None
            if key in self.steps:
                self.steps[f"{key}\x1f{turn}"] = self.steps[key]
            self.steps[key] = step
            self.open.append(step)
        else:
            step.records += 1
            self.number += 1
        self._fill(step, activity, word, value)

    def _fill(self, step: Observation, activity: Activity, word: str, value: Members) -> None:
        if "arguments" in value:
            step.arguments = payload(value["arguments"]) or step.arguments
            named = named_in(step.arguments)
            if step.kind == "tool_call":
                step.target = named.target or step.target
            step.principal, step.credential_id = named.principal, named.credential_id
        if "StepFinished" in word or "StepBlocked" in word:
            step.ended_at = moment(activity.members.get("timestamp"))
            step.result = payload(value.get("observation"))
            step.status, step.error = outcome(word, value)
            self.open = [other for other in self.open if other is not step]

    def _said(self, index: int, activity: Activity) -> None:
        members = activity.members
        role = activity.role()
        value = members.get("value")
        answered = self.cards.pop(text(members.get("replyToId")) or "", None)
        if role == "user" and isinstance(value, dict) and value and decides(value, answered is not None):
            self._decided(index, activity, answered, value)
            return
        if answered is not None:
            self.cards[text(members.get("replyToId")) or ""] = answered
        step = self._step(index, activity, "message", role or str(members.get("type")))
        body = text(members.get("text")) or value or members.get("attachments")
        step.arguments, step.status = payload(body), "ok"
        if role == "bot":
            step.arguments, step.result = None, payload(body)
        card = offers_a_decision(members.get("attachments"))
        if card is not None:
            asked = self._step(index, activity, "approval", "adaptive_card", "card")
            asked.records, asked.approval, asked.status = 0, "pending", "pending"
            asked.arguments = payload(card)
            self._bind(asked, {})
            self.cards[text(members.get("id")) or f"#{index}"] = asked

    def _decided(self, index: int, activity: Activity, asked: Observation | None, value: Members) -> None:
        if asked is None:
            step = self._step(index, activity, "approval", "Action.Submit")
        else:
            step = asked
            # It stands where it was given. The card was one record more; its answer is one that the file has.
            step.records, step.sequence = 1, self.number
            step.started_at = moment(activity.members.get("timestamp"))
            self.number += 1
        step.arguments = as_text(value)
        found = decision("", [step.arguments], None)
        sender = unified(activity.sender())
        step.approval = found.approval
        step.approver = found.approver or first_text(sender, "name", "aadobjectid", "id")
        step.status = _STATUS.get(step.approval, "unknown")
        if step.parent_event_id is None:
            self._bind(step, value)
        call = next((s for s in self.steps.values() if s.event_id == step.parent_event_id), None)
        if call is not None and call.kind == "tool_call":
            call.approval, call.approver = step.approval, step.approver

    def _bind(self, step: Observation, value: Members) -> None:
        """To the step that it names; else to the only one that is open: the planner asks from inside a step."""
        wanted = text(value.get("stepId"))
        named = [s for key, s in self.steps.items() if wanted is not None and key.split("\x1f")[1] == wanted]
        call = named[0] if named else self.open[0] if len(self.open) == 1 else None
        if call is not None:
            step.parent_event_id, step.tool = call.event_id, call.tool
            step.target = named_in(step.arguments).target or call.target

    def _trace(self, index: int, activity: Activity, word: str) -> None:
        value = activity.value()
        target = first_text(unified(value), "targetdialogid", "targetagentid", "dialogid", "targettopicid")
        other = agent_in(target, value) if "Redirect" in word else None
        to_human = word.lower().startswith("handoff")
        step = self._step(index, activity, "handoff" if other or to_human else "lifecycle", word)
        step.arguments = payload(activity.members.get("value"))
        step.target = other or ("human agent" if to_human else target)
        step.error = error_of(word, value)
        step.status = "error" if step.error else "ok"
        plan = text(value.get("planIdentifier"))
        if plan is not None and "PlanReceived" in word:
            self.plans.setdefault(plan, step)
        elif plan in self.plans:
            step.parent_event_id = self.plans[plan].event_id


def _in_order(activities: list[Activity]) -> list[Activity]:
    positions = [activity.position() for activity in activities]
    if any(position is None for position in positions) or len(set(positions)) < len(positions):
        return activities
    pairs = sorted(zip(positions, range(len(activities)), strict=True), key=lambda pair: (pair[0] or 0, pair[1]))
    return [activities[index] for _, index in pairs]
