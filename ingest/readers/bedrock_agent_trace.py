"""Amazon Bedrock Agents traces: the parts of an InvokeAgent response, as JSON lines, a list or a response."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ingest.event import Observation, Rejected
from ingest.readers import reader
from ingest.readers._aws_envelope import objects_in, parts
from ingest.readers._bedrock_agent_run import Runs
from ingest.readers._bedrock_agent_shape import is_event, is_return, is_trace, trace_part
from ingest.records import Record


def claims(first: object) -> bool:
    """One of the seven traces (orchestrationTrace, failureTrace ...) or a returnControl stands in it."""
    return any(is_trace(found) or is_return(found) for found in objects_in(first))


@reader(claims=claims)
def bedrock_agent_trace(records: Iterable[Record]) -> Iterator[Observation | Rejected]:
    """Amazon Bedrock Agents traces, one trace part a record.

    An action group, knowledge base or code call is one step with what the agent observed of it; a collaborator
    is a handoff. Control that is returned to the caller leaves the call open, and asks for a decision where the
    function needs confirmation; the answer is in the caller's next request, if that is logged.
    """
    runs = Runs()
    for record in records:
        for part in parts(record, is_event):
            if isinstance(part, Rejected):
                yield part
                continue
            said = trace_part(part)
            if isinstance(said, Rejected):
                yield said
            elif isinstance(said, tuple):
                runs.take_trace(*said, part.record)
            else:
                runs.take(said, part.record)
    yield from runs.steps.values()
