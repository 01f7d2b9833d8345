"""One Agent 365 event, as Defender and the audit log keep it: a span's attributes under names of their own."""

from __future__ import annotations

import re
from typing import Final

from ingest.arguments import named_in
from ingest.event import Kind, Observation, Status, identify
from ingest.payloads import count
from ingest.readers._microsoft_values import Members, address, first_text, items, only, payload, unified
from ingest.records import Record
from ingest.times import nanoseconds

ACTIONS: Final[dict[str, Kind]] = {
    "InvokeAgent": "lifecycle",
    "InferenceCall": "model_call",
    "Chat": "model_call",
    "ExecuteTool": "tool_call",
    "ExecuteToolBySDK": "tool_call",
    "ExecuteToolByGateway": "tool_call",
    "ExecuteToolByMCPServer": "tool_call",
    "SpanOutput": "message",
    "AISpanOutput": "message",
    "OutputMessages": "message",
}
_TRACE: Final = re.compile(r"[0-9a-f]{32}")
_SPAN: Final = re.compile(r"[0-9a-f]{16}")
_SET_UP: Final = re.compile(r"MCP:(Initiali[sz]e|ListTools|Notification)", re.IGNORECASE)
_REFUSED: Final = {"401", "403", "Unauthorized", "Forbidden", "AccessDenied"}


def observe_action(record: Record, action: str, raw: Members, row: Members) -> Observation:
    """The step of an event: `raw` is `RawEventData` and `row` the columns around it, both with unified keys."""
    said: Members = {**unified(raw.get("copiloteventdata")), **raw}
    kind = ACTIONS.get(action, "tool_call" if action.startswith("ExecuteTool") else "lifecycle")
    tool = first_text(said, "toolname", "genaitoolname") if kind == "tool_call" else None
    if tool is not None and _SET_UP.match(tool):
        kind = "lifecycle"
    trace, event_id, parent = _ids(said, row, record)
    arguments = payload(
        _first(said, "genaitoolcallarguments", "toolarguments", "toolinput", "arguments")
        if kind == "tool_call"
        else _first(said, "genaiinputmessages", "inputmessages", "inputcontent", "prompt")
    )
    result = payload(
        _first(said, "genaitoolcallresult", "toolresult", "tooloutput", "toolcallresult", "result")
        if kind == "tool_call"
        else _first(said, "genaioutputmessages", "outputmessages", "outputcontent", "response")
    )
    named = named_in(arguments)
    server = first_text(said, "serveraddress", "toolservername")
    invoked = first_text(said, "targetagentname", "targetagentid", "platformtargetagentid")
    acting = first_text(said, "agentname", "genaiagentname", "agentid", "genaiagentid", "platformagentid")
    caller = first_text(
        said, "calleragentname", "microsofta365calleragentname", "calleragentid", "microsofta365calleragentid"
    )
    target = (named.target or server) if kind == "tool_call" else None
    agent = acting
    if action == "InvokeAgent":
        caller = caller or (acting if acting != invoked and invoked is not None else None)
        agent = invoked or acting
        if caller is not None and caller != agent:
            kind, agent, target = "handoff", caller, agent
    status, error = _outcome(said)
    own = first_text(said, "agentuserid", "targetagentuserid", "microsoftagentuserid", "agentuserkey")
    human = first_text(said, "humanuserid", "useremail", "userid", "humanuserkey", "userkey")
    return Observation(
        event_id=event_id,
        trace_id=trace,
        kind=kind,
        operation=action,
        session_id=first_text(
            said, "conversationid", "genaiconversationid", "sessionidentity", "microsoftsessionid", "threadid"
        ),
        agent_id=agent,
        agent_version=first_text(said, "agentversion", "genaiagentversion"),
        service=first_text(row, "application") or first_text(said, "workload"),
        parent_event_id=parent,
        started_at=nanoseconds(first_text(said, "creationtime") or first_text(row, "timestamp", "timegenerated")),
        ended_at=nanoseconds(first_text(said, "completiontime")),
        tool=tool if kind == "tool_call" else None,
        arguments=arguments,
        result=result,
        status=status,
        error=error,
        model=_model(said),
        principal=named.principal or own or first_text(row, "accountid", "accountobjectid"),
        credential_id=named.credential_id,
        on_behalf_of=named.on_behalf_of or (human if human != own else None),
        source_host=address(first_text(said, "clientaddress", "clientip") or first_text(row, "ipaddress", "srcipaddr")),
        target=target,
        approval="cannot_record" if kind == "tool_call" else None,
        input_tokens=_tokens(said, "input") if kind == "model_call" else None,
        output_tokens=_tokens(said, "output") if kind == "model_call" else None,
        gap="arguments are not in this record" if kind == "tool_call" and arguments is None else None,
        source=record.source,
        source_sha256=record.sha256,
        witness="log",
    )


def _ids(said: Members, row: Members, record: Record) -> tuple[str, str, str | None]:
    """Trace, event and parent. A span that is exported as OTLP as well has its ids there: then both are one step."""
    trace = first_text(said, "traceid")
    span = first_text(said, "opid", "spanid")
    parent = first_text(said, "parentid", "parentspanid")
    if trace is not None and span is not None:
        lower = trace.lower().replace("-", "")
        if _TRACE.fullmatch(lower) and _SPAN.fullmatch(span.lower()):
            above = parent.lower() if parent else None
            return lower, identify("otlp", lower, span.lower()), identify("otlp", lower, above) if above else None
        return trace, identify("agent365", trace, span), identify("agent365", trace, parent) if parent else None
    group = trace or first_text(said, "conversationid", "sessionidentity", "threadid", "requestid")
    own = span or first_text(said, "id") or first_text(row, "reportid") or record.sha256
    return group or own, identify("agent365", own), identify("agent365", parent) if parent else None


def _first(said: Members, *keys: str) -> object:
    return next((said[key] for key in keys if said.get(key) not in (None, "")), None)


def _model(said: Members) -> str | None:
    details = items(said.get("modeltransparencydetails"))
    named = next((name for d in details if (name := first_text(d, "modelname"))), None)
    return named or first_text(said, "genairesponsemodel", "genairequestmodel", "modelname", "model")


def _tokens(said: Members, side: str) -> int | None:
    keys = (f"genaiusage{side}tokens", f"{side}tokens", f"{side}tokensused", f"{side}tokencount")
    return next((found for key in keys if (found := count(said.get(key))) is not None), None)


def _outcome(said: Members) -> tuple[Status, str | None]:
    code = first_text(said, "errorcode", "errortype")
    why = first_text(said, "errormessage") or code
    if why is not None and code not in ("0", "None"):
        return ("denied" if code in _REFUSED else "error"), why
    stated = (first_text(said, "resultstatus", "status", "statuscode") or "").lower()
    if stated in ("failed", "failure", "error", "2", "status_code_error"):
        return "error", only({"ResultStatus": stated})
    # Without an error nothing proves success; that it has ended is what the record says.
    ended = "completiontime" in said or stated in ("success", "succeeded", "ok", "1")
    return ("ok" if ended else "unknown"), None
