"""Trace parts of Bedrock Agents as typed values, out of whatever the InvokeAgent response was saved as."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import msgspec

from ingest.event import Rejected
from ingest.payloads import as_text, read
from ingest.readers._aws_envelope import Members, Part

SORTS: Final = (
    "preProcessingTrace",
    "orchestrationTrace",
    "postProcessingTrace",
    "routingClassifierTrace",
    "guardrailTrace",
    "customOrchestrationTrace",
    "failureTrace",
)


def is_event(keys: Collection[str]) -> bool:
    """A trace part, or another piece of an InvokeAgent response or request."""
    return any(key in keys for key in ("trace", "returnControl", "chunk", "sessionState", *SORTS))


def is_trace(value: object) -> bool:
    """A decoded trace part: one of the seven traces stands in it, at most two objects down."""
    for _ in range(3):
        if not isinstance(value, dict):
            return False
        if any(isinstance(value.get(sort), dict) for sort in SORTS):
            return True
        value = value.get("trace")
    return False


def is_return(value: dict[str, object]) -> bool:
    """A decoded hand-back to the caller."""
    inside = value.get("returnControl")
    return isinstance(inside, dict) and "invocationInputs" in inside


class Usage(msgspec.Struct, rename="camel"):
    input_tokens: int | None = None
    output_tokens: int | None = None


class Metadata(msgspec.Struct, rename="camel"):
    usage: Usage | None = None
    start_time: str | int | float | None = None
    end_time: str | int | float | None = None


class Parameter(msgspec.Struct):
    name: str = ""
    value: object = None


class RequestBody(msgspec.Struct):
    content: dict[str, list[Parameter]] = {}


class Action(msgspec.Struct, rename="camel"):
    """An action group's call, in the trace and in the hand-back, which spell it differently."""

    action_group_name: str | None = None
    action_group: str | None = None
    function: str | None = None
    api_path: str | None = None
    verb: str | None = None
    http_method: str | None = None
    parameters: list[Parameter] | None = None
    request_body: RequestBody | None = None
    execution_type: str | None = None
    invocation_id: str | None = None
    action_invocation_type: str | None = None
    confirmation_state: str | None = None


class Lookup(msgspec.Struct, rename="camel"):
    text: str | None = None
    knowledge_base_id: str | None = None


class Collaborator(msgspec.Struct, rename="camel"):
    agent_collaborator_name: str | None = None
    agent_collaborator_alias_arn: str | None = None
    input: msgspec.Raw = msgspec.Raw()
    output: msgspec.Raw = msgspec.Raw()
    metadata: Metadata | None = None


class Code(msgspec.Struct, rename="camel"):
    code: str | None = None
    execution_output: str | None = None
    execution_error: str | None = None
    execution_timeout: bool | None = None
    metadata: Metadata | None = None


class Said(msgspec.Struct, rename="camel"):
    text: str | None = None
    metadata: Metadata | None = None
    trace_id: str | None = None


class Found(msgspec.Struct, rename="camel"):
    retrieved_references: msgspec.Raw = msgspec.Raw()
    metadata: Metadata | None = None


class ModelInput(msgspec.Struct, rename="camel"):
    trace_id: str | None = None
    text: str | None = None
    type: str | None = None
    foundation_model: str | None = None


class ModelOutput(msgspec.Struct, rename="camel"):
    trace_id: str | None = None
    raw_response: msgspec.Raw = msgspec.Raw()
    parsed_response: msgspec.Raw = msgspec.Raw()
    metadata: Metadata | None = None


class InvocationInput(msgspec.Struct, rename="camel"):
    trace_id: str | None = None
    invocation_type: str | None = None
    action: Action | None = msgspec.field(name="actionGroupInvocationInput", default=None)
    lookup: Lookup | None = msgspec.field(name="knowledgeBaseLookupInput", default=None)
    collaborator: Collaborator | None = msgspec.field(name="agentCollaboratorInvocationInput", default=None)
    code: Code | None = msgspec.field(name="codeInterpreterInvocationInput", default=None)


