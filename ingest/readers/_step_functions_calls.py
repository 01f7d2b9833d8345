"""What a task of a state machine calls: its tool, its target, its model, and whether it waits for a decision."""

from __future__ import annotations

import re
from typing import Final

from ingest.arguments import named_in, scalars_in
from ingest.decisions import decides
from ingest.event import Kind
from ingest.payloads import as_text, value_of

_SUFFIX: Final = re.compile(r"\.(sync(:\d+)?|waitForTaskToken)$")
_MODEL: Final = re.compile(r"invokemodel\w*|converse\w*", re.IGNORECASE)
_TARGETS: Final = (
    "apiendpoint", "statemachinearn", "functionname", "topicarn", "queueurl", "tablename", "clusterarn", "cluster",
    "jobname", "projectname", "secretid", "bucket", "modelid",
)  # fmt: skip
_NAMES: Final = ("functionname", "queueurl", "topicarn", "statemachinearn", "subject", "title")
_BODIES: Final = ("MessageBody", "Payload", "Message", "Input", "RequestBody", "Detail")
_DECIDING: Final = re.compile(r"\b(approv|authori[sz]|confirm|reject)", re.IGNORECASE)
_VERDICT_KEYS: Final = frozenset(
    ("approved", "isapproved", "approval", "approvalstatus", "decision", "verdict", "rejected")
)
_LONGEST_MESSAGE: Final = 300


def last_name(arn: str) -> str:
    """The function's or activity's own name, of an ARN or a bare name."""
    fields = arn.split(":")
    if len(fields) >= 7 and fields[0] == "arn":
        return fields[6]
    return arn


def task_name(resource_type: str | None, resource: str | None, parameters: str | None) -> str | None:
    """`sqs:sendMessage`; for a Lambda the function's name; the waiting pattern is no part of it."""
    action = _SUFFIX.sub("", resource or "")
    service = (resource_type or "").removeprefix("aws-sdk:")
    if service == "lambda" and action.lower() == "invoke":
        function = _member(parameters, ("functionname",))
        if function:
            return last_name(function)
    return ":".join(part for part in (service, action) if part) or None


def kind_of(tool: str | None) -> Kind:
    service, _, action = (tool or "").partition(":")
    if service.startswith("bedrock") and _MODEL.fullmatch(action):
        return "model_call"
    if service in ("states", "sfn") and action.lower() in ("startexecution", "startsyncexecution"):
        return "handoff"
    return "tool_call"


def target_in(parameters: str | None) -> str | None:
    return _member(parameters, _TARGETS) or named_in(parameters).target


def waits_for_decision(state: str | None, resource: str, parameters: str | None) -> bool:
    """Whether a task that waits for its token asks somebody: by its state's, its channel's or its message's name."""
    if decides(state or "") or decides(last_name(resource)):
        return True
    for key, value in scalars_in(parameters):
        if key in _NAMES and decides(re.split(r"[:/]", value)[-1]):
            return True
        if key in ("subject", "message", "text", "messagebody") and _DECIDING.search(value[:_LONGEST_MESSAGE]):
            return True
    return False


def is_verdict(output: str | None) -> bool:
    """Whether an answer has a member for a verdict."""
    said = value_of(output)
    return isinstance(said, dict) and any(
        str(key).lower().replace("_", "").replace("-", "") in _VERDICT_KEYS for key in said
    )


def asked(parameters: str | None) -> str | None:
    """What a decision was asked about: the message's body inside the call that sent it."""
    given = value_of(parameters)
    if not isinstance(given, dict):
        return parameters
    for key in _BODIES:
        body = given.get(key)
        inside = value_of(body) if isinstance(body, str) else body
        if isinstance(inside, dict):
            return as_text(inside)
    return parameters


def tokens_in(output: str | None) -> tuple[int | None, int | None]:
    """Input and output tokens that a model's answer counts, in either spelling."""
    answer = value_of(output)
    for _ in range(2):
        if isinstance(answer, dict):
            usage = answer.get("usage", answer.get("Usage"))
            if isinstance(usage, dict):
                counts = {str(k).lower().replace("_", ""): v for k, v in usage.items()}
                found = [counts.get("inputtokens"), counts.get("outputtokens")]
                taken, given = (v if isinstance(v, int) and 0 <= v < 1 << 63 else None for v in found)
                return taken, given
            answer = answer.get("Body")
            answer = value_of(answer) if isinstance(answer, str) else answer
    return None, None


def model_in(parameters: str | None) -> str | None:
    return _member(parameters, ("modelid",))


def _member(parameters: str | None, keys: tuple[str, ...]) -> str | None:
    found: dict[str, str] = {}
    for key, value in scalars_in(parameters):
        found.setdefault(key, value)
    return next((found[key] for key in keys if key in found), None)
