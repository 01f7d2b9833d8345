"""Google ADK sessions: session exports, event lines, table rows, Vertex AI session events, eval sets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ingest.event import Observation, Rejected
from ingest.readers import reader
from ingest.readers._adk_session import Run
from ingest.readers._adk_shape import Sessions, claims
from ingest.records import Record


@reader(claims=claims)
def adk(records: Iterable[Record]) -> Iterator[Observation | Rejected]:
    """Google ADK sessions: session JSON, bare events, rows of the events table, Vertex listings, eval sets.

    An agent's event is a model call, each function call in it a step of its own, joined by id with its
    response. `adk_request_confirmation` and its answer are one approval of the call that they name; the
    placeholder response that a tool gives while it waits is not its result. Order is the events' time with
    their ids, as stores list the same run differently; the trace is the invocation, which every export names.
    """
    for session in Sessions().of(records):
        if isinstance(session, Rejected):
            yield session
        else:
            yield from Run(session).observations()
