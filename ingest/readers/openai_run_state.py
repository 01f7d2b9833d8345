"""OpenAI Agents SDK run states: a paused run as JSON, with what waits for an approval and what was decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ingest.event import Observation, Rejected
from ingest.readers import reader
from ingest.readers._export_fields import REMEDY, opened
from ingest.readers._openai_run_state_items import State
from ingest.records import Record


def _claims(first: object) -> bool:
    if isinstance(first, list):
        return bool(first) and all(_claims(part) for part in first)
    return (
        isinstance(first, dict)
        and "$schemaVersion" in first
        and bool({"current_agent", "currentAgent", "generated_items", "generatedItems"} & first.keys())
    )


@reader(claims=_claims)
def openai_run_state(records: Iterable[Record]) -> Iterator[Observation | Rejected]:
    """OpenAI Agents SDK run states (`RunState.to_json`, Python and JavaScript spelling).

    Generated items are the steps, a call and its output one of them; model responses carry the tokens. What
    waits for a human is an approval that is pending, what the state says was decided one that is given. A
    tool that was approved for good ("always") is automatic for every call after that. There are no times:
    order is the list's.
    """
    for found in opened(records, own="$schemaVersion"):
        if isinstance(found, Rejected):
            yield found
        elif "$schemaVersion" not in found[1]:
            yield Rejected(found[0].line, f"no $schemaVersion: not a run state; {REMEDY}")
        else:
            yield from State(*found).observations()
