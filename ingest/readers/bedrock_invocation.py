"""Amazon Bedrock model invocation logs: each call of a model, and the tools that its messages ask for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Final

import msgspec

from ingest.arguments import named_in
from ingest.decisions import normalised
from ingest.event import Observation, Rejected, Status, identify
from ingest.joins import joined_by
from ingest.payloads import as_text, read
from ingest.readers import reader
from ingest.readers._aws_envelope import objects_in, parts, role_of
from ingest.readers._bedrock_messages import answers_in, gist, messages_in, reply_in, usage_in, uses_in
from ingest.records import Record
from ingest.times import moment


class _Identity(msgspec.Struct):
    arn: str | None = None


class _Body(msgspec.Struct, rename="camel"):
    """The request's or the response's side of a record."""

    input_body_json: msgspec.Raw = msgspec.Raw()
    output_body_json: msgspec.Raw = msgspec.Raw()
    input_body_s3_path: str | None = msgspec.field(name="inputBodyS3Path", default=None)
    output_body_s3_path: str | None = msgspec.field(name="outputBodyS3Path", default=None)
    input_token_count: int | None = None
    output_token_count: int | None = None


class _Log(msgspec.Struct, rename="camel"):
    schema_type: str
    timestamp: str | int | float | None = None
    account_id: str | None = None
    identity: _Identity | None = None
    request_id: str | None = None
    operation: str | None = None
    model_id: str | None = None
    error_code: str | None = None
    input: _Body | None = None
    output: _Body | None = None
    request_metadata: msgspec.Raw = msgspec.Raw()


_LOG: Final = msgspec.json.Decoder(_Log, strict=False)
_ANY: Final = msgspec.json.Decoder()
_SESSION_KEYS: Final = (
    "sessionid", "session", "conversationid", "threadid", "runid", "executionid", "traceid",
)  # fmt: skip
_AGENT_KEYS: Final = ("agentid", "agentname", "agent", "agentarn")
_HUMAN_KEYS: Final = ("userid", "user", "enduser", "onbehalfof", "useremail")
_BETWEEN: Final = 1000
"""Numbers left between two messages, for the calls that one message asks for."""


def is_event(keys: Collection[str]) -> bool:
    return "schemaType" in keys and any(key in keys for key in ("modelId", "requestId", "operation"))


def claims(first: object) -> bool:
    """`schemaType` is ModelInvocationLog."""
    return any(is_event(found) and found["schemaType"] == "ModelInvocationLog" for found in objects_in(first))


@reader(claims=claims, by_line=True)
def bedrock_invocation(records: Iterable[Record]) -> Iterator[Observation | Rejected]:
    """Amazon Bedrock model invocation logs, from S3 or CloudWatch.

    A record is a model call. The tools that its answer asks for are calls of their own, known by the model's
    tool-use ids; their results stand in a later request. A conversation is known by its first question and
    first answer, which every later request repeats: one identity may run many conversations at once.
    """
    for record in records:
        for part in parts(record, is_event):
            if isinstance(part, Rejected):
                yield part
                continue
            log = part.record.decode(_LOG)
            if isinstance(log, Rejected):
                yield log
            elif log.schema_type != "ModelInvocationLog":
                yield Rejected(
                    part.record.line, f"schemaType {log.schema_type[:80]} is no ModelInvocationLog; name its own log"
                )
            else:
                yield from _observations(log, part.record)


def _observations(log: _Log, record: Record) -> Iterator[Observation]:
    request, answer = log.input or _Body(), log.output or _Body()
    asked, told = read(_ANY, request.input_body_json), read(_ANY, answer.output_body_json)
    messages, reply = messages_in(asked), reply_in(told)
    about = _metadata(log.request_metadata)
    arn = log.identity.arn if log.identity else None
    at = moment(log.timestamp)
    call = Observation(
        event_id=identify("bedrock_invocation", log.request_id or record.sha256),
        trace_id=_conversation(log, record, messages, reply),
        kind="model_call",
        operation=log.operation or "InvokeModel",
        session_id=_first(about, _SESSION_KEYS),
        agent_id=_first(about, _AGENT_KEYS) or role_of(arn),
        sequence=len(messages) * _BETWEEN if messages else None,
        started_at=at,
        arguments=as_text(asked) if asked is not None else None,
        result=_result(told, reply),
        model=log.model_id,
        principal=arn,
        on_behalf_of=_first(about, _HUMAN_KEYS),
        gap=_gap(request, answer, asked is not None, told is not None or log.error_code is not None),
        source=record.source,
        source_sha256=record.sha256,
        witness="log",
    )
    call.status, call.error = _ending(log, told)
    taken, given = usage_in(told)
    call.input_tokens = request.input_token_count if request.input_token_count is not None else taken
    call.output_tokens = answer.output_token_count if answer.output_token_count is not None else given
    yield call
    for place, use in enumerate(uses_in(reply), 1):
        step = _tool_call(call, use.id, use.name, use.arguments)
        step.parent_event_id, step.started_at, step.status = call.event_id, at, "pending"
        step.sequence = call.sequence + place if call.sequence is not None else None
        yield step
    yield from _answered(call, messages)


def _answered(call: Observation, messages: list[dict[str, object]]) -> Iterator[Observation]:
    """The tools whose results this request is the first to tell: those after the last assistant message."""
    last = max((place for place, m in enumerate(messages) if m.get("role") == "assistant"), default=None)
    if last is None:
        return
    answers = {answer.id: answer for message in messages[last + 1 :] for answer in answers_in(message)}
    for place, use in enumerate(uses_in(messages[last]), 1):
        answer = answers.get(use.id)
        if answer is not None:
            step = _tool_call(call, use.id, use.name, use.arguments)
            step.sequence, step.ended_at = last * _BETWEEN + place, call.started_at
            step.result, step.status = answer.result, "error" if answer.is_error else "ok"
            step.error = answer.result[:500] if answer.is_error else None
            yield step


def _tool_call(call: Observation, identity: str, name: str, arguments: str) -> Observation:
    named = named_in(arguments)
    return Observation(
        event_id=identify("bedrock_invocation", call.trace_id, identity),
        trace_id=call.trace_id,
        kind="tool_call",
        operation="toolUse",
        session_id=call.session_id,
        agent_id=call.agent_id,
        tool=name,
        arguments=arguments,
        target=named.target,
        credential_id=named.credential_id,
        principal=named.principal,
        on_behalf_of=call.on_behalf_of,
        approval="cannot_record",
        source=call.source,
        source_sha256=call.source_sha256,
        joins=joined_by(call=identity),
        witness="message",
        records=0,
    )


def _conversation(log: _Log, record: Record, messages: list[dict[str, object]], reply: dict[str, object] | None) -> str:
    """The identity with its first question and first answer; a request without messages stands alone."""
    if not messages:
        return identify("bedrock_invocation", log.request_id or record.sha256)
    opening = next((place for place, m in enumerate(messages) if m.get("role") == "assistant"), None)
    first = messages[opening] if opening is not None else reply
    question = " ".join(gist(m) for m in messages[: opening if opening is not None else len(messages)])
    arn = log.identity.arn if log.identity else None
    if first is None:
        return identify("bedrock_invocation", arn, question, log.request_id or record.sha256)
    return identify("bedrock_invocation", arn, question, gist(first))


def _result(told: object, reply: dict[str, object] | None) -> str | None:
    if isinstance(told, list) and reply is not None:
        return as_text(reply)
    return as_text(told) if told is not None else None


def _ending(log: _Log, told: object) -> tuple[Status, str | None]:
    if log.error_code:
        is_denied = "AccessDenied" in log.error_code or "Unauthorized" in log.error_code
        return "denied" if is_denied else "error", log.error_code
    for piece in told if isinstance(told, list) else [told]:
        if isinstance(piece, dict):
            stop = piece.get("messageStop")
            reason = stop.get("stopReason") if isinstance(stop, dict) else piece.get("stopReason")
            if reason == "guardrail_intervened" or piece.get("amazon-bedrock-guardrailAction") == "INTERVENED":
                return "denied", "guardrail intervened"
    return ("ok", None) if told is not None else ("unknown", None)


def _gap(request: _Body, answer: _Body, has_request: bool, has_answer: bool) -> str | None:
    found = []
    if not has_request:
        found.append(
            f"arguments only in {request.input_body_s3_path}" if request.input_body_s3_path else "no arguments"
        )
    if not has_answer:
        found.append(f"result only in {answer.output_body_s3_path}" if answer.output_body_s3_path else "no result")
    return "; ".join(found) or None


def _metadata(raw: msgspec.Raw) -> dict[str, object]:
    value = read(_ANY, raw)
    return normalised(value) if isinstance(value, dict) else {}


def _first(about: dict[str, object], keys: tuple[str, ...]) -> str | None:
    found = (about.get(key) for key in keys)
    return next((value for value in found if isinstance(value, str) and value), None)
