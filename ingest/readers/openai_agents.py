"""OpenAI Agents SDK traces: what its trace processors export and send to the ingest endpoint."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ingest.event import Observation, Rejected
from ingest.readers import reader
from ingest.readers._export_fields import REMEDY, opened
from ingest.readers._openai_agents_calls import Calls
from ingest.readers._openai_agents_span import span, trace
from ingest.records import Record


def _claims(first: object) -> bool:
    if isinstance(first, list):
        return bool(first) and all(_claims(part) for part in first)
    if not isinstance(first, dict):
        return False
    if first.get("object") == "trace":
        return "workflow_name" in first
    if first.get("object") == "trace.span":
        return "span_data" in first
    return "object" not in first and isinstance(first.get("data"), list) and _claims(first["data"])


@reader(claims=_claims)
def openai_agents(records: Iterable[Record]) -> Iterator[Observation | Rejected]:
    """OpenAI Agents SDK traces: `trace` and `trace.span` objects, a line each or in `data` batches.

    Turns and tasks repeat the tokens of the model calls below them and count none. A tool that waited for an
    approval has two spans, one without output and one after the run went on: they are one call. A trace has
    no place for the decision itself; the SDK keeps it in the run's state.
    """
    calls = Calls()
    for found in opened(records, "data", own="object"):
        if isinstance(found, Rejected):
            yield found
            continue
        record, fields = found
        kind = fields.text("object")
        if kind == "trace" and (trace_id := fields.text("id")):
            yield trace(record, fields, trace_id)
        elif kind == "trace.span" and (trace_id := fields.text("trace_id")) and (span_id := fields.text("id")):
            said = span(record, fields, trace_id, span_id)
            parent = fields.text("parent_id")
            if calls.takes(said, trace_id, span_id, parent, fields.inside("span_data")):
                continue
            yield said
        else:
            yield Rejected(record.line, f"neither a trace nor a span with its ids; {REMEDY}")
    yield from calls.settled()
