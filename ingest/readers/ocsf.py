"""OCSF events, version 1.x: what other tools normalised, with the profile for AI operations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ingest.event import Observation, Rejected
from ingest.readers import reader
from ingest.readers._members import elements_of, members_of
from ingest.readers._ocsf_event import observe
from ingest.records import Record

_BESIDE = {"activity_id", "category_uid", "type_uid", "metadata", "time", "severity_id"}


def _claims(first: object) -> bool:
    if isinstance(first, list):
        return bool(first) and _claims(first[0])
    if not isinstance(first, dict) or isinstance(first.get("class_uid"), dict | list):
        return False
    return "class_uid" in first and bool(_BESIDE & first.keys()) and "attributes" not in first


@reader(claims=_claims, by_line=True)
def ocsf(records: Iterable[Record]) -> Iterator[Observation | Rejected]:
    """OCSF events: API, process, network, sign-in and account activity; findings as notes beside them.

    An event with a model and no tool is a model call. What a policy let through is automatic, what it
    stopped is denied; the schema has no place for a person's approval.
    """
    for record in records:
        for element in elements_of(record, "events", "Events"):
            event = members_of(element)
            if isinstance(event, Rejected):
                yield event
            elif "class_uid" not in event:
                yield Rejected(element.line, "no class_uid: not an OCSF event; remove it and ingest again")
            else:
                yield observe(element, event)
