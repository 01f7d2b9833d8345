"""A person who is asked by a tool: the call says what for, its result who decided and how.

Most agent frameworks have no place for approvals of their own; there the agent calls `request_approval`, `ask_human` or
a chat's buttons, and the person's answer is the tool's output. Such a call is no action. It is a decision, and is
judged as one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any, Final

import duckdb
import msgspec

from detect.step import Step, steps_in_time
from detect.toolnames import says
from ingest.arguments import named_in

_ASKS: Final = re.compile(
    r"(?:(?<!t)ask|request|await|wait|require|need|seek|obtain|prompt)[\w.-]*(?:human|person|operator|approv|confirm|permission"
    r"|sign_?off)|human[\w.-]*(?:loop|input|approv|decision|review|confirm|feedback|gate)"
    r"|(?<![a-z])(?:ask|consult)[\w.-]*(?:officer|on_?call|manager|owner|supervisor|reviewer|duty)"
    r"|(?:officer|manager|owner|supervisor|duty|on_?call)[\w.-]*[_.-]ask(?![a-z])"
    r"|approval(?![\w.-]*(?:list|search|polic|rule|creat|update|delete|set))\b|approval_?(?:request|gate|step|prompt)",
    re.IGNORECASE,
)
_IS_A_PERSONS: Final = re.compile(r"human|person|operator|approv|sign_?off", re.IGNORECASE)
_KEYS_OF_DECISION: Final = (
    "decision", "approved", "approval", "verdict", "outcome", "answer", "response", "reply", "granted", "confirmed",
    "status", "state", "result",
)  # fmt: skip
_KEYS_OF_WHO: Final = (
    "answered_by", "answeredby", "approver", "approved_by", "approvedby", "decided_by", "decidedby", "by", "reviewer",
    "reviewed_by", "responder", "respondent", "responded_by", "human", "operator", "user", "email", "who",
)  # fmt: skip
_ANSWERED: Final = re.compile(
    r'"(?:approver|(?:answered|approved|decided|reviewed|responded|denied|rejected)_?by)"\s*:\s*"', re.IGNORECASE
)
_ANSWERS: Final = ("answer", "decision", "approved", "approval", "verdict")
_KEYS_OF_TOOL: Final = ("tool", "tool_name", "toolname", "action", "function", "function_name", "operation", "call")
_YES: Final = re.compile(
    r"\s*(?:approved?|yes|y|granted?|accept(?:ed)?|allow(?:ed)?|confirm(?:ed)?|true|go ahead)\b", re.I
)
_NO: Final = re.compile(
    r"\s*(?:den(?:y|ied)|reject(?:ed)?|no|n|declined?|refused?|false|cancel(?:led|ed)?)\b", re.IGNORECASE
)
_TOOL_NAME: Final = re.compile(r"[A-Za-z][\w.:/-]{0,120}")
_LONGEST: Final = 1 << 16


def steps_and_decisions(connection: duckdb.DuckDBPyConnection, after: date | None = None) -> Iterator[Step]:
    """`detect.step.steps_in_time`, each call that asked a person as the decision that it brought."""
    return map(as_decision, steps_in_time(connection, after))


def as_decision(step: Step) -> Step:
    """The call as the decision that it brought; as a look at something where nobody has answered yet, whatever its
    arguments ask for: to ask is not to do. The step as it is where it asks nobody, or its name says that it acts."""
    if step.kind != "tool_call":
        return step
    if not says(_ASKS, step.tool):
        return (_decided(step) if _is_answer(step) else None) or step
    decided = _decided(step) if step.result else None
    if decided is not None or (step.is_sure and step.is_privileged):
        return decided or step
    return msgspec.structs.replace(step, capability="read", is_sure=True)


def _is_answer(step: Step) -> bool:
    """Whether a tool of any name brought a decision: the call names a tool and its arguments, the result an answer and
    whose it is. That something was done, and by whom, is no answer."""
    if not step.result or not step.arguments or "{" not in step.arguments[1:]:
        return False
    if _ANSWERED.search(step.result) is None:
        return False
    asked, said = _members(step.arguments), _members(step.result)
    names_a_tool = any(isinstance(asked.get(key), str) for key in _KEYS_OF_TOOL)
    decides = any(_decision(said.get(key)) is not None for key in _ANSWERS)
    return names_a_tool and decides and any(isinstance(value, dict) for value in asked.values())


def _decided(step: Step) -> Step | None:
    said = _members(step.result)
    answer = next((value for key in _KEYS_OF_DECISION if (value := said.get(key)) is not None), None)
    if answer is None and not said:
        answer = (step.result or "").strip('"')
    approval = _decision(answer)
    if approval is None:
        return None
    who = next((value for key in _KEYS_OF_WHO if isinstance(value := said.get(key), str) and value), None)
    if who is None and not says(_IS_A_PERSONS, step.tool):
        return None  # `request_permission` may be answered by a system
    asked = _members(step.arguments)
    tool = next((v for key in _KEYS_OF_TOOL if isinstance(v := asked.get(key), str) and _TOOL_NAME.fullmatch(v)), None)
    inner = next((value for value in asked.values() if isinstance(value, dict)), None)
    arguments = step.arguments if inner is None else msgspec.json.encode(inner).decode()
    return msgspec.structs.replace(
        step,
        kind="approval",
        operation="approval",
        tool=tool,
        capability=None,
        target=named_in(arguments).target,
        approval=approval,
        approver=who,
        arguments=arguments,
        result=None,
        gives=False,
    )


def _decision(answer: object) -> str | None:
    if isinstance(answer, bool):
        return "approved" if answer else "denied"
    if not isinstance(answer, str):
        return None
    if _YES.match(answer):
        return "approved"
    return "denied" if _NO.match(answer) else None


def _members(payload: str | None) -> dict[str, Any]:
    if not payload or payload[0] != "{" or len(payload) > _LONGEST:
        return {}
    try:
        decoded = msgspec.json.decode(payload, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError):
        return {}
    return {key.lower(): value for key, value in decoded.items()}
