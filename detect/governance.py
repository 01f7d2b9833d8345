"""Whose rules and whose records a step changes: those that govern the agent itself, or another agent's log."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from detect.handed_out import role_of
from detect.step import Step
from detect.toolnames import says
from ingest.arguments import CREDENTIAL_KEYS, HUMAN_KEYS, PRINCIPAL_KEYS, scalars_in

_RULES: Final = re.compile(
    r"polic|permission|tool|guardrail|role|grant|scope|allow|rule|config|instruction|prompt|approval|limit|trust|manifest",
    re.IGNORECASE,
)
_RECORDS: Final = re.compile(
    r"log|trail|audit|histor|trace|transcript|record|telemetr|event|journal|retention|monitor|detector", re.IGNORECASE
)
_REMOVES: Final = re.compile(
    r"delet|purg|clear|clean|truncat|wip|remov|stop|disabl|drop|rotate|overwrit|redact|expire|retention|tamper|shred|erase",
    re.IGNORECASE,
)
ACTING_KEYS: Final = frozenset(
    {*PRINCIPAL_KEYS, *HUMAN_KEYS, *CREDENTIAL_KEYS, "caller", "actor", "sessionname",
     "rolesessionname", "requestedby", "source"}
)  # fmt: skip
_WORD: Final = re.compile(r"[\w-]+")
_SHORTEST: Final = 4
_LEAST_SHORT: Final = 8
"""Characters of a name without its prefix (`svc-`, `agent-`) that are still told from a word."""


def rewrites_itself(step: Step) -> bool:
    """Whether the step changes a rule, and what it names is its own agent, identity or role."""
    if step.capability in ("read", "credential") or not says(_RULES, step.tool):
        return False
    own = {step.agent_id, step.principal or "", role_of(step.principal or "") or ""}
    own |= {name.rpartition("/")[2] for name in own if "/" in name}
    own |= {short for name in own if len(short := name.partition("-")[2]) >= _LEAST_SHORT}
    own = {name for name in own if len(name) >= _SHORTEST}
    return any(_names(value, own) for value in _values(step))


def cleans_log_of(step: Step, agents: Collection[str]) -> str | None:
    """The other agent whose log the step removes or stops, or None."""
    if step.capability in ("read", "credential", "network_path") or not says(_REMOVES, step.tool):
        return None
    values = _values(step)
    if not (says(_RECORDS, step.tool) or any(_RECORDS.search(value) for value in values)):
        return None
    for value in values:
        for name in (value, *_parts(value)):
            if name in agents and name != step.agent_id and len(name) >= _SHORTEST:
                return name
    return None


def _values(step: Step) -> list[str]:
    """What the step names, but for whom it acts as."""
    values = [step.target] if step.target else []
    return values + [v for key, v in scalars_in(step.arguments) if len(v) < 300 and key not in ACTING_KEYS]


def _names(value: str, own: Collection[str]) -> bool:
    return value in own or any(part in own for part in _parts(value))


def _parts(value: str) -> list[str]:
    return _WORD.findall(value) if len(value) < 300 else []