class Seen(msgspec.Struct, rename="camel"):
    """What the agent observed of an invocation."""

    trace_id: str | None = None
    type: str | None = None
    action: Said | None = msgspec.field(name="actionGroupInvocationOutput", default=None)
    lookup: Found | None = msgspec.field(name="knowledgeBaseLookupOutput", default=None)
    collaborator: Collaborator | None = msgspec.field(name="agentCollaboratorInvocationOutput", default=None)
    code: Code | None = msgspec.field(name="codeInterpreterInvocationOutput", default=None)
    final: Said | None = msgspec.field(name="finalResponse", default=None)
    reprompt: Said | None = msgspec.field(name="repromptResponse", default=None)


class Trace(msgspec.Struct, rename="camel"):
    """Any of the seven traces; one of the members is there."""

    trace_id: str | None = None
    model_invocation_input: ModelInput | None = None
    model_invocation_output: ModelOutput | None = None
    rationale: Said | None = None
    invocation_input: InvocationInput | None = None
    observation: Seen | None = None
    action: str | None = None
    failure_reason: str | None = None
    failure_code: int | None = None
    event: Said | None = None


class Caller(msgspec.Struct, rename="camel"):
    agent_alias_arn: str | None = None


class TracePart(msgspec.Struct, rename="camel"):
    agent_id: str | None = None
    agent_version: str | None = None
    session_id: str | None = None
    collaborator_name: str | None = None
    caller_chain: list[Caller] | None = None
    event_time: str | int | float | None = None
    trace: msgspec.Raw = msgspec.Raw()
    return_control: msgspec.Raw = msgspec.Raw()
    chunk: msgspec.Raw = msgspec.Raw()
    session_state: msgspec.Raw = msgspec.Raw()


PART: Final = msgspec.json.Decoder(TracePart, strict=False)
TRACE: Final = msgspec.json.Decoder(Trace, strict=False)
ACTION: Final = msgspec.json.Decoder(Action, strict=False)
_MEMBERS: Final = msgspec.json.Decoder(Members)
_TEXT: Final = msgspec.json.Decoder(str)


def trace_part(part: Part) -> tuple[TracePart, str, Trace] | TracePart | Rejected:
    """A part with its trace and the trace's sort; without one it is another piece of the conversation."""
    record = part.record
    members = record.decode(_MEMBERS)
    if isinstance(members, Rejected):
        return members
    head = TracePart()
    for _ in range(3):
        sort = next((sort for sort in SORTS if sort in members), None)
        if sort is not None:
            trace = next(record.elements([members[sort]])).decode(TRACE)
            return trace if isinstance(trace, Rejected) else (_with_session(head, part.around), sort, trace)
        decoded = record.decode(PART)
        if isinstance(decoded, Rejected):
            return decoded
        head = decoded
        if bytes(head.trace)[:1] != b"{":
            break
        record = next(record.elements([head.trace]))
        inner = record.decode(_MEMBERS)
        if isinstance(inner, Rejected):
            return inner
        members = inner
    if not any(bytes(raw) for raw in (head.return_control, head.chunk, head.session_state)):
        return Rejected(part.record.line, "a trace of an unknown sort; update custodiet, or remove the record")
    return _with_session(head, part.around)


def _with_session(head: TracePart, around: Members) -> TracePart:
    if head.session_id is None and "sessionId" in around:
        head.session_id = read(_TEXT, around["sessionId"])
    return head


def tool_of(action: Action) -> str | None:
    """The function; of an API the method and path; else the group."""
    if action.function:
        return action.function
    if action.api_path:
        return f"{(action.verb or action.http_method or '').upper()} {action.api_path}".strip()
    return action.action_group_name or action.action_group


def arguments_of(action: Action) -> str:
    """Parameters and body as one object."""
    given = {p.name: p.value for p in action.parameters or ()}
    body = action.request_body
    if body is not None:
        given |= {p.name: p.value for parameters in body.content.values() for p in parameters}
    return as_text(given)
