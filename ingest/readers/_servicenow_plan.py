"""Rows of one ServiceNow answer -> observations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ingest.arguments import named_in
from ingest.decisions import decision, is_policy
from ingest.event import Approval, Kind, Observation, Rejected, Status, identify
from ingest.payloads import as_text, count, payload
from ingest.readers._chat_values import content_of
from ingest.readers._members import Members, fingerprint, objects, plain_name
from ingest.records import Record
from ingest.times import moment

_HELD: Final = (
    "steps", "tasks", "executiontasks", "executionsteps", "tools", "toolexecutions", "toolsexecution",
    "toolsexecutions", "messages",
)  # fmt: skip
_STATES: Final[dict[str, Status]] = {
    "completed": "ok", "complete": "ok", "success": "ok", "successful": "ok", "succeeded": "ok", "done": "ok",
    "closed_complete": "ok", "processed": "ok", "failed": "error", "error": "error", "failure": "error",
    "errored": "error", "timed_out": "error", "cancelled": "error", "canceled": "error", "terminated": "error",
    "rejected": "denied", "denied": "denied", "declined": "denied", "in_progress": "pending", "pending": "pending",
    "ready": "pending", "queued": "pending", "waiting": "pending", "awaiting_user": "pending", "new": "pending",
    "waiting_for_user": "pending", "pending_approval": "pending",
}  # fmt: skip
_ANSWERS: Final = (
    "approvalstatus", "approvalstate", "approval", "userapproval", "userconfirmation", "supervisedresponse",
    "userdecision", "userresponse", "decision", "approved", "isapproved",
)  # fmt: skip
_APPROVERS: Final = ("approvedby", "approver", "rejectedby", "decidedby", "reviewedby")
_STATUS_OF: Final[dict[str, Status]] = {"approved": "ok", "automatic": "ok", "denied": "denied", "pending": "pending"}
_MODES: Final = ("executionmode", "mode", "supervision", "supervisionmode")


class Row:
    """A row's members, whatever their spelling; a reference has an id and a name."""

    def __init__(self, members: Members) -> None:
        self.members = members
        self._plain = {str(key).lower().replace("_", "").replace(".", ""): value for key, value in members.items()}

    def raw(self, *keys: str) -> object:
        """The first of the members that says anything."""
        return next((v for key in keys if (v := self._plain.get(key)) not in (None, "", {}, [])), None)

    def id(self, *keys: str) -> str | None:
        """The value of the first member: of a reference its sys_id."""
        return next((found for key in keys if (found := _side(self._plain.get(key), "value")) is not None), None)

    def name(self, *keys: str) -> str | None:
        """What the first member is called: of a reference its display value."""
        return next(
            (found for key in keys if (found := _side(self._plain.get(key), "display_value")) is not None), None
        )

    def plain(self, *keys: str) -> object:
        """A member's content, out of its reference."""
        found = self.raw(*keys)
        if isinstance(found, dict) and found.keys() <= {"value", "display_value", "link", "displayValue"}:
            return found.get("value") or found.get("display_value")
        return found

    def time(self, *keys: str) -> int | None:
        """A time; the platform writes UTC without a zone into the value."""
        return next(
            (found for key in keys if (found := moment(_side(self._plain.get(key), "value"))) is not None), None
        )


def _side(value: object, side: str) -> str | None:
    if isinstance(value, dict):
        other = "display_value" if side == "value" else "value"
        stated = (value.get(side), value.get("name") if side != "value" else value.get("sys_id"), value.get(other))
        return next((found for v in stated if (found := plain_name(v)) is not None), None)
    return plain_name(value)


def rows_under(row: Row) -> Iterator[Row]:
    """The rows that a plan or a step holds."""
    for key in _HELD:
        for member in objects(row.raw(key)):
            yield Row(member)


