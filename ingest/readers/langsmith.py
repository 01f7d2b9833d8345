"""LangSmith runs: the traces of LangChain and LangGraph agents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from ingest.event import Observation, Rejected
from ingest.readers import reader
from ingest.readers._export_fields import REMEDY, opened
from ingest.readers._langsmith_pauses import Pauses
from ingest.readers._langsmith_run import RUN_TYPES, run
from ingest.records import Record

_LINKS: Final = {"dotted_order", "trace_id", "parent_run_id", "child_runs", "session_name"}


def _claims(first: object) -> bool:
    if isinstance(first, list):
        return bool(first) and all(_claims(part) for part in first)
    if not isinstance(first, dict):
        return False
    if isinstance(first.get("runs"), list) and "run_type" not in first:
        return _claims(first["runs"])
    return first.get("run_type") in RUN_TYPES and "id" in first and bool(_LINKS & first.keys())


@reader(claims=_claims)
def langsmith(records: Iterable[Record]) -> Iterator[Observation | Rejected]:
    """LangSmith runs: lines, arrays, `{"runs": [...]}` pages and bulk-export rows.

    A `GraphInterrupt` is a pause and no error: the call waits. What a person answers starts a trace of its
    own, whose root's input holds the answer; where its words decide something it is an approval of the call
    that waited in the same thread, and otherwise a message.
    """
    pauses = Pauses()
    for found in opened(records, "runs", own="run_type"):
        if isinstance(found, Rejected):
            yield found
            continue
        record, fields = found
        said = run(record, fields)
        if said is None:
            yield Rejected(record.line, f"a run without an id or a run_type; {REMEDY}")
            continue
        pauses.look(said, fields, record)
        yield said
    yield from pauses.settled()
