"""Langfuse exports: observations and traces, from the API or from blob storage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from ingest.event import Observation, Rejected
from ingest.payloads import read
from ingest.readers import reader
from ingest.readers._export_fields import REMEDY, opened
from ingest.readers._langfuse_observation import TYPES, Above, observation, trace
from ingest.records import Record

_ELEMENTS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_TRACE_SIGNS: Final = {"htmlPath", "projectId", "project_id", "observations", "bookmarked", "release"}


def _claims(first: object) -> bool:
    if isinstance(first, list):
        return bool(first) and all(_claims(part) for part in first)
    if not isinstance(first, dict):
        return False
    kind = first.get("type")
    if isinstance(kind, str) and kind in TYPES and {"traceId", "trace_id"} & first.keys():
        return bool({"startTime", "start_time"} & first.keys())
    if "id" in first and "timestamp" in first and _TRACE_SIGNS & first.keys() and "run_type" not in first:
        nested = first.get("observations")
        return kind is None and (not isinstance(nested, list) or all(isinstance(o, str) or _claims(o) for o in nested))
    inside = first.get("data", first.get("trace"))
    return "id" not in first and isinstance(inside, list | dict) and _claims(inside)


@reader(claims=_claims)
def langfuse(records: Iterable[Record]) -> Iterator[Observation | Rejected]:
    """Langfuse observations and traces: the API's JSON (camel case), or blob-storage rows (snake case, UTC).

    Generations and embeddings carry the tokens; what other observations say of usage is a total. Langfuse
    has no place for approvals.
    """
    for found in opened(records, "data", "trace", own="id"):
        if isinstance(found, Rejected):
            yield found
            continue
        record, fields = found
        if fields.text("traceId", "trace_id") and fields.text("id") and fields.text("type"):
            yield observation(record, fields, Above())
        elif fields.text("id") and fields.text("type") is None:
            whole = trace(record, fields)
            yield whole
            above = Above(whole.trace_id, whole.session_id, whole.on_behalf_of)
            nested = read(_ELEMENTS, fields.raw.get("observations"))
            for part in opened(_inside(record, nested or []), own="id"):
                if isinstance(part, Rejected):
                    yield part
                elif part[1].text("id") is None:
                    yield Rejected(part[0].line, f"an observation without an id; {REMEDY}")
                else:
                    yield observation(*part, above)
        else:
            yield Rejected(record.line, f"neither a trace nor an observation with its ids; {REMEDY}")


def _inside(record: Record, nested: list[msgspec.Raw]) -> list[Record]:
    """The observations inside a trace, each with its own line; a trace may list only their ids."""
    return [part for part in record.elements(nested) if part.raw[:1] != b'"']
