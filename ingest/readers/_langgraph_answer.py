"""How a human answers a LangGraph interrupt: free text, an object, or the decisions of LangChain's middleware."""

from __future__ import annotations

from typing import Final

import msgspec

from ingest.decisions import decision
from ingest.event import Approval, Status
from ingest.payloads import as_text

_TYPES: Final[dict[object, Approval]] = {
    "approve": "approved", "approved": "approved", "accept": "approved", "edit": "approved",
    "reject": "denied", "rejected": "denied", "ignore": "denied", "deny": "denied",
}  # fmt: skip
STATUS: Final[dict[Approval, Status]] = {"approved": "ok", "automatic": "ok", "denied": "denied", "pending": "pending"}


class Answer(msgspec.Struct, frozen=True):
    """One answer to one question; `approval` is `not_recorded` where the words decide nothing."""

    interrupt_id: str | None
    approval: Approval
    approver: str | None
    tool: str | None
    said: str


def answers(resume: object) -> list[Answer]:
    """What a `Command(resume=...)` says. A map by interrupt ids, or a list of decisions, holds several."""
    if isinstance(resume, dict) and resume and all(_is_interrupt_id(key) for key in resume):
        return [_with_id(str(key), answer) for key, value in resume.items() for answer in answers(value)]
    listed = resume.get("decisions") if isinstance(resume, dict) else resume
    if isinstance(listed, list) and listed and all(isinstance(part, dict) and "type" in part for part in listed):
        return [_typed(part) for part in listed]
    text = as_text(resume)
    said = decision("resume", [text], None)
    return [Answer(None, said.approval, said.approver, said.tool, text)]


def _typed(part: dict[str, object]) -> Answer:
    text = as_text(part)
    kind = part["type"]
    said = decision("resume", [as_text({key: value for key, value in part.items() if key == "by"})], None)
    known = _TYPES.get(kind.lower() if isinstance(kind, str) else None, "not_recorded")
    return Answer(None, known, said.approver, None, text)


def _with_id(interrupt_id: str, answer: Answer) -> Answer:
    return Answer(interrupt_id, answer.approval, answer.approver, answer.tool, answer.said)


def _is_interrupt_id(key: object) -> bool:
    return isinstance(key, str) and len(key) == 32 and all(c in "0123456789abcdef" for c in key)
