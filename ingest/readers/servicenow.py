"""ServiceNow AI Agent execution plans: table rows (REST answers or exports) and evaluation documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from ingest.event import Observation, Rejected
from ingest.payloads import read
from ingest.readers import reader
from ingest.readers._members import Members, elements_of, members_of, part, raws_in
from ingest.readers._servicenow_plan import Plan, Row, rows_under
from ingest.records import Record

_EVALUATION: Final = {"executionPlanDetails", "executionMessages", "executionInputs", "executionOutputs"}
_DOCUMENT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


def _payload(first: object) -> Members:
    """The evaluation's payload, wherever its wrapping stops."""
    for path in (("output", "payload"), ("payload",), ("result", "output", "payload"), ()):
        found = part({"": first}, "", *path)
        if len(_EVALUATION & found.keys()) > 1:
            return found
    return {}


def _is_row(value: object) -> bool:
    if not isinstance(value, dict) or "sys_id" not in value:
        return False
    if "execution_plan" in value or "execution_task" in value or {"objective", "usecase"} <= value.keys():
        return True
    named = [value.get("sys_class_name"), value.get("__table"), value.get("table")]
    named += [member.get("link") for member in value.values() if isinstance(member, dict)]
    return any(isinstance(name, str) and "sn_aia_" in name for name in named)


def _claims(first: object) -> bool:
    rows = first.get("result") if isinstance(first, dict) and "result" in first else first
    if isinstance(first, dict) and "records" in first and "result" not in first:
        rows = first["records"]
    return bool(_payload(first)) or any(_is_row(row) for row in (rows if isinstance(rows, list) else [rows])[:8])


@reader(claims=_claims)
def servicenow(records: Iterable[Record]) -> Iterator[Observation | Rejected]:
    """ServiceNow AI Agent execution plans: plan, task, tool and message rows.

    A tool that ran in autonomous mode was let through automatically; one that ran supervised has an approval
    where the row states the user's answer.
    """
    for record in records:
        whole = members_of(record) if record.raw[:1] == b"{" else {}
        if isinstance(whole, dict) and _payload(whole):
            yield from _evaluation(record, _payload(whole))
            continue
        plan = Plan(None, None)
        for element in elements_of(record, "result", "records"):
            row = members_of(element)
            if isinstance(row, Rejected):
                yield row
            elif not row:
                yield Rejected(element.line, "a row without members; export the table again")
            else:
                plan.add(element, Row(row))
        yield from plan.out


def _evaluation(record: Record, payload: Members) -> Iterator[Observation | Rejected]:
    """One run: its plan's details and its messages, which have no order but the list's."""
    details = Row(part(payload, "executionPlanDetails"))
    plan = Plan(details.id("sysid", "executionplanid", "executionplan", "planid", "id"), details)
    plan.begin(record, payload.get("executionInputs"), payload.get("executionOutputs"))
    for row in rows_under(details):
        plan.add(record, row, records=0)
    messages = payload.get("executionMessages")
    for element in _messages(record, messages):
        said = members_of(element)
        if isinstance(said, Rejected):
            plan.out.append(said)
        else:
            plan.add(element, Row(said), is_message=True)
    yield from plan.out


def _messages(record: Record, messages: object) -> Iterator[Record]:
    """Each message with its own line, found again in the document's text."""
    if not isinstance(messages, list) or not messages:
        return
    held, path = read(_DOCUMENT, record.raw) or {}, ("result", "output", "payload")
    for key in path:
        if key in held:
            held = read(_DOCUMENT, held[key]) or held
    yield from record.elements(raws_in(held.get("executionMessages")))
