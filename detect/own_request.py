"""Who says yes to a request that they made: the id that an agent's call approves came out of the agent's own call."""

from __future__ import annotations

import re
from typing import Final

from detect.provenance import Provenance
from detect.step import Step
from detect.toolnames import says
from ingest.arguments import scalars_in

_APPROVES: Final = re.compile(
    r"(?<!un)(?<!dis)approve(?!r|d(?![a-z]))|countersign|sign_?off|accept_?(?:change|request)", re.IGNORECASE
)
_SHORTEST: Final = 4


def approves(step: Step) -> bool:
    """Whether a call that took effect decides on a request, by its tool's name."""
    return step.is_done and step.kind == "tool_call" and says(_APPROVES, step.tool)


def own_request(step: Step, provenance: Provenance) -> Step | None:
    """The agent's own call of this session that made what this one approves; None where somebody else did."""
    if not approves(step):
        return None
    named = {value for _, value in scalars_in(step.arguments) if len(value) >= _SHORTEST and _is_an_id(value)}
    for output in provenance.outputs.get(step.session_id, ()):
        if output.capability == "read" or output.event_id == step.event_id or output.agent_id != step.agent_id:
            continue
        given = {value for _, value in scalars_in(output.result)} - {value for _, value in scalars_in(output.arguments)}
        if not named.isdisjoint(given):
            return output.without_payload()
    return None


def _is_an_id(value: str) -> bool:
    return " " not in value and any(c.isdigit() for c in value)