class Plan:
    """The rows of one answer; `identity` is the plan's id where the document names it outside the rows."""

    def __init__(self, identity: str | None, details: Row | None) -> None:
        self.identity, self.details = identity, details
        self.out: list[Observation | Rejected] = []
        self.number = 0

    def begin(self, record: Record, inputs: object, outputs: object) -> None:
        """The run of an evaluation document."""
        row = self.details or Row({})
        self.identity = self.identity or identify("servicenow", record.sha256)
        step = self._step(record, row, "lifecycle", "execution_plan", identify("servicenow", self.identity))
        step.arguments, step.result = payload(inputs), payload(outputs)

    def add(
        self, record: Record, row: Row, *, records: int = 1, is_message: bool = False, above: str | None = None
    ) -> None:
        """Take one row, and those that it holds."""
        table = row.name("sysclassname", "table") or ""
        sys_id = row.id("sysid", "id", "messageid")
        own = (
            identify("servicenow", sys_id)
            if sys_id
            else identify("servicenow", self.identity, fingerprint(row.members), str(self.number))
        )
        tool = row.name("toolname", "tool", "toolid") or (
            row.name("name") if "tool" in table or row.raw("toolinput", "toolinputs") else None
        )
        if tool is not None and row.raw("role") in (None, "tool", "TOOL"):
            step = self._tool(record, row, own, tool)
        elif is_message or "message" in table or row.raw("role") is not None:
            step = self._message(record, row, own)
        else:
            is_plan = "plan" in table or row.raw("executionplan", "executiontask") is None
            step = self._step(record, row, "lifecycle", "execution_plan" if is_plan else "execution_task", own)
            step.arguments = payload(row.plain("objective", "description", "shortdescription", "instructions"))
            step.result = payload(row.plain("output", "response", "result"))
        if above is not None and step.parent_event_id is None:
            step.parent_event_id = above
        step.records = records
        if is_message and step.started_at is None:
            step.sequence = self.number
        self.number += 1
        if not is_message:
            for inner in rows_under(row):
                self.add(record, inner, records=0, above=own)

    def _step(self, record: Record, row: Row, kind: Kind, operation: str, own: str) -> Observation:
        plan = row.id("executionplan", "executionplanid", "planid") or self.identity
        about = self.details or row
        above = row.id("parent", "executiontask", "executionstep", "parenttask", "parentstep") or row.id(
            "executionplan"
        )
        state = (row.name("state", "status") or "").lower().replace(" ", "_")
        by_value = (row.id("state", "status") or "").lower()
        step = Observation(
            event_id=own,
            trace_id=plan or (row.id("sysid") or own),
            session_id=row.id("conversation", "conversationid", "sessionid") or plan or row.id("sysid"),
            kind=kind,
            operation=operation,
            agent_id=row.name("agent", "aiagent", "agentname", "assignedagent")
            or about.name("agent", "aiagent", "agentname"),
            service="servicenow",
            parent_event_id=identify("servicenow", above) if above else None,
            started_at=row.time(
                "startedat",
                "starttime",
                "startedon",
                "executionstart",
                "syscreatedon",
                "timestamp",
                "createdat",
                "createdon",
            ),
            ended_at=row.time("endedat", "endtime", "completedat", "completedon", "executionend"),
            status=_STATES.get(state) or _STATES.get(by_value, "unknown"),
            error=row.name("errormessage", "error", "failurereason"),
            on_behalf_of=row.name("onbehalfof", "requestedby", "initiatedby", "openedby", "user", "userid")
            or about.name("onbehalfof", "requestedby", "initiatedby", "user", "userid"),
            principal=row.name("runas", "runasuser", "executedas"),
            source=record.source,
            source_sha256=record.sha256,
            witness="history",
        )
        if step.parent_event_id == own:
            step.parent_event_id = None
        self.out.append(step)
        return step

    def _message(self, record: Record, row: Row, own: str) -> Observation:
        role = (row.name("role", "type", "sender", "messagetype") or "message").lower()
        by_model = role in ("assistant", "agent", "ai", "bot", "llm")
        step = self._step(record, row, "model_call" if by_model else "message", role, own)
        said = content_of(row.plain("content", "message", "text", "messagetext", "body"))
        step.status = "ok" if step.status == "unknown" else step.status
        if by_model:
            step.result, step.model = said, row.name("model", "llmmodel", "modelname")
            step.input_tokens = count(row.plain("inputtokens", "prompttokens"))
            step.output_tokens = count(row.plain("outputtokens", "completiontokens"))
        else:
            step.arguments = said
        return step

    def _tool(self, record: Record, row: Row, own: str, tool: str) -> Observation:
        is_agent = (row.name("tooltype", "type") or "").lower() in ("agent", "external_agent", "ai_agent")
        step = self._step(record, row, "handoff" if is_agent else "tool_call", "tool_execution", own)
        step.tool = tool
        step.arguments = payload(
            row.plain("inputs", "input", "toolinput", "toolinputs", "arguments", "parameters", "request")
        )
        step.result = payload(row.plain("outputs", "output", "tooloutput", "tooloutputs", "response", "result"))
        named = named_in(step.arguments)
        step.target = named.target or row.id("targetrecord", "targetdocument", "targettable")
        step.credential_id = named.credential_id
        step.principal = step.principal or named.principal
        if is_agent:
            step.target = tool
            return step
        step.approval = self._approved(record, row, step)
        return step

    def _approved(self, record: Record, row: Row, call: Observation) -> Approval:
        """What the row states: the user's answer before the mode it ran in."""
        mode = (row.id(*_MODES) or row.name(*_MODES) or "").lower()
        answers = {key: value for key in _ANSWERS if (value := row.plain(key)) is not None}
        if not answers:
            return "automatic" if mode in ("autonomous", "autopilot", "automatic", "auto") else "not_recorded"
        stated = [{"approved" if str(v).lower() in ("true", "false") else "decision": v} for v in answers.values()]
        said = decision("approval", [as_text(answer) for answer in stated], None)
        if said.approval == "not_recorded":
            return "not_recorded"
        approver = row.name(*_APPROVERS)
        step = self._step(record, row, "approval", "user_approval", identify("servicenow", call.event_id, "approval"))
        step.records, step.parent_event_id = 0, call.event_id
        step.tool, step.arguments, step.target = call.tool, call.arguments, call.target
        step.approval = "automatic" if said.approval == "approved" and is_policy(approver) else said.approval
        step.approver, step.error = approver, None
        step.status = _STATUS_OF.get(step.approval, "unknown")
        step.started_at = row.time("approvedon", "approvedat", "decidedat", "respondedat") or call.started_at
        if said.approval == "denied":
            call.status = "denied"
        return step.approval
